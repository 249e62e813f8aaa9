#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input to a real daemon that holds one person: tests/cases/<what-is-wrong>/ says what is sent.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

# The last line of the file of tokens is that of the last token; a second past the epoch is past.
expire_last_token() {
    sed -i '$s/[0-9]*$/1/' "$work/cases/tokens"
}

# Takes all that a token may do in the time of this test.
spend() {
    curl -sS -o /dev/null -X DELETE -H "Authorization: Bearer $1" "$url/subjects/nobody/restriction?[1-20]"
}

[ -z "${over_tls-}" ] || speak_tls
ctl init cases --origin example.org/cases >/dev/null || bail_out "no state folder"
predict=$(ctl token cases add --scopes predict 2>/dev/null)
expired=$(ctl token cases add --scopes all --days 1 2>/dev/null)
expire_last_token
spent=$(ctl token cases add --scopes restrict 2>/dev/null)
start cases --request-seconds 1 --rate-restrict 20 --rate-window 3600
spend "$spent"
status_of POST "/subjects/alice/instances?label=1" -H 'Content-Type: image/jpeg' \
    --data-binary "@$source/tests/cases/image-jpeg-named-png/body" | grep -q 201 ||
    bail_out "alice could not be enrolled"
"$build/tests/run_cases" "$source/tests/cases" "${over_tls+tls:}${url##*:}" \
    "all=$token" "predict=$predict" "expired=$expired" "spent=$spent" \
    "model=$(api GET /version | jq -r .model.name)" || exit
grep -i alice "$work/cases.log" && bail_out "the daemon's log names the subject"
[ -e "$work/validated" ] || exit 0
replies_are_right >"$work/wrong" || bail_out "not as /openapi.json says: $(cat "$work/wrong")"
count_replies
