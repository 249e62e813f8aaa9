#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The log for strangers: hundreds of entries that a daemon wrote, with both keys changed on the
# way, checked by programs that share no code with munkeyd; and no forgery that any of them takes.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
source=$(cd "$source" && pwd) build=$(cd "$build" && pwd)
gopath=/usr/share/gocode
python=/usr/bin/python3
go=$(command -v /usr/bin/go || command -v go) || skip_all "there is no go here"
[ -d $gopath/src/golang.org/x/mod/sumdb ] || skip_all "install golang-golang-x-mod-dev"
$python -c 'import jwt, cryptography' 2>/dev/null || skip_all "install python3-jwt and python3-cryptography"
kept=$work/kept
mkdir "$kept" "$kept/receipts"

# churn NAME N: enrols and erases so many people; keeps their erasures.
churn() {
    for i in $(seq "$2"); do
        api POST "/subjects/$1-$i/instances?label=3" -f -o /dev/null \
            -H 'Content-Type: application/octet-stream' --data-binary "@$work/image" &&
            erase "$1-$i" >"$work/reply" && mv "$work/reply" "$kept/receipts/$1-$i.json" || return
    done
}

erase() {
    api DELETE "/subjects/$1" -f -H "Idempotency-Key: erase-$1"
}

# index_of REPLY
index_of() {
    jq .log.index "$kept/receipts/$1.json"
}

size_of() {
    sed -n 2p "$1"
}

build_go() {
    (cd "$work" && GO111MODULE=off GOPATH=$gopath GOFLAGS= GOCACHE=$work/go-cache \
        "$go" build -o "$work/strangers" "$source/tests/strangers.go")
}

# mirror PATH: as a stranger keeps it, by the URL's path.
mirror() {
    mkdir -p "$kept$(dirname "$1")" && curl -sSf -o "$kept$1" "$url$1"
}

# pad N: as tiles number themselves, for less than 1000 of them.
pad() {
    printf %03d "$1"
}

# All of the log, by its tiles: no more than a stranger can get.
mirror_log() {
    mirror /log/checkpoint && cp "$kept/log/checkpoint" "$kept/checkpoint" || return
    size=$(size_of "$kept/checkpoint") full=$((size / 256)) part=$((size % 256))
    for kind in 0 entries; do
        for n in $(seq 0 $((full - 1))); do
            mirror "/log/tile/$kind/$(pad "$n")" || return
        done
        mirror "/log/tile/$kind/$(pad $full).p/$part" || return
    done
    mirror "/log/tile/1/000.p/$full" && mirror "/log/proof/$proved" &&
        mirror "/log/consistency?from=$(size_of "$kept/seen")&to=$size" &&
        mirror "/log/rotation/$rotated" && cp "$kept/log/rotation/$rotated" "$kept/rotation-$rotated" &&
        cat "$kept"/log/tile/entries/??? "$kept"/log/tile/entries/???.p/* >"$kept/entries"
}

log_verify() {
    "$build/munkeyctl" log verify "$@"
}

verified_by_munkeyctl() {
    "$build/munkeyctl" verify "$kept/receipts/$1.json" --jwks "$kept/jwks" --vkey "$kept/vkeys"
}

verified_by_openssl() {
    "$source/docs/verify-receipt.sh" "$kept/receipts/$1.json" "$kept/jwks" "$2"
}

verified_by_pyjwt() {
    $python "$source/tests/verify_pyjwt.py" "$kept/receipts/$1.json" "$kept/jwks" | cmp - "$work/entry"
}

verified_by_jose() {
    node "$work/jose/verify.mjs" "$kept/receipts/$1.json" "$kept/jwks" | cmp - "$work/entry"
}

verified_by_the_daemon() {
    [ "$(jq '{receipt, opening, proof: .log.proof}' "$kept/receipts/$1.json" |
        api POST /receipts/verify -H 'Content-Type: application/json' --data-binary @- |
        jq -c '[.valid, (.checks | map(.result) | unique)]')" = '[true,["passed"]]' ]
}

verified_by_go() {
    "$work/strangers" "$1" "$kept/vkeys" "$kept/seen" "$proved"
}

header_of() {
    curl -sI "$url$1" | tr -d '\r' | sed -n "s/^$2: //p"
}

pixels 0 1 >"$work/image"
rows 30000 2000 20 >"$work/rows.csv"
make_state shop "$work/rows.csv"
start shop
curl -sSf "$url/log/vkey" >"$kept/vkey.first"
curl -sSf "$url/.well-known/jwks.json" >"$work/jwks.first"
check "people come and go" churn before 75
curl -sSf "$url/log/checkpoint" >"$kept/seen"
mkdir "$kept/stolen" && cp "$work"/shop/keys/*.pem "$kept/stolen"
tail -n 2 "$work/shop/keys/log.pem" | head -n 1 >"$work/secret"
check "the key of the receipts is changed" ctl rotate shop receipt
check "the key of the log is changed" ctl rotate shop log
rotated=$(($(size_of "$work/shop/log/checkpoint") - 1))
check "no byte of the old key is left" refused grep -rqF "$(cat "$work/secret")" "$work/shop"
check "people come and go as before" churn after 75
proved=$(index_of before-3)
check "a restart changes nothing of that" stop
start shop
curl -sSf "$url/log/vkey" | cat "$kept/vkey.first" - >"$kept/vkeys"
sed -n 2p "$kept/vkeys" >"$work/vkey.now"
curl -sSf "$url/.well-known/jwks.json" >"$kept/jwks"
check "there are two keys of receipts now, and the first is new" \
    [ "$(jq -c --slurpfile old "$work/jwks.first" '[(.keys | length), (.keys[0] == $old[0].keys[0]),
        (.keys[1] == $old[0].keys[0])]' "$kept/jwks")" = '[2,false,true]' ]
check "a retry from before has the same receipt" \
    [ "$(erase before-3 | jq -c '[.receipt, .opening]')" = "$(jq -c '[.receipt, .opening]' "$kept/receipts/before-3.json")" ]

# Tiles.
check "the log is kept by its tiles" mirror_log
check "it has more than one full tile" [ "$(size_of "$kept/checkpoint")" -gt 300 ]
cp "$work/shop/log/entries" "$work/entries"
check "the tiles of entries are the daemon's file" cmp "$work/entries" "$kept/entries"
check "full tiles never change, and caches are told" \
    [ "$(header_of /log/tile/0/000 Cache-Control)" = "public, max-age=31536000, immutable" ]
check "partial tiles are not kept" [ "$(header_of /log/tile/0/000.p/7 Cache-Control)" = no-store ]

# Whoever has any key of the log can check all of it.
for vkey in "$kept/vkey.first" "$work/vkey.now" "$kept/vkeys"; do
    check "munkeyctl log verify follows the log's keys from ${vkey##*/}" \
        log_verify "$kept" --vkey "$vkey" --jwks "$kept/jwks" --receipts "$kept/receipts" --seen "$kept/seen"
done
check "munkeyctl log verify takes the state folder's own files" log_verify "$work/shop/log" --vkey "$kept/vkeys"
by_hand() {
    mkdir "$work/by-hand" && cd "$work/by-hand" && cp "$kept/rotation-$rotated" . || return 1
    sed -n '/^## Check the whole log/,/^## /p' "$source/docs/LEDGER.md" |
        sed -n '/^```sh$/,/^```$/p' | sed '/^```/d' >commands
    [ -s commands ] && PATH=$build:$PATH URL=$url sh -e commands
}
check "the commands of docs/LEDGER.md verify the whole log" by_hand
cd "$build" || bail_out "no build folder"
check "munkeyctl log show prints every entry" \
    [ "$("$build/munkeyctl" log show "$kept" | wc -l)" = "$(size_of "$kept/checkpoint")" ]
check "a program on Go's sumdb can be built" build_go
check "it verifies checkpoint, consistency, inclusion and tiles of the daemon" verified_by_go "$url"
check "and of what was kept" verified_by_go "$kept"

# Receipts from before and from after.
cp -r "$source/tests/jose" "$work/jose"
(cd "$work/jose" && npm ci --no-audit --no-fund) >"$work/npm.log" 2>&1 || no_jose=1
for when in before after; do
    "$build/munkeyctl" log show "$kept" | sed -n "$(($(index_of $when-3) + 1))s/^[0-9]*\t//p" >"$work/entry"
    vkey=$kept/vkey.first
    [ $when = before ] || vkey=$work/vkey.now
    check "munkeyctl verifies a receipt from $when the rotation" verified_by_munkeyctl $when-3
    check "openssl verifies a receipt from $when the rotation" verified_by_openssl $when-3 "$vkey"
    check "PyJWT verifies a receipt from $when the rotation" verified_by_pyjwt $when-3
    check "the daemon verifies a receipt from $when the rotation" verified_by_the_daemon $when-3
    if [ -z "${no_jose-}" ]; then
        check "jose verifies a receipt from $when the rotation" verified_by_jose $when-3
    else
        ok "jose verifies a receipt from $when the rotation # SKIP there is no npm, or no way to its registry"
    fi
done
# Forgeries.
no_forgery_is_accepted() {
    $python "$source/tests/mutations.py" "$build/munkeyctl" "$work/strangers" "$url" "$kept" \
        "$rotated" "$proved" >"$work/mutations" 2>&1
}
check "no verifier accepts a mutation" no_forgery_is_accepted
sed 's/^/# /' "$work/mutations"
check "the daemon ends cleanly" stop

# A key that is kept elsewhere.
mv "$work/shop/keys/log.pem" "$work/elsewhere.pem"
start shop --log-key "$work/elsewhere.pem"
says_how() {
    ! ctl rotate shop log 2>"$work/said" && grep -F "move the key to keys/log.pem" "$work/said"
}
check "a key that a setting names is not rotated, and the answer says how it is" says_how
check "the daemon ends cleanly again" stop
finish
