INSERT INTO producer_progress AS p (
       producer_id, epoch, heartbeat_lane, heartbeat_seq, heartbeat_at, complete_until, closing)
SELECT $1, $2, $3, $4, $5,
       CASE WHEN folded.so_far THEN $6 ELSE '-infinity'::timestamptz END,
       $7 AND folded.so_far
  FROM (SELECT NOT EXISTS (
            SELECT FROM UNNEST($8::smallint[], $9::bigint[]) AS stated (lane, seq)
              LEFT JOIN lane_progress AS l ON l.producer_id = $1 AND l.lane = stated.lane
             WHERE coalesce(l.last_seq, 0) < stated.seq) AS so_far) AS folded
    ON CONFLICT (producer_id) DO UPDATE
   SET epoch = excluded.epoch,
       heartbeat_lane = excluded.heartbeat_lane,
       heartbeat_seq = greatest(p.heartbeat_seq, excluded.heartbeat_seq),
       heartbeat_at = greatest(p.heartbeat_at, excluded.heartbeat_at),
       complete_until = greatest(p.complete_until, excluded.complete_until),
       closing = excluded.closing
