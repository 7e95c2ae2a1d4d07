INSERT INTO contract (
    team_id, id, client_id, from_date, markup, markup_shown, discount, minimum,
    tax_label, tax_percent, terms_days, purchase_order, exchange_rate, created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
