#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The operator's log: a record of each request, in three forms, whatever is sent.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
trace=4bf92f3577b34da6a3ce929d0e0e4736
uuid='[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

# What was logged since the last call, in $work/said.  A record is there before its reply.
said() {
    tail -n +$((${told:-0} + 1)) "$work/logs.log" >"$work/said"
    told=$(wc -l <"$work/logs.log")
}

# Things that would break a line, or make one, if they got into it.
nasty() {
    api GET /subjects/mallory%0d%0amunkeyd:%20forged%0a
    api GET "/subjects/%c2%85%e2%80%a8mallory"
    api DELETE /subjects/%ff%fe
    api GET "/mallory%0a/%1b%5b31m"
    api GET /subjects/a -H "$(printf 'Idempotency-Key: mallory\033[31m\001')"
    api GET /subjects/a -H "$(printf 'X-Mallory: \377\376\010')"
    api GET /subjects/a -H "$(printf 'traceparent: 00-\033]0;mallory\007')"
    api "MALLORY" /subjects/a
    api GET "/predict?mallory=%0a"
    api POST /erasures -H 'Content-Type: application/json' \
        --data-binary '{"subject":{"value":"mallory\nmunkeyd: forged"},"request_id":"mallory"}'
    api POST /predict -H "$(printf 'Content-Type: mallory\377/x')" --data-binary mallory
}
nasty_requests=11

# Every line is one record, made of nothing but our own words and numbers.
only_records() {
    ! grep -avxE "munkeyd: (GET|POST|PUT|DELETE|unknown) (/[a-z{}_./]*|unknown) [0-9]{3} in [0-9.]+ ms, request $uuid, trace [0-9a-f]{32}-[0-9a-f]{16}(, log index [0-9]+)?" "$work/said"
}

# members FILTER: of the records in $work/said, one a line, but for that of the proxy.
members() {
    jq -c 'select(.route and .route != "/openapi.json") | '"$1" "$work/said"
}

ctl init logs --origin example.org/logs >/dev/null || bail_out "no state folder"
start logs
said
nasty >/dev/null 2>&1
said
check "no request breaks a line of text" only_records
check "each is one line" [ "$(wc -l <"$work/said")" = $nasty_requests ]
check "nothing that was sent is in them" refused grep -aqi mallory "$work/said"

api GET /memory/digest -H "traceparent: 00-$trace-00f067aa0ba902b7-01" >/dev/null
said
check "a trace is taken up, with a span of our own" \
    grep -qE "GET /memory/digest 200 .*, trace $trace-[0-9a-f]{16}$" "$work/said"
check "... which is not the caller's" refused grep -q 00f067aa0ba902b7 "$work/said"
api GET /memory/digest -H "traceparent: 00-$trace-0000000000000000-01" >/dev/null
api GET /memory/digest -H "traceparent: 00-$trace-00f067aa0ba902b7-01" \
    -H "traceparent: 00-$trace-00f067aa0ba902b7-01" >"$work/twice"
said
check "one that is not as specified, or is there twice, is not" refused grep -q $trace "$work/said"
check "and is no reason to refuse" [ "$(jq -r .n "$work/twice")" = 0 ]
check "munkeyd ends" stop

start logs --log json
told=0
nasty >/dev/null 2>&1
api GET /healthz -D "$work/headers" -o /dev/null
pixels 0 1 | api POST "/subjects/alice/instances?label=1" -H 'Content-Type: application/octet-stream' \
    --data-binary @- >/dev/null
api DELETE /subjects/alice >"$work/erased"
said
check "no request breaks a line of JSON" jq -es 'map(type) | unique == ["object"]' "$work/said"
check "each is one object, between sentences" \
    [ "$(members .route | wc -l)" = $((nasty_requests + 3)) ]
check "nothing that was sent is in them, either" refused grep -aqiE 'mallory|alice' "$work/said"
check "a record has its reply's id" \
    [ "$(members 'select(.route == "/healthz") | .request_id')" = \
    "\"$(sed -n 's/^X-Request-Id: //p' "$work/headers" | tr -d '\r')\"" ]
check "that of an erasure has the index of its entry" \
    [ "$(members 'select(.method == "DELETE" and .status == 200) | [.route, .log_index]')" = \
    "[\"/subjects/{id}\",$(jq -r .receipt_id "$work/erased")]" ]
check "a time is a number of seconds" \
    [ "$(members 'select(.method == "DELETE" and .status == 200) | .duration_seconds > 0 and .duration_seconds < 60')" = true ]
check "it ends" stop
said
check "sentences are JSON, too" \
    [ "$(jq -r 'select(.message | startswith("stopping")) | .level' "$work/said")" = info ]

start logs --log-requests false
told=0
api GET /healthz >/dev/null
said
check "records can be left out" refused grep -q healthz "$work/said"
check "sentences stay" grep -q '^munkeyd: listening on' "$work/said"
check "it ends again" stop
not_a_form() {
    "$build/munkeyd" --config /dev/null --log xml >"$work/said" 2>&1
    [ $? -eq 78 ] && grep -q 'has to be auto, journal, json or text' "$work/said"
}
check "another form is refused, and what there is named" not_a_form

# With systemd's own journal: a journald of ours, in a namespace where /run is another.  Standard error
# leads to it, so that `auto` finds it.
start_journald() {
    [ "$(id -u)" -eq 0 ] && [ -x /lib/systemd/systemd-journald ] || return 1
    unshare --mount sh -c 'mount -t tmpfs none /run &&
        mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal &&
        printf "[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\n" >/run/systemd/journald.conf.d/test.conf &&
        exec /lib/systemd/systemd-journald' >"$work/journald.log" 2>&1 &
    journald=$!
    for _ in $(seq 50); do
        kill -0 $journald 2>/dev/null || return 1
        beside_journald test -S /run/systemd/journal/socket && return
        sleep 0.1
    done
    return 1
}

beside_journald() {
    nsenter --mount --target $journald "$@"
}

# systemd tells what it starts where standard error leads; systemd-cat of version 252 does not.
start_in_journal() {
    nsenter --mount --target $journald systemd-cat --identifier=other sh -c '
        JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"' munkeyd "$build/munkeyd" \
        --config /dev/null --model "$model" --state "$work/logs" --port 0 &
    pid=$! port= # not of a subshell
    for _ in $(seq 100); do
        port=$(beside_journald journalctl -t munkeyd -o cat | sed -n 's/^listening on 127.0.0.1 port //p')
        [ -n "$port" ] && break
        sleep 0.1
    done
    url=http://127.0.0.1:$port
    [ -n "$port" ]
}

if start_journald; then
    trap 'clean_up; kill $journald' EXIT
    check "munkeyd finds systemd's journal" start_in_journal
    nasty >/dev/null 2>&1
    api DELETE /subjects/nobody -H "traceparent: 00-$trace-00f067aa0ba902b7-01" >"$work/erased"
    check "it ends there, too" stop
    beside_journald journalctl --sync
    beside_journald journalctl -t munkeyd -o json >"$work/said"
    beside_journald journalctl -t other -o cat >"$work/other"
    check "every request has a record in the journal" \
        [ "$(jq -s 'map(select(.MUNKEYD_ROUTE)) | length' "$work/said")" = $((nasty_requests + 1)) ]
    check "that of an erasure has all its fields" \
        [ "$(jq -c 'select(.MUNKEYD_METHOD == "DELETE" and .MUNKEYD_LOG_INDEX) | [.MUNKEYD_METHOD, .MUNKEYD_ROUTE, .MUNKEYD_STATUS,
            .MUNKEYD_TRACE_ID, .MUNKEYD_LOG_INDEX, .PRIORITY, ._TRANSPORT]' "$work/said")" = \
        "[\"DELETE\",\"/subjects/{id}\",\"200\",\"$trace\",\"$(jq -r .receipt_id "$work/erased")\",\"6\",\"journal\"]" ]
    check "they can be asked for by field" \
        [ "$(beside_journald journalctl -o cat MUNKEYD_METHOD=DELETE MUNKEYD_STATUS=200 | wc -l)" = 1 ]
    check "nothing that was sent is in the journal" refused grep -aqiE 'mallory|nobody' "$work/said"
    check "no line goes around it" [ ! -s "$work/other" ]
else
    ok "munkeyd finds systemd's journal # SKIP no journald can be started: not root, or no namespaces"
fi
finish
