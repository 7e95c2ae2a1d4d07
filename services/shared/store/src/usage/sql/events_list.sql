SELECT s.event_id AS "event_id!",
       s.occurred_at AS "occurred_at!",
       s.posted_at AS "posted_at!",
       s.payload AS "payload!",
       s.head_payload,
       s.cost,
       s.voided AS "voided!",
       m.name AS "member?",
       p.name AS "project?",
       c.name AS "client?",
       k.name AS "key?"
  FROM usage_standing AS s
  LEFT JOIN member AS m ON m.team_id = s.team_id AND m.id = s.member_id
  LEFT JOIN project AS p ON p.team_id = s.team_id AND p.id = s.project_id
  LEFT JOIN client AS c ON c.team_id = s.team_id AND c.id = s.client_id
  LEFT JOIN virtual_key AS k ON k.team_id = s.team_id AND k.id = s.key_id
 WHERE s.team_id = $1
   AND ($2::timestamptz IS NULL OR (s.occurred_at, s.event_id) < ($2, $3::uuid))
   AND ($4::timestamptz IS NULL OR s.occurred_at >= $4)
   AND ($5::timestamptz IS NULL OR s.occurred_at < $5)
   AND ($6::date IS NULL OR s.team_day >= $6)
   AND ($7::date IS NULL OR s.team_day < $7)
   AND ($8::uuid IS NULL OR coalesce(s.member_id, '00000000-0000-0000-0000-000000000000') = $8)
   AND ($9::uuid IS NULL OR coalesce(s.project_id, '00000000-0000-0000-0000-000000000000') = $9)
   AND ($10::uuid IS NULL OR coalesce(s.client_id, '00000000-0000-0000-0000-000000000000') = $10)
   AND ($11::uuid IS NULL OR coalesce(s.key_id, '00000000-0000-0000-0000-000000000000') = $11)
   AND ($12::text IS NULL OR s.model = $12)
   AND ($13::text IS NULL OR s.provider = $13)
   AND ($14::text IS NULL OR coalesce(s.tool, '') = $14)
   AND ($15::text IS NULL OR coalesce(s.environment, '') = $15)
   AND ($16::text IS NULL OR coalesce(s.task, '') = $16)
   AND ($17::text IS NULL OR s.status = $17)
   AND ($18::text IS NULL OR s.outcome = $18)
   AND (NOT $19 OR s.cost IS NULL)
   AND ($20::uuid IS NULL OR s.event_id = $20)
 ORDER BY s.occurred_at DESC, s.event_id DESC
 LIMIT $21
