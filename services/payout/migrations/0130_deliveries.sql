-- migrate:up

-- What goes to a provider's SFTP server, one row per file; the intention is here before the first byte leaves. `manifest`: names the others
-- with their hashes, and comes last.
CREATE TABLE delivery (
    path         text    PRIMARY KEY,          -- as in `file`, or <folder>/MANIFEST.json
    folder       text    NOT NULL,             -- what is complete together
    provider     text    NOT NULL,
    manifest     boolean NOT NULL,
    sha256       text    NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size         integer NOT NULL CHECK (size >= 0),
    state        text    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'unknown', 'delivered', 'conflict')),
    attempts     integer NOT NULL DEFAULT 0,
    trouble      text,                         -- why the last attempt did not settle it
    planned_at   timestamptz NOT NULL,
    next_try_at  timestamptz NOT NULL,
    settled_at   timestamptz,
    CHECK ((state IN ('delivered', 'conflict')) = (settled_at IS NOT NULL))
);
-- Guarantee: a folder has one manifest.
CREATE UNIQUE INDEX delivery_one_manifest ON delivery (folder) WHERE manifest;
CREATE INDEX delivery_open ON delivery (folder) WHERE settled_at IS NULL;

-- Guarantee: what is delivered never changes; what is on its way is unknown until the remote side was looked at, and only then tried
-- again; a manifest leaves when everything it names is there.
CREATE FUNCTION delivery_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.path, NEW.folder, NEW.provider, NEW.manifest, NEW.sha256, NEW.size, NEW.planned_at)
       IS DISTINCT FROM (OLD.path, OLD.folder, OLD.provider, OLD.manifest, OLD.sha256, OLD.size, OLD.planned_at) THEN
        RAISE EXCEPTION 'what is to be delivered never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('waiting', 'sending'), ('waiting', 'conflict'), ('sending', 'unknown'), ('sending', 'delivered'), ('sending', 'conflict'),
        ('unknown', 'waiting'), ('unknown', 'delivered'), ('unknown', 'conflict')) THEN
        RAISE EXCEPTION 'a delivery does not move like this' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'sending' AND NEW.manifest AND EXISTS (
        SELECT FROM delivery d WHERE d.folder = NEW.folder AND NOT d.manifest AND d.state <> 'delivered') THEN
        RAISE EXCEPTION 'a manifest comes last' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delivery_guard BEFORE UPDATE ON delivery FOR EACH ROW EXECUTE FUNCTION delivery_guard();
CREATE TRIGGER delivery_never_removed BEFORE DELETE ON delivery FOR EACH ROW EXECUTE FUNCTION append_only();

-- migrate:down
DROP TABLE delivery;
DROP FUNCTION delivery_guard();
