UPDATE client
SET name = $3,
    legal_name = $4,
    address = $5,
    country = $6,
    vat_id = $7,
    registration = $8,
    email = $9,
    currency = $10,
    zone = $11,
    markup = $12,
    markup_shown = $13,
    internal = $14,
    terms_days = $15,
    purchase_order = $16,
    tax_label = $17,
    tax_percent = $18,
    archived_at = $19
WHERE team_id = $1 AND id = $2
