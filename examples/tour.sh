#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A tour of munkeyd with curl and jq: predict a picture, enrol it for somebody, see what is held,
# forget them, have the receipt checked, predict again.
#
#     set -a && . ./quickstart.env && set +a     MUNKEYD_URL, MUNKEYD_TOKEN
#     examples/tour.sh PICTURE [PERSON]          PNG, JPEG or raw pixels of the model's size
set -eu
picture=$1 person=${2-a guest of the tour}
case $picture in
*.png) media=image/png ;;
*.jpg | *.jpeg) media=image/jpeg ;;
*) media=application/octet-stream ;;
esac
reply=$(mktemp) && trap 'rm -f "$reply"' EXIT

# call METHOD TARGET [OPTION...]: the body into $reply, or the reason why not.
call() {
    method=$1 target=$2
    shift 2
    curl -sS --fail-with-body --max-time 60 --oauth2-bearer "$MUNKEYD_TOKEN" -X "$method" \
        -o "$reply" "$@" "$MUNKEYD_URL$target" && return
    jq -r .detail "$reply" >&2
    exit 1
}

# Bytes that may not stand in a URL; `/` is one of them inside an id.
encode() {
    printf %s "$1" | jq -sRr @uri
}

predict() {
    call POST /predict -H "Content-Type: $media" --data-binary "@$picture"
}

predict
label=$(jq -r '.predictions[0].label' "$reply") before=$(jq -c '.predictions, .memory' "$reply")
jq -r '"predicted: \(.predictions[0] | "\(.label), \(.probability)"), by a memory of \(.memory.n)"' "$reply"

call POST "/subjects/$(encode "$person")/instances?label=$(encode "$label")&lawful_basis=consent" \
    -H "Content-Type: $media" --data-binary "@$picture"
jq -r '"enrolled: \(.instances | length), now a memory of \(.memory.n)"' "$reply"

call GET "/subjects/$(encode "$person")"
jq -r '"held: \(.total), \(.instances[0] | "\(.label), \(.class), \(.lawful_basis)")"' "$reply"

# The same key gives the same receipt: a request without an answer can be sent again.
call DELETE "/subjects/$(encode "$person")" -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"
jq -r '"\(.status): \(.erased), receipt \(.receipt_id)"' "$reply"

question=$(jq -c '{receipt, opening, proof: .log.proof}' "$reply")
call POST /receipts/verify -H 'Content-Type: application/json' -d "$question"
jq -r '"verified: \(.valid), \([.checks | to_entries[] | "\(.key) \(.value.result)"] | join(", "))"' "$reply"
valid=$(jq .valid "$reply")

predict
[ "$(jq -c '.predictions, .memory' "$reply")" = "$before" ] && same=true || same=false
echo "as if nobody had come: $same"
[ "$valid $same" = "true true" ]
