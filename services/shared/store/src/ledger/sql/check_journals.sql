WITH compared AS (
    SELECT journal_id, team_id, book, currency, sum(amount) AS rest
      FROM posting
     GROUP BY journal_id, team_id, book, currency
)
SELECT count(*) AS "checked!",
       coalesce((array_agg(format('journal %s, team %s, book %s is off by %s %s', journal_id, team_id, book, rest, currency))
                 FILTER (WHERE rest <> 0))[1:20], '{}') AS "findings!: Vec<String>"
  FROM compared
