INSERT INTO usage_priced AS p (
       lane, row_id, team_id, client_day, client_id, project_id, provider, model, price_version, bucket, unit_price,
       currency, quantity, amount)
SELECT *
  FROM UNNEST($1::smallint[], $2::uuid[], $3::uuid[], $4::date[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
              $9::uuid[], $10::text[], $11::numeric[], $12::text[], $13::bigint[], $14::numeric[])
    ON CONFLICT (lane, row_id) DO UPDATE
   SET quantity = p.quantity + excluded.quantity,
       amount = p.amount + excluded.amount
