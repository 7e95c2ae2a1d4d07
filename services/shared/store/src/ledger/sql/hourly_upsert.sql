INSERT INTO usage_hourly AS h (
       lane, row_id, team_id, hour, team_day, client_day, key_id, member_id, project_id, client_id, environment, tool,
       provider, model, currency, requests, failed, retries, estimated, unrated, input_tokens, output_tokens,
       cache_read_tokens, cost, failed_cost, retry_cost, estimated_cost)
SELECT *
  FROM UNNEST($1::smallint[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::date[], $6::date[], $7::uuid[], $8::uuid[],
              $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
              $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[],
              $24::numeric[], $25::numeric[], $26::numeric[], $27::numeric[])
    ON CONFLICT (lane, row_id) DO UPDATE
   SET requests = h.requests + excluded.requests,
       failed = h.failed + excluded.failed,
       retries = h.retries + excluded.retries,
       estimated = h.estimated + excluded.estimated,
       unrated = h.unrated + excluded.unrated,
       input_tokens = h.input_tokens + excluded.input_tokens,
       output_tokens = h.output_tokens + excluded.output_tokens,
       cache_read_tokens = h.cache_read_tokens + excluded.cache_read_tokens,
       cost = h.cost + excluded.cost,
       failed_cost = h.failed_cost + excluded.failed_cost,
       retry_cost = h.retry_cost + excluded.retry_cost,
       estimated_cost = h.estimated_cost + excluded.estimated_cost
