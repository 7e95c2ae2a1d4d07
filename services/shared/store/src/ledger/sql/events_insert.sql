INSERT INTO usage_event (
       partition, event_id, team_id, lane, producer_id, seq, log_offset, target_id, occurred_at, team_day, client_day,
       key_id, member_id, project_id, client_id, environment, tool, task, request_id, provider, model, status, outcome,
       cost, currency, payload)
SELECT $1, *
  FROM UNNEST($2::uuid[], $3::uuid[], $4::smallint[], $5::uuid[], $6::bigint[], $7::bigint[], $8::uuid[],
              $9::timestamptz[], $10::date[], $11::date[], $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[],
              $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[],
              $24::numeric[], $25::text[], $26::bytea[])
    ON CONFLICT (event_id) DO NOTHING
RETURNING event_id
