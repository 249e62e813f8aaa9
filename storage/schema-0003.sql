-- SPDX-License-Identifier: Apache-2.0
-- Callbacks that wait to be sent.  Run by store_create() after schema 2, and by store_open() on a
-- database of an earlier schema; each in a transaction.

-- An URL or a request's name may say more than it should.  So a row is sealed, and like a slot it is
-- overwritten in place for ever (storage/callback.h says with what).
CREATE TABLE callback (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    body BLOB NOT NULL CHECK (length(body) = 1024) -- zeros: free
) STRICT;
CREATE TRIGGER callback_stays BEFORE DELETE ON callback
BEGIN
    SELECT RAISE(ABORT, 'a callback is never deleted');
END;
CREATE TRIGGER callback_is_written_in_place BEFORE UPDATE ON callback
BEGIN
    SELECT RAISE(ABORT, 'a callback is written in place');
END;

UPDATE meta SET value = x'0300000000000000' WHERE name = 'schema';
