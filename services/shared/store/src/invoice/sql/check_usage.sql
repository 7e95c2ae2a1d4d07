WITH taken AS (
    SELECT team_id, invoice_id, sum(cost) FILTER (WHERE NOT given_back) AS cost, sum(cost) AS rest
      FROM invoice_usage
     GROUP BY team_id, invoice_id
), explained AS (
    SELECT team_id, invoice_id, sum(amount) FILTER (WHERE NOT given_back) AS cost
      FROM invoice_evidence
     GROUP BY team_id, invoice_id
)
SELECT count(*) AS "checked!",
       coalesce((array_agg(format('invoice %s: %s, usage %s, evidence %s, left after a void %s', i.number, i.cost, t.cost,
                                  e.cost, t.rest))
                 FILTER (WHERE i.cost <> coalesce(t.cost, 0) OR i.cost <> coalesce(e.cost, 0)
                            OR coalesce(t.rest, 0) <> CASE WHEN i.status = 'void' THEN 0 ELSE i.cost END))[1:20], '{}')
           AS "findings!: Vec<String>"
  FROM invoice AS i
  LEFT JOIN taken AS t ON t.team_id = i.team_id AND t.invoice_id = i.id
  LEFT JOIN explained AS e ON e.team_id = i.team_id AND e.invoice_id = i.id
 WHERE i.number IS NOT NULL
