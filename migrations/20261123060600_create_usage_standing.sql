-- Every usage event as it stands now: its own facts, and the position and cost that its latest adjustment left it with.
-- Adjustments have derived ids, so joins to them look into one partition only.
CREATE VIEW usage_standing AS
SELECT e.team_id,
       e.event_id,
       e.lane,
       e.occurred_at,
       e.posted_at,
       e.task,
       e.request_id,
       e.payload,
       h.event_id                                                                  AS head_id,
       h.payload                                                                   AS head_payload,
       coalesce(h.team_day, e.team_day)                                            AS team_day,
       coalesce(h.client_day, e.client_day)                                        AS client_day,
       CASE WHEN h.event_id IS NULL THEN e.key_id ELSE h.key_id END                AS key_id,
       CASE WHEN h.event_id IS NULL THEN e.member_id ELSE h.member_id END          AS member_id,
       CASE WHEN h.event_id IS NULL THEN e.project_id ELSE h.project_id END        AS project_id,
       CASE WHEN h.event_id IS NULL THEN e.client_id ELSE h.client_id END          AS client_id,
       CASE WHEN h.event_id IS NULL THEN e.environment ELSE h.environment END      AS environment,
       CASE WHEN h.event_id IS NULL THEN e.tool ELSE h.tool END                    AS tool,
       coalesce(h.provider, e.provider)                                            AS provider,
       coalesce(h.model, e.model)                                                  AS model,
       coalesce(h.status, e.status)                                                AS status,
       coalesce(h.outcome, e.outcome)                                              AS outcome,
       coalesce(h.currency, e.currency)                                            AS currency,
       CASE WHEN e.cost IS NULL AND corrected.cost IS NULL THEN NULL
            ELSE coalesce(e.cost, 0) + coalesce(corrected.cost, 0) END             AS cost,
       h.event_id IS NOT NULL AND convert_from(h.payload, 'UTF8')::json -> 'after' IS NULL AS voided
  FROM usage_event AS e
  LEFT JOIN usage_adjustment AS a
    ON a.target_id = e.event_id
   AND NOT EXISTS (SELECT FROM usage_adjustment AS later WHERE later.supersedes_id = a.event_id)
  LEFT JOIN usage_event AS h
    ON h.event_id = a.event_id
   AND h.event_id >= 'f0000000-0000-0000-0000-000000000000'
  LEFT JOIN LATERAL (
       SELECT sum(c.cost) AS cost
         FROM usage_adjustment AS link
         JOIN usage_event AS c
           ON c.event_id = link.event_id
          AND c.event_id >= 'f0000000-0000-0000-0000-000000000000'
        WHERE link.target_id = e.event_id) AS corrected
    ON a.event_id IS NOT NULL
 WHERE e.target_id IS NULL;
