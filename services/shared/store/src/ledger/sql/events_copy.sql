COPY usage_event (
     event_id, team_id, lane, producer_id, seq, partition, log_offset, target_id, occurred_at, team_day, client_day,
     key_id, member_id, project_id, client_id, environment, tool, task, request_id, provider, model, status, outcome,
     cost, currency, payload)
FROM STDIN (FORMAT binary)
