-- The event log in PostgreSQL: one row per appended block of records (framed and compressed by the eventlog crate).
-- An offset is the position of one record in its partition: dense, given under the lock on the partition's head row.

CREATE TABLE log_head (
    partition integer PRIMARY KEY CHECK (partition >= 0),
    -- the offset that the next record will get
    next_offset bigint NOT NULL CHECK (next_offset >= 0)
) WITH (fillfactor = 50);

INSERT INTO log_head (partition, next_offset) VALUES (0, 0);

CREATE TABLE log_block (
    partition integer NOT NULL REFERENCES log_head (partition),
    first_offset bigint NOT NULL CHECK (first_offset >= 0),
    count integer NOT NULL CHECK (count > 0),
    -- 1: frames of version 1 in a zstd frame with checksum
    codec smallint NOT NULL,
    -- size of the frames before compression, in bytes
    raw_bytes integer NOT NULL CHECK (raw_bytes > 0),
    body bytea NOT NULL,
    appended_at timestamptz NOT NULL,
    PRIMARY KEY (partition, first_offset)
);

-- The body is compressed already.
ALTER TABLE log_block ALTER COLUMN body SET STORAGE EXTERNAL;

-- Append-only, with one exception: log_trim below, which says so in a setting of its own transaction.
CREATE FUNCTION log_block_forbid_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('tallystick.log_trim', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the event log is append-only: % is not allowed', TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE ON log_block
FOR EACH ROW EXECUTE FUNCTION log_block_forbid_change();

CREATE TRIGGER forbid_truncate BEFORE TRUNCATE ON log_block
FOR EACH STATEMENT EXECUTE FUNCTION log_block_forbid_change();

-- Offsets only ever go forward.
CREATE FUNCTION log_head_forbid_return() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.partition = OLD.partition AND NEW.next_offset >= OLD.next_offset THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the head of a partition of the event log only moves forward'
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER forbid_return BEFORE UPDATE OR DELETE ON log_head
FOR EACH ROW EXECUTE FUNCTION log_head_forbid_return();

-- Removes the blocks that lie wholly below an offset; gives the number of blocks removed. A reader that asks for what
-- was removed is told so, it is never given a later record in its place.
CREATE FUNCTION log_trim(trim_partition integer, keep_from bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM set_config('tallystick.log_trim', 'on', true);
    DELETE FROM log_block
    WHERE partition = trim_partition
      AND first_offset + count <= keep_from;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('tallystick.log_trim', 'off', true);
    RETURN removed;
END
$$;
