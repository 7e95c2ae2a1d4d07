-- The guard that keeps append-only tables append-only. A later migration attaches it with
--     SELECT tallystick_append_only('table_name');
-- It stops the owner and a superuser alike; the way around it (dropping the trigger) is an act, not a slip.

CREATE FUNCTION tallystick_forbid_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only: % is not allowed', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'corrections are new rows that name what they correct';
END
$$;

-- Row triggers are cloned to every partition, present and future; a TRUNCATE trigger is not, so call this
-- for each partition too: there it adds only the TRUNCATE trigger.
CREATE FUNCTION tallystick_append_only(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT relispartition FROM pg_class WHERE oid = target) THEN
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE ON %s
             FOR EACH ROW EXECUTE FUNCTION tallystick_forbid_change()', target);
    END IF;
    EXECUTE format(
        'CREATE TRIGGER forbid_truncate BEFORE TRUNCATE ON %s
         FOR EACH STATEMENT EXECUTE FUNCTION tallystick_forbid_change()', target);
END
$$;
