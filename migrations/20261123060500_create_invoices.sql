-- Invoices. A draft may be composed again; from the moment that it has a number nothing of it changes but where it
-- stands (sent, paid, void).

-- One counter per team and series (a year, where the number names it), held to the commit that uses its number.
CREATE TABLE invoice_series (
    team_id uuid   NOT NULL REFERENCES team (id),
    series  text   NOT NULL,
    last    bigint NOT NULL CHECK (last > 0),
    PRIMARY KEY (team_id, series)
);

CREATE TABLE invoice (
    team_id     uuid        NOT NULL,
    id          uuid        NOT NULL,
    client_id   uuid        NOT NULL,
    -- Billing days in the client's zone, half-open.
    period_from date        NOT NULL,
    period_to   date        NOT NULL,
    status      text        NOT NULL CHECK (status IN ('draft', 'finalized', 'sent', 'paid', 'void')),
    series      text,
    seq         bigint,
    number      text,
    currency    text        NOT NULL,
    total       numeric     NOT NULL,
    -- Exact cost of the usage on it, in the team's currency.
    cost        numeric     NOT NULL,
    -- JSON. Once frozen these very bytes are what was issued.
    document    text        NOT NULL,
    sha256      text,
    logo        bytea,
    created_at  timestamptz NOT NULL,
    issued_at   timestamptz,
    sent_at     timestamptz,
    paid_at     timestamptz,
    voided_at   timestamptz,
    void_reason text,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, client_id) REFERENCES client (team_id, id),
    CONSTRAINT invoice_number_taken UNIQUE (team_id, number),
    CONSTRAINT invoice_seq_taken UNIQUE (team_id, series, seq),
    CHECK (period_to > period_from),
    CONSTRAINT invoice_frozen_whole CHECK (
        (status = 'draft') = (number IS NULL) AND (number IS NULL) = (sha256 IS NULL)
        AND (number IS NULL) = (seq IS NULL) AND (number IS NULL) = (series IS NULL) AND (number IS NULL) = (issued_at IS NULL))
);
CREATE UNIQUE INDEX invoice_one_draft ON invoice (team_id, client_id, period_from) WHERE status = 'draft';
CREATE UNIQUE INDEX invoice_one_in_force ON invoice (team_id, client_id, period_from) WHERE status IN ('finalized', 'sent', 'paid');

CREATE FUNCTION invoice_keep_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    open constant text[] := ARRAY['status', 'sent_at', 'paid_at', 'voided_at', 'void_reason'];
BEGIN
    IF OLD.status = 'draft' THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF NEW.status IN ('draft', 'finalized') THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND to_jsonb(OLD) - open = to_jsonb(NEW) - open
          AND (OLD.status, NEW.status) IN (('finalized', 'sent'), ('sent', 'sent'), ('finalized', 'paid'), ('sent', 'paid'),
                                           ('finalized', 'void'), ('sent', 'void')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'invoice % is %: % is not allowed', coalesce(OLD.number, OLD.id::text), OLD.status, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'corrections are a void or a credit note';
END
$$;
CREATE TRIGGER keep_frozen BEFORE UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION invoice_keep_frozen();
CREATE TRIGGER forbid_truncate BEFORE TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION tallystick_forbid_change();

-- What each numbered invoice took from the ledger, and what a void gave back (negative). Unbilled usage is the ledger's
-- sum less the sum of these rows. `month` is the first day of the month of the usage, in the client's zone.
CREATE TABLE invoice_usage (
    team_id       uuid     NOT NULL,
    invoice_id    uuid     NOT NULL,
    line          integer  NOT NULL,
    given_back    boolean  NOT NULL,
    client_id     uuid     NOT NULL,
    project_id    uuid,
    provider      text     NOT NULL,
    model         text     NOT NULL,
    month         date     NOT NULL,
    currency      text     NOT NULL,
    requests      bigint   NOT NULL,
    input_tokens  bigint   NOT NULL,
    output_tokens bigint   NOT NULL,
    cost          numeric  NOT NULL CHECK (scale(cost) <= 18),
    PRIMARY KEY (team_id, invoice_id, line, given_back),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id)
);
CREATE INDEX invoice_usage_by_client ON invoice_usage (team_id, client_id, month);
SELECT tallystick_append_only('invoice_usage');

-- The same per bucket, unit price and price version: the evidence behind the lines.
CREATE TABLE invoice_evidence (
    team_id       uuid     NOT NULL,
    invoice_id    uuid     NOT NULL,
    line          integer  NOT NULL,
    given_back    boolean  NOT NULL,
    client_id     uuid     NOT NULL,
    project_id    uuid,
    provider      text     NOT NULL,
    model         text     NOT NULL,
    month         date     NOT NULL,
    currency      text     NOT NULL,
    price_version uuid     NOT NULL,
    bucket        text     NOT NULL,
    unit_price    numeric  NOT NULL,
    quantity      bigint   NOT NULL,
    amount        numeric  NOT NULL CHECK (scale(amount) <= 18),
    PRIMARY KEY (team_id, invoice_id, line, given_back),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id)
);
CREATE INDEX invoice_evidence_by_client ON invoice_evidence (team_id, client_id, month);
SELECT tallystick_append_only('invoice_evidence');

-- Files made from a frozen document, kept as they were first made.
CREATE TABLE invoice_file (
    team_id    uuid        NOT NULL,
    invoice_id uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('pdf')),
    content    bytea       NOT NULL,
    sha256     text        NOT NULL CHECK (length(sha256) = 64),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, invoice_id, kind),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id)
);
SELECT tallystick_append_only('invoice_file');
