-- The control plane: who may call what, with whose money, and the append-only story of every change.
--
-- Every key begins with the team, and every reference between objects of a team carries the team, so that the
-- database itself refuses a reference across teams. Secrets are here as keyed hashes or ciphertext only.

CREATE TABLE team (
    id uuid PRIMARY KEY,
    slug text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL CHECK (name <> ''),
    zone text NOT NULL CHECK (zone <> ''),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- Budgets that a key gets which is made without one.
    default_key_budgets jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(default_key_budgets) = 'array'),
    created_at timestamptz NOT NULL,
    CONSTRAINT team_slug_taken UNIQUE (slug)
);

CREATE TABLE member (
    team_id uuid NOT NULL REFERENCES team (id),
    id uuid NOT NULL,
    email text NOT NULL CHECK (email <> ''),
    name text NOT NULL CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'finance', 'developer', 'oncall')),
    created_at timestamptz NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX member_email_taken ON member (team_id, lower(email)) WHERE removed_at IS NULL;

CREATE TABLE client (
    team_id uuid NOT NULL REFERENCES team (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    legal_name text NOT NULL DEFAULT '',
    address text[] NOT NULL DEFAULT '{}',
    country text CHECK (country ~ '^[A-Z]{2}$'),
    vat_id text,
    registration text,
    email text,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    zone text NOT NULL CHECK (zone <> ''),
    -- Percent on top of the provider's cost.
    markup numeric NOT NULL DEFAULT 0 CHECK (markup >= 0),
    markup_shown boolean NOT NULL DEFAULT false,
    internal boolean NOT NULL DEFAULT false,
    terms_days smallint NOT NULL DEFAULT 14 CHECK (terms_days BETWEEN 0 AND 365),
    purchase_order text,
    tax_label text,
    tax_percent numeric CHECK (tax_percent >= 0),
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (team_id, id),
    CHECK ((tax_label IS NULL) = (tax_percent IS NULL))
);
CREATE UNIQUE INDEX client_name_taken ON client (team_id, lower(name)) WHERE archived_at IS NULL;

-- What was agreed with a client from a day on. A change is a new row: of the rows that begin on or before a day, the
-- one with the latest beginning counts, and of several with the same beginning the newest.
CREATE TABLE contract (
    team_id uuid NOT NULL,
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    from_date date NOT NULL,
    -- NULL: as the client says.
    markup numeric CHECK (markup >= 0),
    markup_shown boolean,
    discount numeric CHECK (discount BETWEEN 0 AND 100),
    minimum numeric CHECK (minimum >= 0),
    tax_label text,
    tax_percent numeric CHECK (tax_percent >= 0),
    terms_days smallint CHECK (terms_days BETWEEN 0 AND 365),
    purchase_order text,
    -- {from, rate, source, date}, where costs are in another currency than the client's.
    exchange_rate jsonb CHECK (jsonb_typeof(exchange_rate) = 'object'),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, client_id) REFERENCES client (team_id, id),
    CHECK ((tax_label IS NULL) = (tax_percent IS NULL))
);
CREATE INDEX contract_by_client ON contract (team_id, client_id, from_date DESC, id DESC);
SELECT tallystick_append_only('contract');

CREATE TABLE project (
    team_id uuid NOT NULL REFERENCES team (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    client_id uuid,
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, client_id) REFERENCES client (team_id, id)
);
CREATE UNIQUE INDEX project_name_taken ON project (team_id, lower(name)) WHERE archived_at IS NULL;

CREATE TABLE virtual_key (
    team_id uuid NOT NULL REFERENCES team (id),
    id uuid NOT NULL,
    public_part text NOT NULL CHECK (length(public_part) = 12),
    -- What the key begins with, up to and with the public part: shown to people.
    prefix text NOT NULL CHECK (right(prefix, 13) = '_' || public_part),
    -- HMAC-SHA256 of the whole key under the pepper of that version.
    hmac bytea NOT NULL CHECK (length(hmac) = 32),
    pepper_version smallint NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('member', 'project', 'automation', 'temporary')),
    member_id uuid,
    project_id uuid,
    client_id uuid,
    environment text,
    tool text,
    -- Patterns; empty allows everything.
    models text[] NOT NULL DEFAULT '{}',
    providers text[] NOT NULL DEFAULT '{}',
    endpoints text[] NOT NULL DEFAULT '{}',
    ip_ranges text[] NOT NULL DEFAULT '{}',
    may_set_client boolean NOT NULL DEFAULT false,
    may_set_project boolean NOT NULL DEFAULT false,
    requests_per_minute integer CHECK (requests_per_minute > 0),
    tokens_per_minute bigint CHECK (tokens_per_minute > 0),
    parallel_requests integer CHECK (parallel_requests > 0),
    budgets jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(budgets) = 'array'),
    expires_at timestamptz,
    suspended_at timestamptz,
    suspended_by text,
    suspended_reason text,
    revoked_at timestamptz,
    rotated_from uuid,
    -- Set when a successor was made: this key works until then.
    grace_until timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, id),
    CONSTRAINT virtual_key_public_part_taken UNIQUE (public_part),
    FOREIGN KEY (team_id, member_id) REFERENCES member (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id),
    FOREIGN KEY (team_id, client_id) REFERENCES client (team_id, id),
    FOREIGN KEY (team_id, rotated_from) REFERENCES virtual_key (team_id, id),
    CONSTRAINT virtual_key_temporary_expires CHECK (kind <> 'temporary' OR expires_at IS NOT NULL),
    CONSTRAINT virtual_key_automation_is_capped CHECK (kind <> 'automation' OR budgets @> '[{"period": "daily"}]'),
    CHECK ((suspended_at IS NULL) = (suspended_by IS NULL))
);
-- A key that was rotated away, and a revoked one, give their name free.
CREATE UNIQUE INDEX virtual_key_name_taken ON virtual_key (team_id, lower(name))
    WHERE revoked_at IS NULL AND grace_until IS NULL;
CREATE INDEX virtual_key_by_member ON virtual_key (team_id, member_id) WHERE member_id IS NOT NULL;
CREATE UNIQUE INDEX virtual_key_rotated_once ON virtual_key (team_id, rotated_from) WHERE rotated_from IS NOT NULL;

CREATE TABLE provider (
    team_id uuid NOT NULL REFERENCES team (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind text NOT NULL CHECK (kind IN ('openai', 'anthropic', 'gemini', 'openai-compatible')),
    base_url text NOT NULL,
    -- Scheme, host and port of base_url: what the secret is bound to.
    origin text NOT NULL,
    -- AES-256-GCM-SIV; associated data is team, provider and origin.
    secret bytea,
    secret_set_at timestamptz,
    -- The provider under whose name the price book has the models of this account.
    price_name text NOT NULL CHECK (price_name <> ''),
    -- Patterns of the models that are routed here; empty: whatever the price book knows for this provider.
    models text[] NOT NULL DEFAULT '{}',
    -- Whether the address may be private or local. Only the operator sets it.
    private_address boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (team_id, id),
    CHECK ((secret IS NULL) = (secret_set_at IS NULL))
);
CREATE UNIQUE INDEX provider_name_taken ON provider (team_id, name) WHERE archived_at IS NULL;

-- Immutable versions of prices. team_id NULL: for every team of the instance.
CREATE TABLE price_version (
    id uuid PRIMARY KEY,
    team_id uuid REFERENCES team (id),
    provider text NOT NULL,
    model text NOT NULL,
    effective_from timestamptz NOT NULL,
    body jsonb NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX price_version_by_model ON price_version (lower(model), effective_from DESC);
CREATE INDEX price_version_by_team ON price_version (team_id, id);
SELECT tallystick_append_only('price_version');

CREATE TABLE issuer (
    team_id uuid PRIMARY KEY REFERENCES team (id),
    legal_name text NOT NULL,
    address text[] NOT NULL DEFAULT '{}',
    country text CHECK (country ~ '^[A-Z]{2}$'),
    vat_id text,
    registration text,
    email text,
    iban text,
    bic text,
    bank text,
    logo bytea CHECK (length(logo) <= 1048576),
    logo_type text CHECK (logo_type IN ('image/png', 'image/jpeg', 'image/svg+xml')),
    number_format text NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((logo IS NULL) = (logo_type IS NULL))
);

CREATE TABLE api_token (
    team_id uuid NOT NULL REFERENCES team (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    hmac bytea NOT NULL CHECK (length(hmac) = 32),
    pepper_version smallint NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'finance', 'developer', 'oncall')),
    operator boolean NOT NULL DEFAULT false,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (team_id, id),
    CONSTRAINT api_token_hmac_taken UNIQUE (hmac)
);
CREATE UNIQUE INDEX api_token_name_taken ON api_token (team_id, lower(name)) WHERE revoked_at IS NULL;

-- One row. Whoever changes anything takes it last and holds it to the commit, so control_event.seq has no gap and is
-- in the order of the commits.
CREATE TABLE control_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL CHECK (seq >= 0)
);
INSERT INTO control_head (seq) VALUES (0);

CREATE TABLE control_event (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    -- NULL: a change to the whole instance.
    team_id uuid REFERENCES team (id),
    kind text NOT NULL,
    object_id uuid NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb,
    CHECK (before IS NOT NULL OR after IS NOT NULL)
);
CREATE INDEX control_event_by_team ON control_event (team_id, seq DESC);
CREATE INDEX control_event_by_object ON control_event (object_id, seq DESC);
SELECT tallystick_append_only('control_event');

-- Answers to POSTs that carried an Idempotency-Key. The answer is encrypted: it may show a new secret.
CREATE TABLE idempotency_key (
    team_id uuid NOT NULL REFERENCES team (id),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 over token, method, path and body.
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    status smallint,
    response bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, key),
    CHECK ((status IS NULL) = (response IS NULL))
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);

-- The lives of each spool. The epoch moves by compare-and-set, so a copied spool is noticed.
CREATE TABLE producer_epoch (
    producer_id uuid PRIMARY KEY,
    epoch integer NOT NULL CHECK (epoch > 0),
    -- The start that moved it last; asked again, it gets the same answer.
    boot_id uuid NOT NULL,
    moved_at timestamptz NOT NULL
);
