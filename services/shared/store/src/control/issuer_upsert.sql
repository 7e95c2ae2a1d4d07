INSERT INTO issuer (
    team_id, legal_name, address, country, vat_id, registration, email, iban, bic, bank,
    logo, logo_type, number_format, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (team_id) DO UPDATE
SET legal_name = excluded.legal_name,
    address = excluded.address,
    country = excluded.country,
    vat_id = excluded.vat_id,
    registration = excluded.registration,
    email = excluded.email,
    iban = excluded.iban,
    bic = excluded.bic,
    bank = excluded.bank,
    logo = excluded.logo,
    logo_type = excluded.logo_type,
    number_format = excluded.number_format,
    updated_at = excluded.updated_at
