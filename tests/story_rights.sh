#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rights besides erasure: alice's data are restricted, held, shown and audited; each of it survives
# kill -9, and each receipt convinces tools that know nothing of munkeyd.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
command -v sqlite3 >/dev/null || skip_all "there is no sqlite3 here"
key=2d1f7c0e-98b1-4c7a-8f0a-5b0d8e2c1a77

# The marker: the test image that the model is least sure of, which alice enrols under the label that
# came second.
least_sure() {
    predict 0 250 | jq '.predictions | to_entries | min_by(.value.probability).key'
}

marker() {
    pixels "$image" 1 | api POST "/predict?top_k=10&explain=1" -H 'Content-Type: application/octet-stream' \
        --data-binary @-
}

enrol_marker() {
    pixels "$image" 1 >"$work/marker"
    for _ in 1 2 3 4; do
        api POST "/subjects/alice/instances?label=$1&source=upload&lawful_basis=consent" \
            -H 'Content-Type: application/octet-stream' --data-binary "@$work/marker"
    done >"$work/enrolled"
}

# put PATH JSON ...: the body, and the status in $work/status.
put() {
    target=$1 json=$2
    shift 2
    api PUT "$target" -H 'Content-Type: application/json' -d "$json" -o "$work/out" -w '%{http_code}' "$@" \
        >"$work/status"
    cat "$work/out"
}

says() {
    [ "$(cat "$work/status")" = "$1" ]
}

predictions() {
    jq -cS .predictions "$1"
}

# As if alice had never been there, but for the count and the digest.
without_alice() {
    marker >"$work/now" && [ "$(predictions "$work/now")" = "$(predictions "$work/never")" ] &&
        [ "$(jq -c .memory "$work/now")" = "$(jq -c .memory "$work/with")" ]
}

with_alice() {
    marker >"$work/now" && cmp "$work/now" "$work/with"
}

shown() {
    [ "$(api GET /subjects/alice | jq -c "[$1]")" = "$2" ]
}

verified_by_openssl() {
    "$source/docs/verify-receipt.sh" "$1" "$work/jwks" "$work/vkey"
}

verified_by_munkeyctl() {
    "$build/munkeyctl" verify --jwks "$work/jwks" --vkey "$work/vkey" "$1"
}

verified_by_jose() {
    node "$work/jose/verify.mjs" "$1" "$work/jwks" | jq -e ".act == \"$2\""
}

# verified FILE ACT: by all of them, and its misnamed copy by none that reads openings.
verified() {
    check "openssl verifies the receipt of $2" verified_by_openssl "$1"
    check "munkeyctl verifies the receipt of $2" verified_by_munkeyctl "$1"
    jq -c '.opening.subject = "bob"' "$1" >"$work/misnamed"
    check "openssl refuses it for somebody else" refused verified_by_openssl "$work/misnamed"
    check "munkeyctl refuses it for somebody else" refused verified_by_munkeyctl "$work/misnamed"
    if [ -d "$work/jose/node_modules" ]; then
        check "jose verifies it" verified_by_jose "$1" "$2"
    else
        ok "jose verifies it # SKIP there is no npm, or no way to its registry"
    fi
}

cp -r "$source/tests/jose" "$work/jose"
(cd "$work/jose" && npm ci --no-audit --no-fund) >"$work/npm.log" 2>&1 || rm -rf "$work/jose/node_modules"

rows 30000 1000 50 >"$work/rows.csv"
make_state shop "$work/rows.csv"
start shop
image=$(least_sure)
marker >"$work/never"
label=$(jq '.predictions[0].top[1].index' "$work/never")
enrol_marker "$label"
marker >"$work/with"
check "alice's copies of the image decide its label" \
    [ "$(jq '.predictions[0].index' "$work/with")" = "$label" ]

# Restriction.
put /subjects/alice/restriction '{"ground":"b"}' -H "Idempotency-Key: $key" >"$work/restricted"
check "alice is restricted" says 200
check "no record of hers is left in the search" \
    [ "$(jq -c '[.status, .verified]' "$work/restricted")" = '["restricted",{"records":4,"masked":4}]' ]
check "predictions are as if she had never been there; the digest counts her" without_alice
check "she sees it" shown '.restricted, .restriction' '[true,{"ground":"b"}]'
check "nothing is enrolled for her" [ "$(status_of POST "/subjects/alice/instances?label=1" \
    -H 'Content-Type: application/octet-stream' --data-binary "@$work/marker")" = 409 ]
crash
start shop
check "so it is after kill -9" without_alice
put /subjects/alice/restriction '{"ground":"b"}' -H "Idempotency-Key: $key" >"$work/again"
check "the same request has the same receipt" [ "$(jq -r .receipt "$work/again")" = "$(jq -r .receipt "$work/restricted")" ]
check "the same key does not erase" [ "$(status_of DELETE /subjects/alice -H "Idempotency-Key: $key")" = 422 ]
check "the daemon ends cleanly" stop
start shop
check "so it is after a restart" without_alice
api DELETE /subjects/alice/restriction >"$work/lifted"
check "the restriction is lifted" \
    [ "$(jq -c '[.status, .verified]' "$work/lifted")" = '["unrestricted",{"records":4,"masked":0}]' ]
check "predictions are what they were, byte for byte" with_alice
crash
start shop
check "so they are after kill -9" with_alice
check "she sees that, too" shown '.restricted, .restriction' '[false,null]'

api GET /.well-known/jwks.json >"$work/jwks"
api GET /log/vkey >"$work/vkey"
verified "$work/restricted" restrict
verified "$work/lifted" unrestrict
id=$(jq -r .receipt_id "$work/restricted")
curl -sS "$url/receipts/$id" >"$work/receipt"
check "anybody gets the receipt again" [ "$(jq -r .receipt "$work/receipt")" = "$(jq -r .receipt "$work/restricted")" ]
check "but not whom it is about" [ "$(jq -c keys "$work/receipt")" = '["log","receipt","receipt_id"]' ]
check "its proof is against the present checkpoint" \
    [ "$(jq -r .log.proof "$work/receipt" | sed '1,/^$/d')" = "$(curl -sS "$url/log/checkpoint")" ]
jq -s '.[0] + {opening: .[1].opening}' "$work/receipt" "$work/restricted" >"$work/reopened"
check "and it verifies with the opening that was kept" verified_by_openssl "$work/reopened"

# Hold.
put /subjects/alice/hold '{"basis":"e","until":"2099-12-31T23:59:59+01:00"}' >"$work/held"
check "alice is held" says 200
check "she sees for how long, and why" \
    shown '.held, .hold' '[true,{"basis":"e","until":"2099-12-31T22:59:59Z"}]'
check "she is not erased" [ "$(status_of DELETE /subjects/alice)" = 409 ]
crash
start shop
check "nor after kill -9" [ "$(status_of DELETE /subjects/alice)" = 409 ]
check "nothing of it stands in the log" \
    [ "$(sed 's/\x00./\n/g' "$work/shop/log/entries" | grep -c '"act":"\(erase\|not_held\)"')" = 0 ]
check "she gets all that is held about her" shown \
    '.total, (.instances[0] | .source, .lawful_basis, .class, (.model | .[:7])), (.instances | length)' \
    '[4,"upload","consent","exact","sha256:",4]'
check "the hold is lifted" [ "$(api DELETE /subjects/alice/hold | jq -r .status)" = not_held ]
check "now she is erased" [ "$(api DELETE /subjects/alice | jq -c '[.status,.erased]')" = '["erased",4]' ]
marker >"$work/now"
check "predictions and digest are those of before she came" cmp "$work/now" "$work/never"

# Audit.
check "an audit is taken on" [ "$(status_of POST /memory/audit)" = 202 ]
check "munkeyctl waits for its result: all agree" ctl audit shop
check "it is that of the log" [ "$(api GET /memory/audit | jq -r .last.found)" = "$(api GET /memory/digest | jq -r .digest)" ]

# Turns a bit of a slot over on the disk, behind the daemon's back.
damage() {
    cp "$work/shop/munkeyd.db" "$work/copy.db"
    piece=$(sqlite3 "$work/copy.db" 'SELECT hex(substr(body, 100, 16)) FROM slot WHERE id = 500')
    at=$(LC_ALL=C grep -obUaP "$(echo "$piece" | sed 's/../\\x&/g')" "$work/shop/munkeyd.db" | cut -d: -f1)
    [ -n "$at" ] && printf '\000\000' | dd of="$work/shop/munkeyd.db" bs=1 seek="$at" conv=notrunc
}
check "a slot is damaged" damage
ctl audit shop >"$work/audit"
check "munkeyctl fails" [ $? -eq 1 ]
check "and prints what was found" [ "$(jq .ok "$work/audit")" = false ]
check "it is not what the log says" \
    [ "$(jq -r .found "$work/audit")" != "$(api GET /memory/digest | jq -r .digest)" ]
check "the operator is told" grep -q "AUDIT FAILED" "$work/shop.log"
check "predictions go on: they rest on what the start compared" [ "$(status_of GET /readyz)" = 200 ]
check "the daemon ends cleanly after all" stop
check "nothing names alice" refused grep -q alice "$work/shop.log"
"$build/munkeyd" --config /dev/null --model "$model" --state "$work/shop" --port 0 2>"$work/refused.log"
check "and does not start on damaged slots" [ $? -eq 78 ]
finish
