WITH told AS (
    SELECT team_id, currency, team_day, sum(cost) AS cost, count(*) FILTER (WHERE target_id IS NULL) AS events
      FROM usage_event
     GROUP BY team_id, currency, team_day
), rolled AS (
    SELECT team_id, currency, team_day, sum(cost) AS cost
      FROM usage_hourly
     GROUP BY team_id, currency, team_day
)
SELECT coalesce(sum(events), 0)::bigint AS "checked!",
       coalesce((array_agg(format('team %s on %s: events %s, rollups %s %s', team_id, team_day, t.cost, r.cost, currency))
                 FILTER (WHERE coalesce(t.cost, 0) <> coalesce(r.cost, 0)))[1:20], '{}') AS "findings!: Vec<String>"
  FROM told AS t
  FULL JOIN rolled AS r USING (team_id, currency, team_day)
