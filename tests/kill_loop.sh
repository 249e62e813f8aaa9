#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 under load, KILLS times: what was answered stays so.  Every receipt verifies, a
# repeat has the same one, nobody comes back, and munkeyd always starts again.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
kills=${KILLS:-100}

# Enrols and erases one person after another, and notes in files what was answered.
churn() {
    i=0
    while i=$((i + 1)); do
        id=person-$1-$i
        : >"$work/begun/$id"
        enrol "$id" && : >"$work/enrolled/$id" && erase "$id" >"$work/reply.$1" &&
            mv "$work/reply.$1" "$work/erased/$id" || return
    done
}

enrol() {
    api POST "/subjects/$1/instances?label=3" -f -o /dev/null -H "Idempotency-Key: enrol-$1" \
        -H 'Content-Type: application/octet-stream' --data-binary "@$work/image"
}

erase() {
    api DELETE "/subjects/$1" -f -H "Idempotency-Key: erase-$1"
}

predict_on() {
    while api POST /predict -f -o /dev/null -H 'Content-Type: application/json' \
        --data-binary "@$work/batch"; do :; done
}

# kill_once ROUND: three who write and one who asks; then the kill.
kill_once() {
    churn "$1-1" & churn "$1-2" & churn "$1-3" & predict_on &
    sleep "0.$((10 + $1 * 37 % 60))"
    crash
    wait
} 2>/dev/null

# Whose erasure was not answered is erased now: once, if the enrolment was answered.
finish_erasures() {
    for file in "$work/begun/person-$1-"*; do
        id=${file##*/}
        [ -e "$file" ] && [ ! -e "$work/erased/$id" ] || continue
        erase "$id" >"$work/erased/$id" || { echo "$id: no answer"; return 1; }
        interrupted=$((interrupted + 1))
        [ ! -e "$work/enrolled/$id" ] ||
            [ "$(jq -r '.status, .erased' "$work/erased/$id" | xargs)" = "erased 1" ] ||
            { echo "$id was lost: $(cat "$work/erased/$id")"; return 1; }
    done
}

killed_again_and_again() {
    interrupted=0
    for round in $(seq "$kills"); do
        kill_once "$round"
        start shop
        finish_erasures "$round" || return 1
    done
}

everybody_is_gone() {
    for file in "$work"/erased/*; do
        [ "$(status_of GET "/subjects/${file##*/}")" = 404 ] || return 1
    done
}

receipts_are_the_same() {
    for file in "$work"/erased/*; do
        [ "$(erase "${file##*/}" | jq -c '[.receipt, .opening]')" = \
            "$(jq -c '[.receipt, .opening]' "$file")" ] || return 1
    done
}

receipts_verify() {
    for file in "$work"/erased/*; do
        "$build/munkeyctl" verify --jwks "$work/jwks" --vkey "$work/vkey" "$file" >"$work/why" 2>&1 ||
            { cat "$work/why" "$file"; return 1; }
    done
}

mkdir "$work/begun" "$work/enrolled" "$work/erased"
pixels 7 1 >"$work/image"
batch 0 8 >"$work/batch"
rows 30000 500 10 >"$work/rows.csv"
make_state shop "$work/rows.csv"
start shop
before=$(api GET /memory/digest | jq -r .digest)
check "killed $kills times, it starts again and has lost nothing it answered" killed_again_and_again
api GET /.well-known/jwks.json >"$work/jwks"
api GET /log/vkey >"$work/vkey"
check "the kills did hit erasures" [ "$interrupted" -gt $((kills / 10)) ]
check "nobody who was erased is back" everybody_is_gone
check "the memory is what it was before anybody came" \
    [ "$(api GET /memory/digest | jq -r .digest)" = "$before" ]
check "every request has the same receipt when it is repeated" receipts_are_the_same
check "every receipt verifies" receipts_verify
echo "# $kills kills, $(ls "$work/erased" | wc -l) erasures, $interrupted interrupted"
check "it ends cleanly" stop
finish
