WITH rolled AS (
    SELECT CASE WHEN 'member' = ANY($5) THEN member_id END AS member_id,
           CASE WHEN 'project' = ANY($5) THEN project_id END AS project_id,
           CASE WHEN 'client' = ANY($5) THEN client_id END AS client_id,
           CASE WHEN 'key' = ANY($5) THEN key_id END AS key_id,
           CASE WHEN 'model' = ANY($5) THEN model END AS model,
           CASE WHEN 'provider' = ANY($5) THEN provider END AS provider,
           CASE WHEN 'tool' = ANY($5) THEN tool END AS tool,
           CASE WHEN 'environment' = ANY($5) THEN environment END AS environment,
           NULL::text AS task,
           CASE WHEN 'day' = ANY($5) THEN CASE WHEN $4 THEN client_day ELSE team_day END END AS day,
           CASE WHEN 'hour' = ANY($5) THEN hour END AS hour,
           sum(requests)::bigint AS requests,
           sum(failed)::bigint AS failed,
           sum(retries)::bigint AS retries,
           sum(estimated)::bigint AS estimated,
           sum(unrated)::bigint AS unrated,
           sum(input_tokens)::bigint AS input_tokens,
           sum(output_tokens)::bigint AS output_tokens,
           sum(cache_read_tokens)::bigint AS cache_read_tokens,
           sum(cost) AS cost,
           sum(failed_cost) AS failed_cost,
           sum(retry_cost) AS retry_cost,
           sum(estimated_cost) AS estimated_cost
      FROM usage_hourly
     WHERE team_id = $1
       AND (($4 AND client_day >= $2 AND client_day < $3) OR (NOT $4 AND team_day >= $2 AND team_day < $3))
       AND ($6::uuid IS NULL OR coalesce(member_id, '00000000-0000-0000-0000-000000000000') = $6)
       AND ($7::uuid IS NULL OR coalesce(project_id, '00000000-0000-0000-0000-000000000000') = $7)
       AND ($8::uuid IS NULL OR coalesce(client_id, '00000000-0000-0000-0000-000000000000') = $8)
       AND ($9::uuid IS NULL OR coalesce(key_id, '00000000-0000-0000-0000-000000000000') = $9)
       AND ($10::text IS NULL OR model = $10)
       AND ($11::text IS NULL OR provider = $11)
       AND ($12::text IS NULL OR coalesce(tool, '') = $12)
       AND ($13::text IS NULL OR coalesce(environment, '') = $13)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
)
SELECT r.member_id, m.name AS "member?",
       r.project_id, p.name AS "project?",
       r.client_id, c.name AS "client?",
       r.key_id, k.name AS "key?",
       r.model, r.provider, r.tool, r.environment, r.task, r.day, r.hour,
       r.requests AS "requests!",
       r.failed AS "failed!",
       r.retries AS "retries!",
       r.estimated AS "estimated!",
       r.unrated AS "unrated!",
       r.input_tokens AS "input_tokens!",
       r.output_tokens AS "output_tokens!",
       r.cache_read_tokens AS "cache_read_tokens!",
       r.cost AS "cost!",
       r.failed_cost AS "failed_cost!",
       r.retry_cost AS "retry_cost!",
       r.estimated_cost AS "estimated_cost!"
  FROM rolled AS r
  LEFT JOIN member AS m ON m.team_id = $1 AND m.id = r.member_id
  LEFT JOIN project AS p ON p.team_id = $1 AND p.id = r.project_id
  LEFT JOIN client AS c ON c.team_id = $1 AND c.id = r.client_id
  LEFT JOIN virtual_key AS k ON k.team_id = $1 AND k.id = r.key_id
 ORDER BY r.day, r.hour, r.cost DESC, r.model, r.provider, r.tool, r.environment, r.member_id, r.project_id, r.client_id, r.key_id
