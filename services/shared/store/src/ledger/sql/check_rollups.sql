WITH posted AS (
    SELECT team_id, currency, effective_on AS team_day, -sum(amount) AS cost
      FROM posting
     WHERE book = 'member' AND kind = 'accrued'
     GROUP BY team_id, currency, effective_on
), rolled AS (
    SELECT team_id, currency, team_day, sum(cost) AS cost
      FROM usage_hourly
     GROUP BY team_id, currency, team_day
)
SELECT count(*) AS "checked!",
       coalesce((array_agg(format('team %s on %s: postings %s, rollups %s %s', team_id, team_day, p.cost, r.cost, currency))
                 FILTER (WHERE coalesce(p.cost, 0) <> coalesce(r.cost, 0)))[1:20], '{}') AS "findings!: Vec<String>"
  FROM posted AS p
  FULL JOIN rolled AS r USING (team_id, currency, team_day)
