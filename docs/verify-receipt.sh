#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks a receipt without munkeyd: with openssl, a shell, coreutils, and jq to read JSON.
#
#     docs/verify-receipt.sh REPLY.json JWKS.json VKEY
#
# REPLY.json is the saved reply of an erasure or a restriction, JWKS.json what
# /.well-known/jwks.json gave, and VKEY a file with what /log/vkey gave.  The formats are explained
# in LEDGER.md.
set -eu
[ $# -eq 3 ] || { echo "usage: $0 REPLY.json JWKS.json VKEY" >&2; exit 2; }
reply=$1 jwks=$2 vkey=$3
for tool in openssl jq base64 od; do
    command -v "$tool" >/dev/null || { echo "$0: install $tool, then try again" >&2; exit 2; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

failed() {
    echo "$1: FAILED, $2"
    exit 1
}

# base64url without padding, as in a JWS, to bytes and back.
from_base64url() {
    text=$(printf %s "$1" | tr -- '-_' '+/')
    while [ $((${#text} % 4)) -ne 0 ]; do text=$text=; done
    printf %s "$text" | base64 -d
}

to_base64url() {
    base64 -w0 | tr -d = | tr -- '+/' '-_'
}

hex() {
    od -An -v -tx1 | tr -d ' \n'
}

# An Ed25519 public key in PEM: RFC 8410's twelve bytes, then the key's 32.
public_key() {
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000' && cat; } |
        openssl pkey -pubin -inform DER
}

# signed_by KEY SIGNATURE TEXT: files.
signed_by() {
    openssl pkeyutl -verify -pubin -inkey "$1" -rawin -sigfile "$2" -in "$3" >"$tmp/log" 2>&1
}

# --- signature: a JWS (RFC 7515) by the key that its header names
receipt=$(jq -er .receipt "$reply")
header=${receipt%%.*} signature=${receipt##*.} signed=${receipt%.*}
payload=${signed#*.}
printf %s "$signed" >"$tmp/signed"
from_base64url "$signature" >"$tmp/signature"
from_base64url "$payload" >"$tmp/entry"
kid=$(from_base64url "$header" | jq -er 'select(.alg == "EdDSA").kid') ||
    failed signature "the header states another algorithm"
x=$(jq -er --arg kid "$kid" '.keys[] | select(.kid == $kid).x' "$jwks") ||
    failed signature "the key set does not hold the key $kid"
# A kid is its key's thumbprint (RFC 7638).
thumbprint=$(printf '{"crv":"Ed25519","kty":"OKP","x":"%s"}' "$x" |
    openssl dgst -sha256 -binary | to_base64url)
[ "$thumbprint" = "$kid" ] || failed signature "the key set lies about $kid"
from_base64url "$x" | public_key >"$tmp/receipt.pem"
signed_by "$tmp/receipt.pem" "$tmp/signature" "$tmp/signed" ||
    failed signature "the receipt was changed or forged"
echo "signature: ok"

# --- leaf in log: from the entry's leaf hash up to the root (RFC 9162, 2.1.3.2)
jq -erj .log.proof "$reply" >"$tmp/proof"
[ "$(sed -n 1p "$tmp/proof")" = c2sp.org/tlog-proof@v1 ] ||
    failed "leaf in log" "this is no proof"
index=$(sed -n '2s/^index \([0-9]\{1,18\}\)$/\1/p' "$tmp/proof")
sed '1,/^$/d' "$tmp/proof" >"$tmp/checkpoint"
origin=$(sed -n 1p "$tmp/checkpoint")
size=$(sed -n '2s/^\([0-9]\{1,18\}\)$/\1/p' "$tmp/checkpoint")
root=$(sed -n 3p "$tmp/checkpoint")
[ -n "$index" ] && [ -n "$size" ] && [ "$index" -lt "$size" ] ||
    failed "leaf in log" "index and size do not fit"

# parent LEFT RIGHT: base64 hashes; SHA-256(1 || left || right)
parent() {
    { printf '\001' && printf %s "$1" | base64 -d && printf %s "$2" | base64 -d; } |
        openssl dgst -sha256 -binary | base64
}

hash=$({ printf '\000' && cat "$tmp/entry"; } | openssl dgst -sha256 -binary | base64)
fn=$index sn=$((size - 1))
for sibling in $(sed -n '3,/^$/p' "$tmp/proof"); do
    [ "$sn" -ne 0 ] || failed "leaf in log" "the proof is too long"
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
        hash=$(parent "$sibling" "$hash")
        while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do
            fn=$((fn >> 1)) sn=$((sn >> 1))
        done
    else
        hash=$(parent "$hash" "$sibling")
    fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
done
[ "$sn" -eq 0 ] && [ "$hash" = "$root" ] ||
    failed "leaf in log" "the proof does not lead to the checkpoint's root"
echo "leaf in log: ok, entry $index of $size"

# --- checkpoint: signed by the log's key (C2SP signed-note)
name=$(sed -n '1s/+.*//p' "$vkey") key=$(sed -n '1s/^[^+]*+[^+]*+//p' "$vkey")
printf %s "$key" | base64 -d >"$tmp/typed"
id=$({ printf '%s\n' "$name" && cat "$tmp/typed"; } | openssl dgst -sha256 -binary |
    head -c 4 | hex)
[ "$(sed -n '1s/^[^+]*+\([^+]*\)+.*/\1/p' "$vkey")" = "$id" ] ||
    failed checkpoint "the verifier key's id is not that of its name and key"
[ "$name" = "$origin" ] && [ "$(jq -er .iss "$tmp/entry")" = "$origin" ] ||
    failed checkpoint "it is another log's"
sed '/^$/,$d' "$tmp/checkpoint" >"$tmp/text"
tail -c 32 "$tmp/typed" | public_key >"$tmp/log.pem"
found=no
for blob in $(sed -n "1,/^\$/d; s|^— ||p" "$tmp/checkpoint" |
    awk -v name="$name" '$1 == name { print $2 }'); do
    printf %s "$blob" | base64 -d >"$tmp/blob"
    [ "$(head -c 4 "$tmp/blob" | hex)" = "$id" ] || continue
    tail -c +5 "$tmp/blob" >"$tmp/signature"
    signed_by "$tmp/log.pem" "$tmp/signature" "$tmp/text" ||
        failed checkpoint "the signature does not fit"
    found=yes
done
[ "$found" = yes ] || failed checkpoint "the log's key has not signed it"
echo "checkpoint: ok, $origin"

# --- commitment: HMAC-SHA256(salt, label || u16be len || subject || u16be len || request)
u16be() {
    printf "\\$(printf %03o $(($1 / 256)))\\$(printf %03o $(($1 % 256)))"
}

jq -erj .opening.subject "$reply" >"$tmp/subject"
jq -erj .opening.request "$reply" >"$tmp/request"
salt=$(from_base64url "$(jq -er .opening.salt "$reply")" | hex)
[ ${#salt} -eq 64 ] || failed commitment "the salt is not 32 bytes"
{
    printf 'munkeyd/subject/v1\000'
    u16be "$(wc -c <"$tmp/subject")"
    cat "$tmp/subject"
    u16be "$(wc -c <"$tmp/request")"
    cat "$tmp/request"
} >"$tmp/message"
commit=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$salt" -binary "$tmp/message" |
    to_base64url)
[ "$commit" = "$(jq -er .commit "$tmp/entry")" ] ||
    failed commitment "the receipt is not about this subject and request"
echo "commitment: ok"

# --- what was signed; what stands around it in the reply is not, and has to say the same
case $(jq -er .act "$tmp/entry") in
erase) status=erased ;;
not_held) status=not_held ;;
restrict) status=restricted ;;
unrestrict) status=unrestricted ;;
*) failed statement "the entry is none that has a receipt" ;;
esac
erased=$(jq '[.classes[]?] | add // 0' "$tmp/entry")
jq -e --arg status "$status" --argjson erased "$erased" \
    '(.status // $status) == $status and (.erased // $erased) == $erased' "$reply" >"$tmp/log" ||
    failed statement "the reply says otherwise than its receipt"
echo "statement: $status, $erased instances, $(jq -c '.classes // {}' "$tmp/entry")"
