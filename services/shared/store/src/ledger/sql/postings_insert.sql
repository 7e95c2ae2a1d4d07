INSERT INTO posting (journal_id, line, team_id, lane, book, kind, account, currency, effective_on, amount)
SELECT $1, *
  FROM UNNEST($2::integer[], $3::uuid[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::date[],
              $10::numeric[])
