-- The inbox: usage from elsewhere and corrections, numbered and kept until a relay has appended them to the log.

-- One row: the identity that the inbox has as a producer. Whoever puts something in takes it first and holds it to the
-- commit, so numbers are dense per lane and become visible in their order, and one id is never judged by two at once.
CREATE TABLE inbox_head (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    producer_id uuid    NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO inbox_head DEFAULT VALUES;

CREATE TABLE inbox_lane (
    lane        smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 63),
    -- The last number given out, and the last one that the log acknowledged.
    last_seq    bigint   NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    shipped_seq bigint   NOT NULL DEFAULT 0 CHECK (shipped_seq BETWEEN 0 AND last_seq)
);
INSERT INTO inbox_lane (lane) SELECT * FROM generate_series(0, 63);

-- Which process ships. A lease only spares double work: what is appended twice is folded once.
CREATE TABLE inbox_relay (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    owner       uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO inbox_relay DEFAULT VALUES;

CREATE TABLE inbox (
    event_id     uuid        NOT NULL PRIMARY KEY,
    -- NULL: a statement of the inbox itself.
    team_id      uuid        REFERENCES team (id),
    lane         smallint    NOT NULL REFERENCES inbox_lane,
    seq          bigint      NOT NULL CHECK (seq > 0),
    -- SHA-256 over what was sent: the same id with another content is a conflict.
    content_hash bytea       NOT NULL CHECK (octet_length(content_hash) = 32),
    recorded_at  timestamptz NOT NULL,
    -- The event without its number, as it waits for the log.
    frame        bytea       NOT NULL,
    UNIQUE (lane, seq)
);
SELECT tallystick_append_only('inbox');
