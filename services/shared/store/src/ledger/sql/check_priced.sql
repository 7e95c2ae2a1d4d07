WITH priced AS (
    SELECT team_id, currency, client_day, client_id, project_id, provider, model, sum(amount) AS cost
      FROM usage_priced
     GROUP BY team_id, currency, client_day, client_id, project_id, provider, model
), rolled AS (
    SELECT team_id, currency, client_day, client_id, project_id, provider, model, sum(cost) AS cost
      FROM usage_hourly
     GROUP BY team_id, currency, client_day, client_id, project_id, provider, model
)
SELECT count(*) AS "checked!",
       coalesce((array_agg(format('team %s, client %s on %s, model %s: priced %s, rollups %s %s',
                                  r.team_id, r.client_id, r.client_day, r.model, p.cost, r.cost, r.currency))
                 FILTER (WHERE coalesce(p.cost, 0) <> coalesce(r.cost, 0)))[1:20], '{}') AS "findings!: Vec<String>"
  FROM rolled AS r
  FULL JOIN priced AS p
    ON p.team_id = r.team_id AND p.currency = r.currency AND p.client_day = r.client_day
   AND p.client_id IS NOT DISTINCT FROM r.client_id AND p.project_id IS NOT DISTINCT FROM r.project_id
   AND p.provider = r.provider AND p.model = r.model
