#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups while serving, and the way back: whoever was erased since yesterday stays erased, and
# the log goes on.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
command -v sqlite3 >/dev/null || skip_all "there is no sqlite3 here"

# ends_with STATUS SENTENCE COMMAND...
ends_with() {
    want=$1 sentence=$2
    shift 2
    "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    [ $got -eq "$want" ] && grep -qF -- "$sentence" "$work/said" ||
        { echo "status $got, not $want, or not: $sentence"; return 1; }
}

munkeyd() {
    "$build/munkeyd" --config /dev/null --model "$model" --state "$work/shop" --port 0
}

unattended() {
    ctl restore shop "$@" </dev/null
}

# load: predicts, enrols and erases until the file `enough` is there; one status a line.
load() {
    i=0
    until [ -e "$work/enough" ]; do
        i=$((i + 1))
        status_of POST /predict -H 'Content-Type: application/octet-stream' --data-binary "@$work/image"
        echo
        status_of POST "/subjects/guest-$i/instances?label=3" \
            -H 'Content-Type: application/octet-stream' --data-binary "@$work/image"
        echo
        status_of DELETE "/subjects/seller-$(printf %03d $((100 + i % 50)))"
        echo
    done >"$work/statuses"
}

# Until much has happened, and at least six backups were made.
busy_backups() {
    : >"$work/statuses"
    load &
    loader=$! backups=0
    while [ $backups -lt 6 ] || [ "$(wc -l <"$work/statuses")" -lt 30 ]; do
        backups=$((backups + 1))
        ctl backup shop "$work/busy-$backups.db" || break
    done
    touch "$work/enough"
    wait $loader
    [ -e "$work/busy-$backups.db" ]
}

is_sound() {
    [ "$(sqlite3 "$1" 'PRAGMA integrity_check; PRAGMA journal_mode')" = "ok
delete" ]
}

all_sound() {
    for file in "$work"/busy-*.db; do
        is_sound "$file" || return
    done
}

pixels 0 1 >"$work/image"
rows 30000 4000 200 >"$work/rows.csv"
make_state shop "$work/rows.csv"
check "without a daemon there is no backup" ends_with 1 'no munkeyd runs' ctl backup shop "$work/none.db"
start shop
check "backups are made while people are enrolled and erased" busy_backups
check "nobody was refused meanwhile" [ "$(sort -u "$work/statuses" | tr '\n' ' ')" = '200 201 ' ]
check "each of them is a sound database in one file" all_sound
check "nobody else can read them" [ "$(stat -c %a "$work/busy-1.db")" = 600 ]
check "a file that is there is not written over" \
    ends_with 78 'of this name already' ctl backup shop "$work/busy-1.db"
check "a file that cannot be made is refused" \
    ends_with 78 "munkeyd's own user" ctl backup shop /proc/backup.db
(cd "$work" && "$build/munkeyctl" backup --config /dev/null --state "$work/shop" yesterday.db)
check "a relative name is of the folder where munkeyctl runs" is_sound "$work/yesterday.db"
check "a restore is refused while the daemon runs" ends_with 78 'stop munkeyd' unattended "$work/yesterday.db"

api GET /log/checkpoint >"$work/seen"
api GET /log/vkey >"$work/vkey"
api GET /.well-known/jwks.json >"$work/jwks"
api DELETE /subjects/seller-017 -H 'Idempotency-Key: erase-17' >"$work/erasure"
api POST '/subjects/late/instances?label=3' -H 'Content-Type: application/octet-stream' \
    --data-binary "@$work/image" >/dev/null
check "somebody is erased after the backup" [ "$(jq .erased "$work/erasure")" = 20 ]
check "the daemon ends cleanly" stop

cp "$work/shop/munkeyd.db" "$work/newest.db"
cp "$work/yesterday.db" "$work/shop/munkeyd.db"
check "yesterday's database by hand is refused, and the way back named" \
    ends_with 78 'munkeyctl restore' munkeyd
cp "$work/newest.db" "$work/shop/munkeyd.db"
check "a restore says what it would lose, and asks" \
    ends_with 78 'Lost for good: 1 instances.  Of 1 subjects nothing is left.' unattended "$work/yesterday.db"
check "without an answer nothing has changed" cmp "$work/newest.db" "$work/shop/munkeyd.db"
check "it says how many stay erased" \
    ends_with 0 '20 more were erased since, and stay erased' unattended --yes "$work/yesterday.db"
check "nothing of it is left over" [ ! -e "$work/shop/restore" -a ! -e "$work/shop/aside" ]

start shop
check "who was erased is still gone" [ "$(status_of GET /subjects/seller-017)" = 404 ]
check "the others are back" [ "$(api GET /subjects/seller-018 | jq .total)" = 20 ]
check "who came later is lost, as was said" [ "$(status_of GET /subjects/late)" = 404 ]
api GET /log/checkpoint >"$work/now"
check "the receipt of the erasure verifies" \
    "$build/munkeyctl" verify --jwks "$work/jwks" --vkey "$work/vkey" "$work/erasure"
check "a new request finds nobody" [ "$(api DELETE /subjects/seller-017 | jq -r .status)" = not_held ]
check "the daemon ends cleanly after all" stop
for checkpoint in seen now; do
    check "the log continues the checkpoint that was $checkpoint" \
        "$build/munkeyctl" log verify "$work/shop/log" --vkey "$work/vkey" --jwks "$work/jwks" \
        --seen "$work/$checkpoint"
done
check "a backup made under load can be restored as well" unattended --yes "$work/busy-3.db"
start shop
check "and still nobody who was erased is back" [ "$(status_of GET /subjects/seller-017)" = 404 ]
check "the daemon ends cleanly at last" stop
finish
