#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Told to stop, munkeyd answers what was asked, whatever signal comes meanwhile.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
requests=12

answered() {
    [ "$(cat "$work"/reply.* | jq -s 'map(.predictions | length) | add')" = $((requests * 250)) ]
}

rows 30000 1000 10 >"$work/rows.csv"
make_state shop "$work/rows.csv"
batch 0 250 >"$work/batch"
direct=yes # a proxy would take requests that have no connection to the daemon yet
start shop
direct=
for i in $(seq $requests); do
    api POST /predict -H 'Content-Type: application/json' --data-binary "@$work/batch" \
        >"$work/reply.$i" &
    clients="${clients-} $!"
done
sleep 0.5
kill "$pid"
check "it does not end while requests wait" kill -0 "$pid"
for signal in HUP TERM INT; do
    sleep 0.1
    kill -s $signal "$pid"
done
# shellcheck disable=SC2086 # a list of numbers
check "every client is served" wait $clients
check "every request is answered in full" answered
check "munkeyd ends cleanly" wait "$pid"
pid=
start shop
check "the memory is as it was" [ "$(api GET /memory/digest | jq .n)" = 1000 ]
check "it ends cleanly when nobody waits" stop
finish
