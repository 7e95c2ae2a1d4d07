WITH head AS (
    UPDATE log_head
    SET next_offset = next_offset + $2::bigint
    WHERE partition = $1
    RETURNING next_offset - $2::bigint AS first_offset
),
stored AS (
    INSERT INTO log_block (partition, first_offset, count, codec, raw_bytes, body, appended_at)
    SELECT
        $1, head.first_offset + block.skip, block.count, $7::smallint, block.raw_bytes, block.body,
        clock_timestamp()
    FROM head
    CROSS JOIN unnest($3::bigint[], $4::integer[], $5::integer[], $6::bytea[])
        AS block (skip, count, raw_bytes, body)
)
SELECT head.first_offset AS "first_offset!", pg_notify($8, '') IS NULL AS "notified!"
FROM head
