-- SPDX-License-Identifier: Apache-2.0
-- Requests for erasure by their names.  Run by store_create() after schema 1, and by store_open()
-- on a database of schema 1; both in one transaction.

-- What became of a request: tag = HMAC(tag key, request_id).  Nothing says whom it is about but
-- the commitment of one that is held, for which nobody has a salt once its pepper is gone.
CREATE TABLE request (
    tag BLOB PRIMARY KEY CHECK (length(tag) = 32),
    received INTEGER NOT NULL, -- Unix seconds, as are due and answered
    due INTEGER NOT NULL CHECK (due > received),
    answered INTEGER NOT NULL, -- last; a row is deleted 400 days later
    status TEXT NOT NULL CHECK (status IN ('erased', 'not_held', 'held')),
    regulation TEXT NOT NULL CHECK (length(regulation) BETWEEN 1 AND 15),
    n INTEGER REFERENCES entry (n),
    pepper INTEGER CHECK (pepper > 0),
    commitment BLOB CHECK (length(commitment) = 32),
    CHECK ((status = 'held') = (n IS NULL)),
    CHECK ((status = 'held') = (pepper IS NOT NULL)),
    CHECK ((status = 'held') = (commitment IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX request_by_age ON request (answered);

UPDATE meta SET value = x'0200000000000000' WHERE name = 'schema';
