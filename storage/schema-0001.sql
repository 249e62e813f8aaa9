-- SPDX-License-Identifier: Apache-2.0
-- The database: what is personal lies in slots, sealed; the rest is public or a number.
-- The CHECKs and triggers state the invariants; munkeyd never relies on them failing.
-- store_create() runs this and what follows it, sets the slot size and commits.

BEGIN;

-- Small facts, each of a size that never changes, so that they are overwritten in place.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 7),
    name TEXT NOT NULL UNIQUE,
    value BLOB NOT NULL,
    CHECK (length(value) = CASE name
        WHEN 'schema' THEN 8        -- u64le, 1
        WHEN 'slot_size' THEN 8     -- u64le
        WHEN 'origin' THEN 256      -- the log's name, padded with zeros
        WHEN 'encoder' THEN 32      -- SHA-256: a memory belongs to one encoder
        WHEN 'state' THEN 2048      -- LtHash16 of all live instances; secret
        WHEN 'pending' THEN 16      -- ref whose restriction is being lifted, or zeros
        WHEN 'import' THEN 40       -- SHA-256 of the last import's input, next row u64le
        ELSE 0 END)
) STRICT;
INSERT INTO meta (id, name, value) VALUES
    (1, 'schema', x'0100000000000000'),
    (2, 'slot_size', zeroblob(8)),
    (3, 'origin', zeroblob(256)),
    (4, 'encoder', zeroblob(32)),
    (5, 'state', zeroblob(2048)),
    (6, 'pending', zeroblob(16)),
    (7, 'import', zeroblob(40));

-- Personal data at rest.  A row is overwritten in place for ever: a deleted or moved cell
-- would leave its bytes in the gaps of the page, which secure_delete does not zero.
CREATE TABLE slot (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    body BLOB NOT NULL CHECK (length(body) BETWEEN 256 AND 65536) -- zeros: free
) STRICT;
CREATE TRIGGER slot_stays BEFORE DELETE ON slot
BEGIN
    SELECT RAISE(ABORT, 'a slot is never deleted');
END;
CREATE TRIGGER slot_is_written_in_place BEFORE UPDATE ON slot
BEGIN
    SELECT RAISE(ABORT, 'a slot is written in place');
END;

-- The audit log: canonical entries, and the receipt's signature where there is a receipt.
CREATE TABLE entry (
    n INTEGER PRIMARY KEY CHECK (n >= 0),
    bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 2 AND 65535),
    kid TEXT CHECK (length(kid) = 43), -- RFC 7638 thumbprint of the receipt key
    sig BLOB CHECK (length(sig) = 64),
    CHECK ((kid IS NULL) = (sig IS NULL))
) STRICT;
CREATE TRIGGER entry_follows_entry BEFORE INSERT ON entry
WHEN NEW.n <> (SELECT coalesce(max(n) + 1, 0) FROM entry)
BEGIN
    SELECT RAISE(ABORT, 'log entries have no gaps');
END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry
BEGIN
    SELECT RAISE(ABORT, 'a log entry is never deleted');
END;
CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'a log entry is never changed');
END;

-- RFC 6962 tree over the entries: complete nodes only.
CREATE TABLE node (
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 62),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- Idempotency keys: tag = HMAC(tag key, key), honoured while its pepper lives.
CREATE TABLE idem (
    tag BLOB PRIMARY KEY CHECK (length(tag) = 32),
    n INTEGER NOT NULL REFERENCES entry (n),
    act TEXT NOT NULL CHECK (act IN ('erase', 'restrict', 'unrestrict')),
    pepper INTEGER NOT NULL CHECK (pepper > 0) -- Unix seconds: when it was made
) STRICT, WITHOUT ROWID;
