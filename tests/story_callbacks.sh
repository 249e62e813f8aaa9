#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Callbacks: signed so that a receiver's own library takes them, repeated until they are taken or
# given up, lost by no kill -9 and no restore, and never about whom.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
command -v python3 >/dev/null || skip_all "there is no python3 here"
json='Content-Type: application/json'
receivers=

clean_up() {
    [ -z "$receivers" ] || kill $receivers 2>/dev/null
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
    rm -rf "$work"
}

# receive FOLDER [PORT [CERTIFICATE KEY]]: $door, the port where it listens.
receive() {
    mkdir -p "$work/$1" && rm -f "$work/$1/port"
    folder=$1
    shift
    python3 "$source/tests/receiver.py" "$work/$folder" "$@" &
    receiver=$! receivers="$receivers $!"
    until_there "$work/$folder/port" || bail_out "no receiver"
    door=$(cat "$work/$folder/port")
}

dismiss() {
    kill "$receiver" && wait "$receiver" 2>/dev/null
}

# Within half a minute.
until_there() {
    for _ in $(seq 300); do
        [ -e "$1" ] && return
        sleep 0.1
    done
    echo "not there: $1"
    return 1
}

waiting() {
    ctl status shop | jq .callbacks
}

until_waiting() {
    for _ in $(seq 300); do
        [ "$(waiting)" = "$1" ] && return
        sleep 0.1
    done
    echo "$(waiting) wait, not $1"
    return 1
}

# start_measured ARGUMENTS...: with /metrics, of which measured NAME is a sample's value.
start_measured() {
    start shop --callback-allow "$allow" --metrics-address 127.0.0.1 --metrics-port 0 "$@"
    metrics=http://127.0.0.1:$(sed -n 's/.*metrics on 127.0.0.1 port \([0-9]*\).*/\1/p' "$work/shop.log" | tail -n 1)
}

measured() {
    curl -sS "$metrics/metrics" | awk -v name="munkeyd_callbacks_$1" '$1 == name { print $2 }'
}

# erase NAME SUBJECT URL...: the reply in $work/NAME.reply; prints the status.
erase() {
    name=$1 subject=$2
    shift 2
    jq -nc --arg name "$name" --arg subject "$subject" \
        '{subject: {value: $subject}, request_id: $name, callback_urls: $ARGS.positional}' --args "$@" |
        api POST /erasures -H "$json" --data-binary @- -o "$work/$name.reply" -w '%{http_code}'
}

# letters FOLDER NAME: the files of those about this request, in order.
letters() {
    cat "$work/$1"/*.json 2>/dev/null | jq -r --arg name "$2" \
        'select((.body | fromjson? | .data.request_id) == $name) | .file'
}

# got FOLDER NAME N: so many letters about this request, within half a minute.
got() {
    for _ in $(seq 100); do
        [ "$(letters "$1" "$2" | wc -l)" -ge "$3" ] && break
        sleep 0.3
    done
    [ "$(letters "$1" "$2" | wc -l)" -eq "$3" ] || { letters "$1" "$2"; return 1; }
}

# first FOLDER NAME: the first of them that came to $hooks.
first() {
    letters "$1" "$2" | xargs grep -l '"/hooks/' | head -n 1
}

ids() {
    letters "$1" "$2" | xargs jq -r '.headers["webhook-id"]' | sort -u
}

says() {
    [ "$(first "$1" "$2" | xargs jq -c ".body | fromjson | $3")" = "$4" ] ||
        { first "$1" "$2" | xargs cat; return 1; }
}

secret() {
    ctl callbacks shop --callback-allow "$allow" | sed -n "s|^$1 ||p"
}

# By openssl, which knows nothing of webhooks: HMAC-SHA256 of "id.timestamp.body".
signed() {
    key=$(echo "${2#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    jq -j '"\(.headers["webhook-id"]).\(.headers["webhook-timestamp"]).\(.body)"' "$1" |
        openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 >"$work/mac"
    [ "v1,$(cat "$work/mac")" = "$(jq -r '.headers["webhook-signature"]' "$1")" ]
}

refused_with() {
    name=$1 sentence=$2
    shift 2
    [ "$(erase "$name" "$@")" = 422 ] && jq -r .detail "$work/$name.reply" | grep -F -- "$sentence" ||
        { cat "$work/$name.reply"; return 1; }
}

rows 0 200 20 >"$work/rows.csv"
make_state shop "$work/rows.csv"
receive got
hooks=http://127.0.0.1:$door/hooks/ other=http://127.0.0.1:$door/other/
allow="$hooks $other"

# ---- what is refused ----

start shop
check "without callback_allow none is allowed" refused_with off callback_allow seller-001 "${hooks}ok"
check "the daemon ends cleanly" stop
check "a prefix without a path, which other hosts might begin with, is refused at the start" \
    refused timeout 20 "$build/munkeyd" --config /dev/null --model "$model" --state "$work/shop" --port 0 \
    --callback-allow https://example.org

start shop --callback-allow "$allow"
check "another host is refused" refused_with host callback_allow seller-001 http://127.0.0.1:1/hooks/
check "https is not http" refused_with plain callback_allow seller-001 "https://127.0.0.1:$door/hooks/"
check "a user in the URL is refused" refused_with user "a user" seller-001 "http://a:b@127.0.0.1:$door/hooks/"
check "a way out of the prefix is refused" refused_with out segment seller-001 "${hooks}../admin"
check "and one that is percent-encoded" refused_with out segment seller-001 "${hooks}%2e%2E/admin"
check "a URL that is too long is refused" \
    refused_with long "512 is the limit" seller-001 "$hooks$(printf '%0600d' 0)"
check "a subject in the URL is refused" refused_with raw "the subject" seller-001 "${hooks}ok?seller-001"
check "and one that is percent-encoded" \
    refused_with encoded "the subject" seller-001 "${hooks}ok?s%65ller%2D001"
check "and one with a plus for its space" refused_with plus "the subject" "Ann Lee" "${hooks}ok?n=Ann+Lee"
check "and one in the request_id" refused_with seller-001-now "the subject" seller-001 "${hooks}ok"
check "five URLs are refused" refused_with five "4 is the limit" seller-001 \
    "${hooks}1" "${hooks}2" "${hooks}3" "${hooks}4" "${hooks}5"
check "a short id may stand in the operator's part of the URL" [ "$(erase short 7 "$other")" = 200 ]
check "of all these nobody was erased" [ "$(api GET /subjects/seller-001 | jq .total)" = 10 ]

# ---- what is sent ----

check "somebody is erased" [ "$(erase one seller-001 "${hooks}ok" "${other}ok")" = 200 ]
check "both URLs are told" got got one 2
check "and somebody who is unknown is not held" [ "$(erase none nobody "${hooks}ok")" = 200 ]
check "which is told as well" got got none 1
check "the document says what became of the request" \
    says got one '[.type, .timestamp == .data.completed, (.data | keys)]' \
    '["erasure.completed",true,["completed","due","reason","receipt","receipt_id","received","regulation","request_id","status"]]'
check "erased" says got one '.data | [.status, .regulation]' '["erased","gdpr"]'
check "or not held" says got none .data.status '"not_held"'
check "with the receipt that the caller got" \
    says got one '.data | [.receipt, .receipt_id]' "$(jq -c '[.receipt, .receipt_id]' "$work/one.reply")"
check "which anybody can check" \
    [ "$(first got one | xargs jq -c '.body | fromjson | {receipt: .data.receipt}' |
        curl -sS -H "$json" --data-binary @- "$url/receipts/verify" | jq .checks.signature.result)" = '"passed"' ]
check "nothing that was sent names the subject" refused grep -rlE 'seller-001|nobody' "$work/got"
check "openssl verifies the signature" signed "$(first got one)" "$(secret "$hooks")"
check "each receiver has a secret of its own" refused signed "$(first got one)" "$(secret "$other")"
cp -r "$source/tests/standardwebhooks" "$work/library"
if (cd "$work/library" && npm ci --no-audit --no-fund) >"$work/npm.log" 2>&1; then
    check "the receivers' library takes the letter" \
        node "$work/library/verify.mjs" "$(secret "$hooks")" "$(first got one)"
    jq '.body |= sub("gdpr"; "ccpa")' "$(first got one)" >"$work/forged"
    check "and not one that was changed" \
        refused node "$work/library/verify.mjs" "$(secret "$hooks")" "$work/forged"
else
    ok "the receivers' library takes the letter # SKIP there is no npm, or no way to its registry"
fi
check "nothing waits any more" until_waiting 0
check "a request that is sent again is not told of again" [ "$(erase one seller-001 "${hooks}ok")" = 200 ]

# ---- what is repeated ----

check "a receiver that is busy twice is told a third time" [ "$(erase busy seller-002 "${hooks}busy-2/x")" = 200 ]
check "a redirect is not followed" [ "$(erase away seller-003 "${hooks}away")" = 200 ]
check "Retry-After" [ "$(erase later seller-004 "${other}later-7")" = 200 ]
check "is honoured" got got later 2
waited() {
    letters got later | xargs jq -s '.[1].came - .[0].came >= 7' | grep -qx true
}
check "and no sooner than it says" waited
check "a reply without an end" [ "$(erase endless seller-005 "${hooks}long")" = 200 ]
few() {
    cat "$work/got/sent"
    [ "$(cat "$work/got/sent")" -lt 16000000 ]
}
check "is cut off" until_there "$work/got/sent"
check "before the buffers of two sockets are full many times" few
check "the third letter came" got got busy 3
check "all three have the same webhook-id" [ "$(ids got busy | wc -l)" = 1 ]
check "nobody was redirected" refused grep -l redirected "$work"/got/*.json
check "what was told once was told once" got got one 2

# ---- what takes its time ----

check "a receiver that does not reply" [ "$(erase slow seller-006 "${hooks}slow")" = 200 ]
check "has the letter" got got slow 1
before=$(date +%s)
check "another erasure does not wait for it" [ "$(erase quick seller-007 "${hooks}ok")" = 200 ]
check "nor does another callback" got got quick 1
stop
ended=$?
check "and the daemon ends at once, and cleanly" [ $ended = 0 ]
check "in a few seconds" [ $(($(date +%s) - before)) -lt 8 ]

# ---- kill -9 ----

start shop --callback-allow "$allow"
check "what was not taken is sent again after a start" got got slow 2
crash
start shop --callback-allow "$allow"
check "and after a kill -9" got got slow 3
check "with the same webhook-id" [ "$(ids got slow | wc -l)" = 1 ]
dismiss
check "nobody listens when somebody is erased" [ "$(erase dead seller-008 "${hooks}ok")" = 200 ]
crash
receive got "$door"
start shop --callback-allow "$allow"
check "who was erased before a kill -9 is told of after it" got got dead 1
check "with the receipt from before" \
    says got dead .data.receipt "$(jq -c .receipt "$work/dead.reply")"

# ---- restore ----

check "what was taken waits no more: only those do that were slow or sent elsewhere" until_waiting 2
check "one more waits" [ "$(erase kept seller-009 "${hooks}500/kept")" = 200 ]
check "for a receiver that fails" got got kept 1
ctl backup shop "$work/backup.db"
check "another comes after the backup" [ "$(erase late seller-010 "${hooks}500/late")" = 200 ]
check "four wait now" [ "$(waiting)" = 4 ]
check "the daemon ends" stop
cp -r "$work/shop" "$work/lost"
ctl restore shop --yes "$work/backup.db" </dev/null >"$work/said" 2>&1
start_measured
check "after a restore all four wait" [ "$(waiting)" = 4 ]
check "also the later one, which the backup lacks" got got late 2
check "/metrics says that four wait" [ "$(measured waiting)" = 4 ]
check "the daemon ends again" stop
rm "$work/lost/munkeyd.db"
rm -f "$work/lost/munkeyd.db-wal"
rm -rf "$work/shop"
mv "$work/lost" "$work/shop"
kept=$(letters got kept | wc -l) late=$(letters got late | wc -l)
ctl restore shop --yes "$work/backup.db" </dev/null >"$work/said" 2>&1
start shop --callback-allow "$allow"
check "with the database lost, the backup's callbacks are sent" got got kept $((kept + 1))
check "with the same webhook-id as ever" [ "$(ids got kept | wc -l)" = 1 ]
check "the daemon ends once more" stop

# ---- giving up ----

start_measured --callback-seconds 1
given_up() {
    for _ in $(seq 300); do
        grep -q 'log entry [0-9]*: its callback is given up: its receiver said 500' "$work/shop.log" && return
        sleep 0.1
    done
    return 1
}
check "after its time a callback is given up, and the log names the entry" given_up
check "and one that is gone at once" [ "$(erase gone seller-011 "${hooks}410")" = 200 ]
check "then nothing waits" until_waiting 0
check "one more is taken" [ "$(erase taken seller-012 "${hooks}taken")" = 200 ]
check "and waits no more" got got taken 1
all_measured() {
    gave_up=$(grep -c 'its callback is given up' "$work/shop.log")
    for _ in $(seq 100); do
        counts="$(measured waiting) $(measured 'total{outcome="delivered"}') $(measured 'total{outcome="given_up"}')"
        [ "$counts" = "0 1 $gave_up" ] && return
        sleep 0.1
    done
    echo "waiting, delivered, given up: $counts, not 0 1 $gave_up"
    return 1
}
check "/metrics has counted each" all_measured
check "the daemon ends after that" stop
check "no log line says where callbacks went, or of whom" \
    refused grep -nE "127.0.0.1:$door|hooks|seller|whsec" "$work/shop.log"
check "nor does any file" refused grep -rlaE "hooks/|seller-0|whsec" "$work/shop"

# ---- https ----

tls() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=receiver \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
}
tls ours && tls theirs
receive safe 0 "$work/ours.crt" "$work/ours.key"
hooks=https://127.0.0.1:$door/hooks/
start shop --callback-allow "$hooks" --callback-ca "$work/theirs.crt"
check "a receiver whose certificate nobody vouches for" [ "$(erase tls seller-012 "${hooks}ok")" = 200 ]
distrusted() {
    for _ in $(seq 100); do
        grep -q 'its callback was not taken' "$work/shop.log" && return
        sleep 0.1
    done
    return 1
}
check "is not told" distrusted
check "anything" got safe tls 0
check "the daemon ends after https" stop
start shop --callback-allow "$hooks" --callback-ca "$work/ours.crt"
check "one that is vouched for is" got safe tls 1
check "the daemon ends at last" stop
finish
