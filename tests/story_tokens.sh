#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tokens change while munkeyd serves and no request fails for it; each has its own limits; and the
# operator's socket answers nobody else.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

# with TOKEN COMMAND...: as the holder of another token.
with() {
    held=$token token=$1
    shift
    "$@"
    set -- $?
    token=$held
    return $1
}

# add SCOPES [OPTION...]: a token, which the daemon is told of.
add() {
    scopes=$1
    shift
    ctl token day add --scopes "$scopes" "$@" 2>/dev/null
}

# line TOKEN ID SCOPES EXPIRES: of the file of tokens.
line() {
    printf '%s %s %s %s\n' "$2" "$(printf '%s' "$1" | sha256sum | cut -d ' ' -f 1)" "$3" "$4"
}

# hang_up SENTENCE: a SIGHUP, and its answer in the log.
hang_up() {
    before=$(wc -l <"$work/day.log")
    kill -HUP "$pid"
    for _ in $(seq 100); do
        tail -n +$((before + 1)) "$work/day.log" | grep -qF "$1" && return
        sleep 0.05
    done
    cat "$work/day.log"
    return 1
}

# Requests without a pause, each with the token that is the present one when it begins.
begin_load() {
    for loop in 1 2; do
        while [ ! -e "$work/enough" ]; do
            read -r now <"$work/present"
            echo "$(with "${now#* }" status_of GET /memory/digest) ${now% *}"
        done >"$work/statuses.$loop" &
        loads="${loads-} $!"
    done
}

end_load() {
    : >"$work/enough"
    wait $loads
    cat "$work"/statuses.? >"$work/statuses"
}

# present N TOKEN: from here on this is the token; returns when both loops have used it.
present() {
    echo "$1 $2" >"$work/present.new" && mv "$work/present.new" "$work/present"
    for _ in $(seq 200); do
        grep -q " $1\$" "$work/statuses.1" && grep -q " $1\$" "$work/statuses.2" && return
        sleep 0.05
    done
    return 1
}

# By munkeyctl, which tells the daemon over its socket.
rotate_by_command() {
    fresh=$(add audit) && present "$1" "$fresh" &&
        ctl token day revoke "$(ctl token day list | awk '/  audit$/ { print $1; exit }')"
}

# By an editor and a SIGHUP.
rotate_by_hand() {
    fresh=mkt_by-hand-$1
    line "$fresh" "hand-$1" audit 0 >>"$work/day/tokens" && hang_up "read the tokens again" &&
        present "$1" "$fresh" &&
        sed -i "/ audit /{/^hand-$1 /!d}" "$work/day/tokens" && hang_up "read the tokens again"
}

failed() {
    grep -v '^200 ' "$work/statuses" | sort | uniq -c
}

ctl init day --origin example.org/day >/dev/null || bail_out "no state folder"
start day --rate-audit 0

# Rotation under load.
first=$(add audit)
check "two tokens are good at once" \
    [ "$(with "$first" status_of GET /memory/digest) $(status_of GET /memory/digest)" = "200 200" ]
echo "0 $first" >"$work/present"
begin_load
for n in 1 2 3; do
    check "token $n takes the place of the one before, by a command" rotate_by_command $n
done
for n in 4 5 6; do
    check "token $n takes the place of the one before, by hand and SIGHUP" rotate_by_hand $n
done
end_load
check "$(wc -l <"$work/statuses") requests meanwhile, and none failed" [ -z "$(failed)" ]
check "they used seven tokens" [ "$(cut -d ' ' -f 2 "$work/statuses" | sort -u | wc -l)" = 7 ]
check "the first is worth nothing any more" [ "$(with "$first" status_of GET /memory/digest)" = 401 ]
check "nor is that before the last" [ "$(with mkt_by-hand-5 status_of GET /memory/digest)" = 401 ]

# Expiry.
line mkt_short short audit $(($(date +%s) + 3)) >>"$work/day/tokens"
hang_up "read the tokens again"
check "a token that ends in 3 seconds is good" [ "$(with mkt_short status_of GET /memory/digest)" = 200 ]
sleep 3.1
check "and ends by itself" [ "$(with mkt_short status_of GET /memory/digest)" = 401 ]

# A broken file.
cp "$work/day/tokens" "$work/tokens.good"
echo rubbish >>"$work/day/tokens"
number=$(wc -l <"$work/day/tokens")
check "a broken file of tokens is named with its line" \
    hang_up "the tokens stay as they were: tokens, line $number: "
check "and the old ones stay" [ "$(with mkt_by-hand-6 status_of GET /memory/digest)" = 200 ]
curl -sS --unix-socket "$work/day/control.sock" -X POST http://localhost/reload >"$work/said"
check "POST /reload says the same" \
    grep -q "\"status\":400.*\"the tokens stay as they were: tokens, line $number: " "$work/said"
ctl token day add --scopes predict >"$work/shown" 2>"$work/said"
check "munkeyctl says it, too" grep -q "the tokens stay as they were" "$work/said"
check "and shows the token that is in the file" \
    grep -q "$(tr -d '\n' <"$work/shown" | sha256sum | cut -c 1-64)" "$work/day/tokens"
cp "$work/tokens.good" "$work/day/tokens"
check "a mended one is read" hang_up "read the tokens again"
check "no token stands in the log" refused grep -q mkt_ "$work/day.log"
check "the daemon ends cleanly" stop

# Limits.
start day --rate-window 3600 --rate-audit 4 --rate-restrict 2 --rate-address 3 --rate-unauthorized 3
other=$(add audit)
check "a reply says the policy and what is left of it" \
    [ "$(api GET /memory/digest -D - -o /dev/null | tr -d '\r' | grep -i '^ratelimit')" = \
    'RateLimit-Policy: "audit";q=4;w=3600
RateLimit: "audit";r=3;t=900' ]
check "so does an error of the same route" \
    [ "$(api GET '/memory/digest?x=1' -D - -o /dev/null | grep -o '^HTTP.* 400\|^RateLimit: .*;r=2' | tr '\n' ' ')" = \
    'HTTP/1.1 400 RateLimit: "audit";r=2 ' ]
statuses=$(for _ in 1 2 3; do status_of GET /memory/digest; done)
check "one request too many is 429" [ "$statuses" = 200200429 ]
check "with Retry-After, which is not before the reset" \
    [ "$(api GET /memory/digest -D - -o /dev/null | tr -d '\r' | awk '
        /^Retry-After: / { after = $2 } /^RateLimit: / { split($2, t, "t="); reset = t[2] }
        END { print (after == reset && after > 890 && after <= 900) }')" = 1 ]
check "another token has its own" [ "$(with "$other" status_of GET /memory/digest)" = 200 ]
check "the same token has one for each scope" [ "$(status_of DELETE /subjects/x/restriction)" = 404 ]
check "erasures are not concerned" [ "$(status_of DELETE /subjects/nobody)" = 200 ]
hang_up "read the tokens again"
check "reading the tokens again gives nothing back" [ "$(status_of GET /memory/digest)" = 429 ]

strangers() {
    for _ in 1 2 3 4; do curl -s -o /dev/null -w '%{http_code} ' "$url$1" "${2:--s}" "${3:--s}"; done
}
check "strangers read the log as often as an address may" \
    [ "$(strangers /log/checkpoint)" = "200 200 200 429 " ]
check "health is not limited" [ "$(strangers /healthz)" = "200 200 200 200 " ]
check "wrong tokens are counted by address" \
    [ "$(strangers /subjects/x -H 'Authorization: Bearer no')" = "401 401 401 429 " ]
check "which shuts out no token that is right" [ "$(status_of GET /subjects/x)" = 404 ]
check "the daemon ends cleanly again" stop

# The operator's socket.
start day
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 711 "$work" "$work/day" && chmod 666 "$work/day/control.sock"
    as_nobody() {
        setpriv --reuid 65534 --regid 65534 --clear-groups \
            curl -sS --unix-socket "$work/day/control.sock" "$@"
    }
    check "another user whom the folder and the socket let in is refused" \
        [ "$(as_nobody -o /dev/null -w '%{http_code}' http://localhost/status)" = 403 ]
    check "and told why" [ "$(as_nobody http://localhost/status | jq -r .detail)" = \
        "this socket is for the user that munkeyd runs as, and for root" ]
    check "also where something would change" \
        [ "$(as_nobody -X POST -o /dev/null -w '%{http_code}' http://localhost/reload)" = 403 ]
else
    ok "another user is refused at the operator's socket # SKIP only root can be another user"
fi
check "the daemon's own user is not" \
    [ "$(curl -sS -o /dev/null -w '%{http_code}' --unix-socket "$work/day/control.sock" http://localhost/status)" = 200 ]
check "the daemon ends cleanly at last" stop
finish
