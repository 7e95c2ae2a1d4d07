WITH posted AS (
    SELECT team_id, account, sum(amount) AS billed
      FROM posting
     WHERE book = 'client' AND kind = 'billed'
     GROUP BY team_id, account
), invoiced AS (
    SELECT team_id, client_id::text AS account, sum(cost) AS billed
      FROM invoice
     WHERE status IN ('finalized', 'sent', 'paid')
     GROUP BY team_id, client_id
)
SELECT count(*) AS "checked!",
       coalesce((array_agg(format('team %s, client %s: billed %s, invoices %s', team_id, account, p.billed, i.billed))
                 FILTER (WHERE coalesce(p.billed, 0) <> coalesce(i.billed, 0)))[1:20], '{}') AS "findings!: Vec<String>"
  FROM posted AS p
  FULL JOIN invoiced AS i USING (team_id, account)
