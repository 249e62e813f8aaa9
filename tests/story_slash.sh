#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `a/b` and `a` are two people: erasing one through `a%2Fb` leaves the other alone.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

enrol() {
    pixels "$2" 1 | api POST "/subjects/$1/instances?label=$3" -o "$work/reply" \
        -w '%{http_code}' -H 'Content-Type: application/octet-stream' --data-binary @-
}

held() {
    api GET "/subjects/$1" | jq -r .total
}

ctl init slash >/dev/null || bail_out "no state folder"
start slash
check "a/b is enrolled" [ "$(enrol a%2Fb 0 9)" = 201 ]
check "a is enrolled, twice" [ "$(enrol a 1 2)$(enrol a 2 1)" = 201201 ]
check "a holds two instances, a/b one" [ "$(held a) $(held a%2Fb)" = "2 1" ]
check "a raw slash is another route" [ "$(status_of DELETE /subjects/a/b)" = 404 ]
api DELETE /subjects/a%2Fb >"$work/erased"
check "a/b is erased" [ "$(jq -r '.status, .erased' "$work/erased" | xargs)" = "erased 1" ]
check "the opening names a/b" [ "$(jq -r .opening.subject "$work/erased")" = a/b ]
check "a/b is gone" [ "$(status_of GET /subjects/a%2Fb)" = 404 ]
check "a is untouched" [ "$(held a)" = 2 ]
check "the daemon ends cleanly" stop
check "its log names nobody" refused grep -qE 'a/b|a%2F' "$work/slash.log"
finish
