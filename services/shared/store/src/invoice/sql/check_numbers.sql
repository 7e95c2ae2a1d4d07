WITH numbered AS (
    SELECT team_id, series, count(*) AS invoices, min(seq) AS first, max(seq) AS last
      FROM invoice
     WHERE number IS NOT NULL
     GROUP BY team_id, series
)
SELECT coalesce(sum(n.invoices), 0)::bigint AS "checked!",
       coalesce((array_agg(format('team %s, series %s: %s invoices, numbers %s to %s, counter at %s',
                                  team_id, series, n.invoices, n.first, n.last, s.last))
                 FILTER (WHERE n.first IS DISTINCT FROM 1 OR n.last IS DISTINCT FROM n.invoices
                            OR s.last IS DISTINCT FROM n.last))[1:20], '{}') AS "findings!: Vec<String>"
  FROM numbered AS n
  FULL JOIN invoice_series AS s USING (team_id, series)
