#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an operation does to the disk, call by call, is the order of docs/LEDGER.md: whatever a
# power cut leaves of it can be completed or was never promised.
. "${top_srcdir:-.}/tests/tap.sh"
step=${top_builddir:-.}/tests/step
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
command -v strace >/dev/null || skip_all "there is no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace is not permitted here"

# calls OPERATION: one "FILE CALL" a line between the start's checkpoint and the operation's, equal
# neighbours once; writes of nothing but zeros are `zeros`.
calls() {
    strace -f -y -qq -s 64 -o "$work/trace" \
        -e trace=pwrite64,write,fsync,fdatasync,ftruncate,renameat "$step" "$work/state" "$1" >"$work/said" &&
        sed -nE 's|^[0-9]+ +([a-z0-9]+)\([0-9]+<'"$work"'/state/?([^>]*)>(.*)|\1 \2 \3|p' "$work/trace" |
        awk '{ call = $1 ~ /write/ ? ($0 ~ /, "(\\0)+"/ ? "zeros" : "write") : $1 ~ /sync/ ? "sync" : $1
               file = $2 ~ /^[,)]/ ? "folder" : $2
               line = file " " call }
            started == 1 && line != last { print last = line }
            line == "log sync" { started++ }'
}

check "a folder is made" "$step" "$work/state" init
cat >"$work/enroll" <<'END'
keys/keyring write
keys/keyring sync
munkeyd.db-wal write
munkeyd.db-wal sync
log/entries write
log/entries sync
log/checkpoint.new write
log/checkpoint.new sync
log renameat
log sync
END
calls enroll >"$work/enrolled"
check "an enrolment: the data key before what it seals, the ledger before the checkpoint" \
    diff "$work/enroll" "$work/enrolled"
# The keyring first: the month's pepper, from which salts are made.
cat >"$work/forget" <<'END'
keys/keyring write
keys/keyring sync
munkeyd.db-wal write
munkeyd.db-wal sync
log/tombstones write
log/tombstones sync
log/entries write
log/entries sync
keys/keyring zeros
keys/keyring sync
munkeyd.db-wal sync
munkeyd.db write
munkeyd.db ftruncate
munkeyd.db sync
munkeyd.db-wal zeros
munkeyd.db-wal sync
munkeyd.db-wal zeros
munkeyd.db-wal sync
munkeyd.db-wal ftruncate
munkeyd.db-wal sync
folder sync
log/checkpoint.new write
log/checkpoint.new sync
log renameat
log sync
END
calls forget >"$work/forgotten"
check "an erasure: commit, tombstone, entry, data key, database, log of writes, checkpoint" \
    diff "$work/forget" "$work/forgotten"
# What is delivered is overwritten, and its old bytes are gone from the log of writes, too.  The last
# three lines are the closing's, which has nothing left to zero.
cat >"$work/deliver" <<'END'
munkeyd.db-wal write
munkeyd.db-wal sync
munkeyd.db write
munkeyd.db ftruncate
munkeyd.db sync
munkeyd.db-wal zeros
munkeyd.db-wal sync
munkeyd.db-wal zeros
munkeyd.db-wal sync
munkeyd.db-wal ftruncate
munkeyd.db-wal sync
folder sync
munkeyd.db-wal ftruncate
munkeyd.db-wal sync
folder sync
END
rm -rf "$work/state"
check "another folder is made" sh -c "'$step' '$work/state' init && '$step' '$work/state' enroll"
calls tell >"$work/told"
check "an erasure with callbacks is the same" diff "$work/forget" "$work/told"
calls deliver >"$work/delivered"
check "a callback that is delivered: commit, database, log of writes" \
    diff "$work/deliver" "$work/delivered"
finish
