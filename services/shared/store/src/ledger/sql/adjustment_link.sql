INSERT INTO usage_adjustment (supersedes_id, event_id, target_id)
SELECT $1::uuid, $2::uuid, $3::uuid
 WHERE ($1::uuid = $3::uuid AND EXISTS (SELECT FROM usage_event WHERE event_id = $3 AND target_id IS NULL))
    OR EXISTS (SELECT FROM usage_adjustment WHERE event_id = $1 AND target_id = $3)
    ON CONFLICT DO NOTHING
