WITH standing AS (
    SELECT *,
           CASE WHEN head_payload IS NULL THEN convert_from(payload, 'UTF8')::json
                ELSE convert_from(head_payload, 'UTF8')::json -> 'after' END AS position
      FROM usage_standing
     WHERE team_id = $1
       AND NOT voided
       AND occurred_at >= $2::date::timestamp AT TIME ZONE 'UTC' - interval '2 days'
       AND occurred_at < $3::date::timestamp AT TIME ZONE 'UTC' + interval '2 days'
       AND (($4 AND client_day >= $2 AND client_day < $3) OR (NOT $4 AND team_day >= $2 AND team_day < $3))
       AND ($6::uuid IS NULL OR coalesce(member_id, '00000000-0000-0000-0000-000000000000') = $6)
       AND ($7::uuid IS NULL OR coalesce(project_id, '00000000-0000-0000-0000-000000000000') = $7)
       AND ($8::uuid IS NULL OR coalesce(client_id, '00000000-0000-0000-0000-000000000000') = $8)
       AND ($9::uuid IS NULL OR coalesce(key_id, '00000000-0000-0000-0000-000000000000') = $9)
       AND ($10::text IS NULL OR model = $10)
       AND ($11::text IS NULL OR provider = $11)
       AND ($12::text IS NULL OR coalesce(tool, '') = $12)
       AND ($13::text IS NULL OR coalesce(environment, '') = $13)
       AND ($14::text IS NULL OR coalesce(task, '') = $14)
), counted AS (
    SELECT s.*, used.*, outcome = ANY($15::text[]) AS failed,
           coalesce((position ->> 'client_retry')::boolean, false) AS retried
      FROM standing AS s
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(value::bigint) FILTER (WHERE key = ANY($16::text[])), 0) AS input_tokens,
                  coalesce(sum(value::bigint) FILTER (WHERE key = ANY($17::text[])), 0) AS output_tokens,
                  coalesce(sum(value::bigint) FILTER (WHERE key = 'cache_read'), 0) AS cache_read_tokens
             FROM json_each_text(position -> 'usage')) AS used
), rolled AS (
    SELECT CASE WHEN 'member' = ANY($5) THEN member_id END AS member_id,
           CASE WHEN 'project' = ANY($5) THEN project_id END AS project_id,
           CASE WHEN 'client' = ANY($5) THEN client_id END AS client_id,
           CASE WHEN 'key' = ANY($5) THEN key_id END AS key_id,
           CASE WHEN 'model' = ANY($5) THEN model END AS model,
           CASE WHEN 'provider' = ANY($5) THEN provider END AS provider,
           CASE WHEN 'tool' = ANY($5) THEN tool END AS tool,
           CASE WHEN 'environment' = ANY($5) THEN environment END AS environment,
           CASE WHEN 'task' = ANY($5) THEN task END AS task,
           CASE WHEN 'day' = ANY($5) THEN CASE WHEN $4 THEN client_day ELSE team_day END END AS day,
           CASE WHEN 'hour' = ANY($5) THEN date_trunc('hour', occurred_at, 'UTC') END AS hour,
           count(*) AS requests,
           count(*) FILTER (WHERE failed) AS failed,
           count(*) FILTER (WHERE retried) AS retries,
           count(*) FILTER (WHERE status = 'estimated') AS estimated,
           count(*) FILTER (WHERE cost IS NULL) AS unrated,
           sum(input_tokens)::bigint AS input_tokens,
           sum(output_tokens)::bigint AS output_tokens,
           sum(cache_read_tokens)::bigint AS cache_read_tokens,
           coalesce(sum(cost), 0) AS cost,
           coalesce(sum(cost) FILTER (WHERE failed), 0) AS failed_cost,
           coalesce(sum(cost) FILTER (WHERE retried), 0) AS retry_cost,
           coalesce(sum(cost) FILTER (WHERE status = 'estimated'), 0) AS estimated_cost
      FROM counted
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
 ORDER BY r.day, r.hour, r.cost DESC, r.task, r.model, r.provider, r.tool, r.environment, r.member_id, r.project_id, r.client_id, r.key_id
