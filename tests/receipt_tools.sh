#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The receipt of the worked example, checked by tools that know nothing of munkeyd: the openssl
# command line, and jose, a JOSE library for node.
. "${top_srcdir:-.}/tests/tap.sh"
source=$(cd "${top_srcdir:-.}" && pwd)
for tool in openssl jq; do
    command -v "$tool" >/dev/null || skip_all "there is no $tool here"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
vectors=$source/tests/vectors.json

jq '{receipt: .receipt_jws, opening: (.commitment | {subject, request, salt}),
     log: {origin: .log.origin, index: 3, proof: .tlog_proof}}' "$vectors" >"$work/reply"
jq '{keys: [.receipt_key.jwk + {kid: .receipt_key.kid}]}' "$vectors" >"$work/jwks"
jq -r .log.vkey "$vectors" >"$work/vkey"

verified() {
    "$source/docs/verify-receipt.sh" "$1" "${2:-$work/jwks}" "${3:-$work/vkey}"
}

# fails_at CHECK FILTER: the reply changed by the jq filter fails, and at this check.
fails_at() {
    jq "$2" "$work/reply" >"$work/changed"
    cmp -s "$work/changed" "$work/reply" && { echo "nothing was changed"; return 1; }
    verified "$work/changed" >"$work/out" && { cat "$work/out"; return 1; }
    grep "^$1: FAILED" "$work/out" || { cat "$work/out"; return 1; }
}

check "openssl verifies the receipt" verified "$work/reply"
check "a reply that says otherwise than its receipt is found" \
    fails_at statement '.status = "restricted"'
check "... and another count" fails_at statement '.erased = 12345'
check "openssl finds a forged signature" \
    fails_at signature '.receipt |= sub("[.]M4Jn"; ".N4Jn")'
check "openssl finds a changed entry" \
    fails_at signature '.receipt |= sub("[.]eyJhY3Qi"; ".eyJhY3Qj")'
check "openssl finds a proof for another index" \
    fails_at "leaf in log" '.log.proof |= sub("index 3"; "index 2")'
check "openssl finds a proof with a changed hash" \
    fails_at "leaf in log" '.log.proof |= sub("K3My"; "L3My")'
check "openssl finds a proof that is too short" \
    fails_at "leaf in log" '.log.proof |= sub("K3My[^\n]*\n"; "")'
check "openssl finds a proof that is too long" \
    fails_at "leaf in log" '.log.proof |= sub("(?<h>K3My[^\n]*\n)"; .h + .h)'
check "openssl finds another checkpoint" \
    fails_at "leaf in log" '.log.proof |= sub("\neoTn"; "\nfoTn")'
check "openssl finds a forged checkpoint" \
    fails_at checkpoint '.log.proof |= sub("FHG2E"; "FHG2F")'
check "openssl finds a checkpoint without the log's signature" \
    fails_at checkpoint '.log.proof |= sub("— .*\n"; "")'
check "openssl finds another subject" \
    fails_at commitment '.opening.subject = "somebody@else.example"'
check "openssl finds another request" fails_at commitment '.opening.request += "0"'

other_key() {
    jq '.keys[0].x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"' "$work/jwks" >"$work/lie"
    ! verified "$work/reply" "$work/lie" >"$work/out" && grep '^signature: FAILED' "$work/out"
}
check "openssl finds a key set that lies about a kid" other_key

other_log() {
    sed 's/example/elsewhere/' "$work/vkey" >"$work/other"
    ! verified "$work/reply" "$work/jwks" "$work/other" >"$work/out" &&
        grep '^checkpoint: FAILED' "$work/out"
}
check "openssl finds a verifier key that lies about its name" other_log

# The commands of docs/LEDGER.md, run as they stand there.
by_hand() {
    mkdir "$work/by-hand" && cd "$work/by-hand" && cp ../reply reply.json &&
        cp ../jwks jwks.json || return 1
    sed -n '/^## Check a receipt/,/^## /p' "$source/docs/LEDGER.md" |
        sed -n '/^```sh$/,/^```$/p' | sed '/^```/d' >commands
    [ -s commands ] && sh -e commands >out 2>&1 || { cat out; return 1; }
    grep -q 'Signature Verified Successfully' out &&
        grep -q "$(jq -r '.leaf_hashes[3]' "$vectors")" out
}
check "the commands of docs/LEDGER.md verify the receipt" by_hand

cp -r "$source/tests/jose" "$work/jose"
jose_verifies() {
    node "$work/jose/verify.mjs" "$1" "$work/jwks" >"$work/payload" &&
        jq -r '.entries[3]' "$vectors" | cmp - "$work/payload"
}
jose_refuses() {
    jq "$1" "$work/reply" >"$work/changed" && ! jose_verifies "$work/changed"
}
if (cd "$work/jose" && npm ci --no-audit --no-fund) >"$work/npm.log" 2>&1; then
    check "jose verifies the receipt and reads the entry's exact bytes" \
        jose_verifies "$work/reply"
    check "jose refuses a forged signature" jose_refuses '.receipt |= sub("[.]M4Jn"; ".N4Jn")'
else
    ok "jose verifies the receipt # SKIP there is no npm, or no way to its registry"
fi
finish
