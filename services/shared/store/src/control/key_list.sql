SELECT *
FROM virtual_key
WHERE team_id = $1
  AND (revoked_at IS NULL OR $2)
  AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
  AND ($4::uuid IS NULL OR id > $4)
  AND ($6::text IS NULL OR kind = $6)
  AND ($7::uuid IS NULL OR member_id = $7)
  AND ($8::uuid IS NULL OR project_id = $8)
  AND ($9::uuid IS NULL OR client_id = $9)
  AND ($10::timestamptz IS NULL OR created_at < $10)
  AND (NOT $11 OR budgets = '[]')
ORDER BY id
LIMIT $5
