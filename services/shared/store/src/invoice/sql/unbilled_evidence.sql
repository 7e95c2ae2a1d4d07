WITH invoiced AS (
    SELECT period_from AS month
      FROM invoice
     WHERE team_id = $1 AND client_id = $2 AND status IN ('finalized', 'sent', 'paid')
), used AS (
    SELECT project_id, provider, model, currency, date_trunc('month', client_day::timestamp)::date AS month, price_version, bucket,
           unit_price, quantity::numeric AS quantity, amount
      FROM usage_priced
     WHERE team_id = $1 AND client_id = $2 AND client_day < $4
    UNION ALL
    SELECT project_id, provider, model, currency, month, price_version, bucket, unit_price, -quantity::numeric, -amount
      FROM invoice_evidence
     WHERE team_id = $1 AND client_id = $2 AND month < $4
)
SELECT project_id, provider AS "provider!", model AS "model!", currency AS "currency!", month AS "month!",
       price_version AS "price_version!", bucket AS "bucket!", unit_price AS "unit_price!",
       sum(quantity)::bigint AS "quantity!", sum(amount) AS "amount!"
  FROM used
 WHERE month >= $3 OR month IN (SELECT month FROM invoiced)
 GROUP BY project_id, provider, model, currency, month, price_version, bucket, unit_price
HAVING sum(quantity) <> 0 OR sum(amount) <> 0
 ORDER BY month, project_id, provider, model, bucket, unit_price, price_version
