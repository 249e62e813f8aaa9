#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The interface as docs/API.md has it: every form of an image, repeats, pages, receipts.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
key=2f1d4f0e-6a52-4d3c-9a0b-7d3f0a5c9e11

# items FROM N: test images as objects for enrolment, one a line.
items() {
    pixels "$1" "$2" | od -An -v -tu1 -w784 |
        awk '{ gsub(/ +/, ","); printf "{\"input\":[%s],\"label\":%d,\"source\":\"upload %d\"}\n",
            substr($0, 2), NR % 10, NR }'
}

# enrol SUBJECT FROM N [OPTION...]: as NDJSON; prints the reply.
enrol() {
    subject=$1 from=$2 n=$3
    shift 3
    items "$from" "$n" | api POST "/subjects/$subject/instances" "$@" \
        -H 'Content-Type: application/x-ndjson' --data-binary @-
}

n_instances() {
    api GET /memory/digest | jq -r .n
}

entries() {
    api GET /memory/digest | jq -r .size
}

predict_raw() {
    pixels 0 1 | api POST "/predict?top_k=3" -H 'Content-Type: application/octet-stream' --data-binary @-
}

predict_png() {
    api POST /predict -H 'Content-Type: image/png' \
        --data-binary "@$source/tests/cases/label-missing/body"
}

# The picture in that file, pixel by pixel.
predict_drawn() {
    awk 'BEGIN { for (i = 0; i < 784; i++)
        printf "\\0%03o", (i % 28 * 9 + int(i / 28) * 3) % 256 }' >"$work/drawn"
    printf '%b' "$(cat "$work/drawn")" |
        api POST /predict -H 'Content-Type: application/octet-stream' --data-binary @-
}

predict_json() {
    batch 0 1 | sed 's/"top_k":10/"top_k":3/' |
        api POST /predict -H 'Content-Type: application/json' --data-binary @-
}

# The checks of POST /receipts/verify for the reply in a file, as one line.
verdict() {
    jq -c "{receipt, proof: .log.proof, opening} $2" "$1" | api POST /receipts/verify \
        -H 'Content-Type: application/json' --data-binary @- |
        jq -r '[.valid, (.checks[] | .result)] | join(" ")'
}

ctl init http --origin example.org/http >/dev/null || bail_out "no state folder"
start http

# Enrolment.
enrol ann 0 250 >"$work/ann"
check "250 lines are 250 instances" [ "$(jq '.instances | unique | length' "$work/ann")" = 250 ]
check "the reply states the memory" [ "$(jq -c .memory.n "$work/ann")" = 250 ]
check "one request is one entry" [ "$(entries)" = 3 ]
check "its digest is the memory's" \
    [ "$(jq -r .memory.digest "$work/ann")" = "$(api GET /memory/digest | jq -r .digest)" ]
enrol bob 300 3 -H "Idempotency-Key: $key" >"$work/bob"
enrol bob 300 3 -H "Idempotency-Key: $key" >"$work/bob.again"
check "a repeat with the same key gives the same ids" \
    [ "$(jq -c .instances "$work/bob")" = "$(jq -c .instances "$work/bob.again")" ]
check "and enrols nothing" [ "$(n_instances)" = 253 ]
enrol bob 300 1 >"$work/bob.more"
check "without a key it enrols again" [ "$(n_instances)" = 254 ]
pixels 400 1 | api POST "/subjects/carl/instances?label=Ankle%20boot&source=web%20form&consent_ref=c-1" \
    -H 'Content-Type: application/octet-stream' --data-binary @- >"$work/carl"
api GET /subjects/carl >"$work/carl.held"
check "a label may be a name, and provenance stands in the query" \
    [ "$(jq -c '.instances[0] | [.label, .index, .class, .source, .consent_ref]' "$work/carl.held")" = \
    '["Ankle boot",9,"exact","web form","c-1"]' ]

# Access.
api GET /subjects/ann -D "$work/headers" >"$work/page1"
next=$(sed -nE 's/^Link: <(.*)>; rel="next".*/\1/p' "$work/headers")
api GET "/subjects/ann$next" -D "$work/headers" >"$work/page2"
next=$(sed -nE 's/^Link: <(.*)>; rel="next".*/\1/p' "$work/headers")
api GET "/subjects/ann$next" -D "$work/headers" >"$work/page3"
check "the pages hold every instance once" \
    [ "$(cat "$work"/page? | jq -r '.instances[].id' | sort -u | wc -l)" = 250 ]
check "the last page links nowhere" refused grep -qi '^Link:' "$work/headers"
check "what is held is what was enrolled" \
    [ "$(cat "$work"/page? | jq -r '.instances[].id' | sort | sha256sum)" = \
    "$(jq -r '.instances[]' "$work/ann" | sort | sha256sum)" ]
check "export adds the key" \
    [ "$(api GET '/subjects/carl?export=1' | jq '.instances[0].key.q | length > 0')" = true ]

# Prediction.
check "PNG and raw pixels give the same bytes" [ "$(predict_png)" = "$(predict_drawn)" ]
check "JSON and raw pixels give the same bytes" [ "$(predict_json)" = "$(predict_raw)" ]
check "the prediction names the model and the memory" \
    [ "$(predict_raw | jq -c '[.model.digest, .memory.n]')" = \
    "[\"sha256:$(sha256sum <"$model" | cut -d ' ' -f 1)\",255]" ]
check "explain counts and names nobody" \
    [ "$(pixels 0 1 | api POST '/predict?explain=1' -H 'Content-Type: application/octet-stream' \
        --data-binary @- | jq -c '.predictions[0].explain | [.hits == .exact, .trained]')" = '[true,0]' ]

# Erasure.
api DELETE /subjects/bob -H "Idempotency-Key: $key-erase" -D "$work/headers" >"$work/erased"
check "four instances are erased" \
    [ "$(jq -c '[.status, .erased, .classes, .verified]' "$work/erased")" = \
    '["erased",4,{"exact":4},{"records_left":0,"digest_match":true}]' ]
check "the connection closes, so that nothing of it stays" grep -qi '^Connection: close' "$work/headers"
check "a repeat gives the same reply" \
    [ "$(api DELETE /subjects/bob -H "Idempotency-Key: $key-erase" | jq -c .receipt,.opening)" = \
    "$(jq -c .receipt,.opening "$work/erased")" ]
check "the same key for another subject is 422" \
    [ "$(status_of DELETE /subjects/ann -H "Idempotency-Key: $key-erase")" = 422 ]
check "and erases nobody" [ "$(n_instances)" = 251 ]
api DELETE /subjects/nobody >"$work/nobody"
check "an unknown subject gets a receipt, too" \
    [ "$(jq -c '[.status, .erased, (.receipt | length > 0)]' "$work/nobody")" = '["not_held",0,true]' ]
check "the request in the opening is the reply's id" \
    [ "$(jq -r .opening.request "$work/nobody" | wc -c)" = 37 ]

# Receipts.
passed="passed passed passed passed passed"
check "the receipt is valid, check by check" [ "$(verdict "$work/erased" '')" = "true $passed passed" ]
check "so is that of nobody" [ "$(verdict "$work/nobody" '')" = "true $passed passed" ]
check "without opening and proof less is checked, and said" \
    [ "$(verdict "$work/erased" '| {receipt}')" = "true passed passed skipped skipped skipped passed" ]
check "for another subject it is not" \
    [ "$(verdict "$work/erased" '| .opening.subject = "ann"' | cut -d ' ' -f 1,4)" = "false failed" ]
check "with the proof of another entry it is not" \
    [ "$(jq -c --argjson other "$(cat "$work/nobody")" \
        '{receipt, opening, proof: $other.log.proof}' "$work/erased" |
        api POST /receipts/verify -H 'Content-Type: application/json' --data-binary @- |
        jq -c '[.valid, .checks.leaf_in_log.result]')" = '[false,"failed"]' ]

# The log is open to strangers; nothing else is.
open_to_all() {
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url$1")" = "$2" ]
}
for path in /log/checkpoint /log/proof/0 /log/vkey /.well-known/jwks.json /healthz /readyz /version; do
    check "$path needs no token" open_to_all "$path" 200
done
for path in /memory/digest /subjects/ann; do
    check "$path does" open_to_all "$path" 401
done
check "HEAD works where GET does" \
    [ "$(curl -sI -o /dev/null -w '%{http_code} %{size_download}' "$url/healthz")" = "200 0" ]
check "every entry of the log can be proved" \
    [ "$(for i in $(seq 0 $(($(entries) - 1))); do status_of GET /log/proof/$i; done | sed 's/200//g')" = "" ]
check "the daemon ends cleanly" stop

start http --public-log false
check "a log that is not public needs the scope audit" open_to_all /log/checkpoint 401
check "and shows itself to it" [ "$(status_of GET /log/checkpoint)" = 200 ]
check "the daemon ends cleanly again" stop
check "its log names nobody" refused grep -qE 'ann|bob|carl|nobody' "$work/http.log"
finish
