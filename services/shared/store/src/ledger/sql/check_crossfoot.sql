-- The books agree on what is owed to every provider on every day; documents post to the client book alone and do not
-- touch this side.
WITH compared AS (
    SELECT team_id, account AS provider, currency, effective_on,
           sum(amount) FILTER (WHERE book = 'member') AS member,
           sum(amount) FILTER (WHERE book = 'project') AS project,
           sum(amount) FILTER (WHERE book = 'client') AS client
      FROM posting
     WHERE kind = 'accrued'
     GROUP BY team_id, account, currency, effective_on
)
SELECT count(*) AS "checked!",
       coalesce((array_agg(format('team %s, %s on %s: member %s, project %s, client %s %s',
                                  team_id, provider, effective_on, member, project, client, currency))
                 FILTER (WHERE member IS DISTINCT FROM project OR project IS DISTINCT FROM client))[1:20], '{}')
           AS "findings!: Vec<String>"
  FROM compared
