WITH invoiced AS (
    SELECT period_from AS month
      FROM invoice
     WHERE team_id = $1 AND client_id = $2 AND status IN ('finalized', 'sent', 'paid')
), used AS (
    SELECT project_id, provider, model, currency, date_trunc('month', client_day::timestamp)::date AS month,
           sum(requests) AS requests, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
           sum(cost) AS cost
      FROM usage_hourly
     WHERE team_id = $1 AND client_id = $2 AND client_day < $4
     GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT project_id, provider, model, currency, month, -requests, -input_tokens, -output_tokens, -cost
      FROM invoice_usage
     WHERE team_id = $1 AND client_id = $2 AND month < $4
), open AS (
    SELECT project_id, provider, model, currency, month,
           sum(requests)::bigint AS requests, sum(input_tokens)::bigint AS input_tokens,
           sum(output_tokens)::bigint AS output_tokens, sum(cost) AS cost
      FROM used
     WHERE month >= $3 OR month IN (SELECT month FROM invoiced)
     GROUP BY project_id, provider, model, currency, month
    HAVING sum(cost) <> 0 OR sum(requests) <> 0 OR sum(input_tokens) <> 0 OR sum(output_tokens) <> 0
)
SELECT o.project_id, p.name AS "project?", o.provider AS "provider!", o.model AS "model!", o.currency AS "currency!",
       o.month AS "month!", o.requests AS "requests!", o.input_tokens AS "input_tokens!",
       o.output_tokens AS "output_tokens!", o.cost AS "cost!"
  FROM open AS o
  LEFT JOIN project AS p ON p.team_id = $1 AND p.id = o.project_id
 ORDER BY o.month, p.name, o.project_id, o.provider, o.model
