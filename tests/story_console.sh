#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The console in a real browser, on a real memory with real erasures.  Leaves screenshots,
# tests/console-*.png, in the build folder.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
for tool in chromium node npm; do
    command -v $tool >/dev/null || skip_all "there is no $tool here"
done
faketime=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null)
[ -n "$faketime" ] || skip_all "there is no faketime here"
shots=$(cd "$build" && pwd)/tests
mkdir "$work/npm" && cp "$source"/tests/console/package*.json "$work/npm/" &&
    (cd "$work/npm" && npm ci --no-audit --no-fund) >"$work/npm.log" 2>&1 ||
    skip_all "there is no way to npm's registry: $(tail -n 1 "$work/npm.log")"
cp "$source/tests/console/console.mjs" "$work/npm/"

# The small model, with what its weights keep.
cp "$source/models/fashion-mnist-T.safetensors" "$work/model.safetensors"
model=$work/model.safetensors

# days_ago N COMMAND...: as if it were then.
days_ago() {
    days=$1
    shift
    env FAKETIME=-${days}d LD_PRELOAD="$faketime" "$@"
}

# start_then N: the daemon, N days ago.
start_then() {
    run_as="env FAKETIME=-$1d LD_PRELOAD=$faketime"
    start console
    run_as=
}

forget() {
    api DELETE "/subjects/$1"
}

put() {
    api PUT "/subjects/$1" -H 'Content-Type: application/json' -d "$2"
}

# held SUBJECT REGULATION: a request that has to wait, with its due date.
held() {
    put "$1/hold" '{"basis":"e"}' >/dev/null
    api POST /erasures -H 'Content-Type: application/json' \
        -d "{\"subject\":{\"value\":\"$1\"},\"request_id\":\"held-$1\",\"regulation\":\"$2\"}" >/dev/null
}

# A memory of six weeks: who came, and who went.  The weights have seen the first rows.
make_history() {
    { rows 30000 2000 40; rows 0 300 40 | sed '1d; s/,seller-/,old-/'; } >"$work/rows.csv"
    (export FAKETIME=-42d LD_PRELOAD="$faketime" && make_state console "$work/rows.csv") || exit
    gone=0
    for days in 38 31 24 20 12 9 3; do
        start_then $days
        [ $days = 38 ] && api GET /log/vkey >"$work/old-vkey"
        for _ in $(seq $((days % 4 + 1))); do
            forget "seller-$(printf %03d $gone)" >"$work/erased-$gone.json"
            gone=$((gone + 1))
        done
        [ $days = 31 ] && forget nobody >"$work/not-held.json"
        [ $days = 20 ] && held seller-030 lgpd
        stop || bail_out "munkeyd did not end cleanly"
    done
}

# What happens today.
make_today() {
    start console
    held seller-031 lgpd
    held seller-032 gdpr
    put seller-035/restriction '{"ground":"a"}' >"$work/restricted.json"
    forget old-001 >"$work/trained.json"
    ctl rotate console log >/dev/null
    for n in 1 2 3 20 60; do
        batch 0 $n | api POST /predict -H 'Content-Type: application/json' --data-binary @- >/dev/null
    done
    api GET /.well-known/jwks.json >"$work/jwks.json"
    api GET /log/vkey >"$work/new-vkey"
    cp "$work/erased-0.json" "$work/erased.json"
    pixels 0 1 >"$work/boot"
    "$build/tests/picture" png "$work/boot" >"$work/boot.png"
    "$build/tests/picture" jpeg "$work/boot" >"$work/boot.jpeg"
    cp "$work/console.token" "$work/all.token"
    for scope in audit predict; do
        ctl token console add --scopes $scope >"$work/$scope.token" 2>/dev/null
    done
}

# in_browser MODE: the checks of console.mjs as checks of this test.
in_browser() {
    (cd "$work/npm" && node console.mjs "$1" "$url" "$work" "$shots" "$here") >"$work/browser" 2>"$work/errors"
    ended=$?
    while IFS= read -r line; do
        case $line in
        'ok - '*) ok "${line#ok - }" ;;
        'not ok - '*) not_ok "${line#not ok - }" ;;
        *) echo "# $line" ;;
        esac
    done <"$work/browser"
    sed 's/^/# /' "$work/errors"
    check "the browser's part came to its end" [ "$ended" -le 1 ]
}

header() {
    curl -sS -o /dev/null -D - "$url$1" | tr -d '\r' | sed -n "s/^$2: //p"
}

status() {
    curl -sS -o /dev/null -w '%{http_code}' "$@"
}

here=$(cd "$source" && pwd)
make_history
"$build/munkey-eval" audit "$model" "$work/console" >/dev/null 2>"$work/audit.log" ||
    bail_out "no verdict: $(tail -n 1 "$work/audit.log")"
make_today

# As any client sees it.
policy=$(header / Content-Security-Policy)
check "the page has a policy that begins with nothing" \
    [ "${policy#"default-src 'none'; script-src 'self'; style-src 'self';"}" != "$policy" ]
check "... without unsafe-inline" [ "${policy#*unsafe}" = "$policy" ]
check "... and may not be put into a frame" [ "${policy#*"frame-ancestors 'none'"}" != "$policy" ]
for path in / /console/app.js /console/console.css /console/icon.svg; do
    check "no type is guessed: $path" [ "$(header $path X-Content-Type-Options)" = nosniff ]
done
check "modules are JavaScript" [ "$(header /console/app.js Content-Type)" = 'text/javascript; charset=utf-8' ]
tag=$(header /console/app.js ETag)
check "a copy that is the one is not sent again" [ "$(status "$url/console/app.js" -H "If-None-Match: $tag")" = 304 ]
check "another copy is" [ "$(status "$url/console/app.js" -H 'If-None-Match: "x"')" = 200 ]
check "every file is as it stands in the source" [ "$(for file in "$here"/api/console/*; do
    curl -sS "$url/console/$(basename "$file")" | cmp - "$file" || echo "$file"; done)" = '' ]
check "there are no other files" [ "$(status "$url/console/routes.c")" = 404 ]
check "HEAD works, too" [ "$(curl -sSI -o /dev/null -w '%{http_code} %{size_download}' "$url/")" = '200 0' ]
for host in 'https://' 'http://' '//'; do
    check "no file names another host: $host" refused grep -rlE "(src|href|fetch|import|url)[ =(]*['\"]?$host" \
        "$here/api/console"
done

in_browser open
check "the daemon ends cleanly" stop
start console --public-log false
in_browser closed
check "... again" stop
finish
