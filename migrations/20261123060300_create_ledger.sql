-- The ledger: what the projector writes, one transaction per batch of the log.
--
-- Every row below belongs to one lane (or one partition), so projectors never wait for each other. Nothing here is ever
-- updated but the rollups, the cursor and the progress of producers, all of which can be rebuilt from the log.

-- Where a projection stands in each partition of the log. Moves by compare-and-set inside the batch's transaction.
CREATE TABLE projection_cursor (
    projection   text        NOT NULL,
    partition    integer     NOT NULL,
    next_offset  bigint      NOT NULL DEFAULT 0 CHECK (next_offset >= 0),
    epoch        bigint      NOT NULL DEFAULT 0,
    -- Rolling SHA-256 over every record read so far, whatever batches they came in.
    rolling_hash bytea       NOT NULL DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000',
    owner        uuid,
    lease_until  timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (projection, partition),
    CHECK (octet_length(rolling_hash) = 32)
);

-- One row per usage event and per adjustment. Ids are UUIDv7, so a range of ids is a range of time; derived ids (imports,
-- adjustments) begin with f0. The first and the last partition take what is outside.
CREATE TABLE usage_event (
    event_id       uuid        NOT NULL PRIMARY KEY,
    team_id        uuid        NOT NULL,
    lane           smallint    NOT NULL CHECK (lane BETWEEN 0 AND 63),
    producer_id    uuid        NOT NULL,
    seq            bigint      NOT NULL,
    partition      integer     NOT NULL,
    log_offset     bigint      NOT NULL,
    -- Set on an adjustment: the event it corrects.
    target_id      uuid,
    occurred_at    timestamptz NOT NULL,
    team_day       date        NOT NULL,
    client_day     date        NOT NULL,
    key_id         uuid,
    member_id      uuid,
    project_id     uuid,
    client_id      uuid,
    environment    text,
    tool           text,
    task           text,
    request_id     text        NOT NULL,
    provider       text        NOT NULL,
    model          text        NOT NULL,
    status         text        NOT NULL,
    outcome        text        NOT NULL,
    -- What the event adds to the ledger: its cost; for an adjustment the difference; null while unrated.
    cost           numeric,
    currency       text        NOT NULL,
    -- The event as it came from the log.
    payload        bytea       NOT NULL,
    posted_at      timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (event_id);

CREATE TABLE usage_event_before PARTITION OF usage_event
    FOR VALUES FROM (MINVALUE) TO ('019b0000-0000-0000-0000-000000000000');
DO $$
DECLARE
    -- 2^33 ms is about 99 days; the first six bytes of a UUIDv7 are milliseconds since 1970.
    step  constant bigint := 8589934592;
    first constant bigint := x'019b00000000'::bigint;
    n     integer;
BEGIN
    FOR n IN 0..27 LOOP
        EXECUTE format(
            'CREATE TABLE usage_event_%s PARTITION OF usage_event FOR VALUES FROM (%L) TO (%L)',
            to_char(to_timestamp((first + n * step) / 1000.0) AT TIME ZONE 'UTC', 'YYYYMMDD'),
            rpad(lpad(to_hex(first + n * step), 12, '0'), 32, '0')::uuid,
            rpad(lpad(to_hex(first + (n + 1) * step), 12, '0'), 32, '0')::uuid
        );
    END LOOP;
    EXECUTE format(
        'CREATE TABLE usage_event_later PARTITION OF usage_event FOR VALUES FROM (%L) TO (%L)',
        rpad(lpad(to_hex(first + 28 * step), 12, '0'), 32, '0')::uuid,
        'f0000000-0000-0000-0000-000000000000'
    );
END
$$;
CREATE TABLE usage_event_derived PARTITION OF usage_event
    FOR VALUES FROM ('f0000000-0000-0000-0000-000000000000') TO (MAXVALUE);

CREATE INDEX usage_event_by_team ON usage_event (team_id, occurred_at DESC, event_id DESC);
CREATE INDEX usage_event_by_key ON usage_event (key_id, occurred_at DESC) WHERE key_id IS NOT NULL;
CREATE INDEX usage_event_by_target ON usage_event (target_id) WHERE target_id IS NOT NULL;

-- One successor per head: a correction of something that was corrected meanwhile is refused.
CREATE TABLE usage_adjustment (
    supersedes_id uuid NOT NULL PRIMARY KEY,
    event_id      uuid NOT NULL UNIQUE,
    target_id     uuid NOT NULL
);
CREATE INDEX usage_adjustment_by_target ON usage_adjustment (target_id);

-- A journal is one set of postings that sums to zero per team, book and currency.
CREATE TABLE journal (
    journal_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('usage', 'invoice', 'credit_note')),
    -- The batch or the document that it stands for.
    reference   text        NOT NULL,
    posted_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, reference)
);

CREATE TABLE posting (
    journal_id  bigint   NOT NULL REFERENCES journal,
    line        integer  NOT NULL,
    team_id     uuid     NOT NULL,
    lane        smallint NOT NULL,
    book        text     NOT NULL CHECK (book IN ('member', 'project', 'client')),
    kind        text     NOT NULL CHECK (kind IN ('usage', 'unbilled', 'billed', 'accrued')),
    account     text     NOT NULL,
    currency    text     NOT NULL,
    -- The accounting date (billing day in the team's zone).
    effective_on date    NOT NULL,
    -- Debit positive, credit negative; exact at 18 decimals.
    amount      numeric  NOT NULL CHECK (amount <> 0 AND scale(amount) <= 18),
    PRIMARY KEY (journal_id, line)
);
CREATE INDEX posting_by_account ON posting (team_id, book, kind, account, effective_on);

-- All lines of a journal arrive in one statement, so one look at that statement's rows proves that it balances.
CREATE FUNCTION posting_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT journal_id, book, currency, sum(amount) AS rest INTO bad
      FROM added
     GROUP BY journal_id, team_id, book, currency
    HAVING sum(amount) <> 0
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % does not balance: book % is off by % %', bad.journal_id, bad.book, bad.rest, bad.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_balances';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER posting_balances AFTER INSERT ON posting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION posting_must_balance();

-- Sums per hour and dimension. `row_id` is the hour and a hash of all dimensions, so that absent ones need no sentinel.
CREATE TABLE usage_hourly (
    lane              smallint    NOT NULL,
    row_id            uuid        NOT NULL,
    team_id           uuid        NOT NULL,
    hour              timestamptz NOT NULL,
    team_day          date        NOT NULL,
    client_day        date        NOT NULL,
    key_id            uuid,
    member_id         uuid,
    project_id        uuid,
    client_id         uuid,
    environment       text,
    tool              text,
    provider          text        NOT NULL,
    model             text        NOT NULL,
    currency          text        NOT NULL,
    requests          bigint      NOT NULL,
    failed            bigint      NOT NULL,
    retries           bigint      NOT NULL,
    estimated         bigint      NOT NULL,
    unrated           bigint      NOT NULL,
    input_tokens      bigint      NOT NULL,
    output_tokens     bigint      NOT NULL,
    cache_read_tokens bigint      NOT NULL,
    cost              numeric     NOT NULL,
    failed_cost       numeric     NOT NULL,
    retry_cost        numeric     NOT NULL,
    estimated_cost    numeric     NOT NULL,
    PRIMARY KEY (lane, row_id)
) WITH (fillfactor = 70);
CREATE INDEX usage_hourly_by_team_day ON usage_hourly (team_id, team_day);
CREATE INDEX usage_hourly_by_client_day ON usage_hourly (team_id, client_id, client_day);

-- Quantities and amounts per day, price version and bucket: the evidence behind every invoice line.
CREATE TABLE usage_priced (
    lane          smallint NOT NULL,
    row_id        uuid     NOT NULL,
    team_id       uuid     NOT NULL,
    client_day    date     NOT NULL,
    client_id     uuid,
    project_id    uuid,
    provider      text     NOT NULL,
    model         text     NOT NULL,
    price_version uuid     NOT NULL,
    bucket        text     NOT NULL,
    unit_price    numeric  NOT NULL,
    currency      text     NOT NULL,
    quantity      bigint   NOT NULL,
    amount        numeric  NOT NULL,
    PRIMARY KEY (lane, row_id)
) WITH (fillfactor = 70);
CREATE INDEX usage_priced_by_client_day ON usage_priced (team_id, client_id, client_day);

-- Refusals, counted by the proxy per key, reason, model and ten seconds.
CREATE TABLE refused_event (
    event_id    uuid        NOT NULL PRIMARY KEY,
    team_id     uuid        NOT NULL,
    lane        smallint    NOT NULL,
    key_id      uuid,
    occurred_at timestamptz NOT NULL,
    team_day    date        NOT NULL,
    reason      text        NOT NULL,
    http_status smallint    NOT NULL,
    model       text,
    count       bigint      NOT NULL CHECK (count > 0)
);
CREATE INDEX refused_event_by_team ON refused_event (team_id, occurred_at DESC);

-- Completeness: what each producer has sent, and up to when nothing is missing.
CREATE TABLE lane_progress (
    producer_id uuid     NOT NULL,
    lane        smallint NOT NULL,
    last_seq    bigint   NOT NULL,
    -- Distinct records taken in; a lane is dense when it equals last_seq.
    received    bigint   NOT NULL,
    PRIMARY KEY (producer_id, lane)
);

CREATE TABLE producer_progress (
    producer_id     uuid        NOT NULL PRIMARY KEY,
    epoch           integer     NOT NULL,
    heartbeat_lane  smallint    NOT NULL,
    heartbeat_seq   bigint      NOT NULL,
    heartbeat_at    timestamptz NOT NULL,
    -- Everything admitted before this moment is folded.
    complete_until  timestamptz NOT NULL,
    closing         boolean     NOT NULL
);

-- Records that could not be folded, with where they stand and why. Nothing is ever skipped without a row here.
CREATE TABLE dead_letter (
    dead_letter_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection     text        NOT NULL,
    partition      integer     NOT NULL,
    log_offset     bigint      NOT NULL,
    lane           smallint    NOT NULL,
    reason         text        NOT NULL,
    detail         text        NOT NULL,
    headers        jsonb       NOT NULL,
    payload        bytea       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    -- Set when a re-drive folded it.
    redriven_at    timestamptz,
    UNIQUE (projection, partition, log_offset)
);

-- One row per batch: the interval of the log, what it held, and the rolling hash after it.
CREATE TABLE ledger_batch (
    partition    integer     NOT NULL,
    from_offset  bigint      NOT NULL,
    to_offset    bigint      NOT NULL,
    records      integer     NOT NULL,
    events       integer     NOT NULL,
    duplicates   integer     NOT NULL,
    dead_letters integer     NOT NULL,
    -- Sum of the events' cost per currency.
    sums         jsonb       NOT NULL,
    rolling_hash bytea       NOT NULL,
    journal_id   bigint      REFERENCES journal,
    posted_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partition, from_offset),
    CHECK (to_offset > from_offset)
);

SELECT tallystick_append_only(name::regclass)
  FROM unnest(ARRAY['usage_event', 'usage_adjustment', 'journal', 'posting', 'refused_event', 'ledger_batch']) AS name;
SELECT tallystick_append_only(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'usage_event'::regclass;
