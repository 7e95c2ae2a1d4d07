SELECT
    first_offset AS "first_offset!",
    count AS "count!",
    codec AS "codec!",
    raw_bytes AS "raw_bytes!",
    body AS "body!",
    (extract(epoch FROM appended_at) * 1000000)::bigint AS "appended_micros!"
FROM (
    SELECT
        near.*,
        -- without the first block, which may lie mostly below the offset asked for
        sum(raw_bytes) OVER earlier - raw_bytes - first_value(raw_bytes) OVER earlier AS bytes_before
    FROM (
        SELECT *
        FROM log_block
        WHERE partition = $1
          AND first_offset >= COALESCE(
              (SELECT max(first_offset) FROM log_block WHERE partition = $1 AND first_offset <= $2), $2)
        ORDER BY first_offset
        LIMIT $5
    ) AS near
    WINDOW earlier AS (ORDER BY first_offset)
) AS measured
WHERE first_offset - $2 < $3::bigint
  AND bytes_before < $4::bigint
ORDER BY first_offset
