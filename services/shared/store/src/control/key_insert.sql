INSERT INTO virtual_key (
    team_id, id, public_part, hmac, pepper_version, name, kind, budgets, expires_at, rotated_from, created_by, created_at,
    prefix
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
