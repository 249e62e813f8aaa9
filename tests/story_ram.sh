#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# When an erasure is answered, nothing of the person is in the memory of the process: no key, no
# id, no provenance, no pixel.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
grep -q __asan_init "$build/munkeyd" &&
    skip_all "the sanitizer keeps freed memory, and maps terabytes of its own"
marker=zwoelf-boxkaempfer provenance=jagen-viktor

hex() {
    od -An -v -tx1 | tr -d ' \n'
    echo
}

# What identifies the person: keys, ids as bytes and as text, the rest.
patterns() {
    key_bytes <"$work/held"
    jq -r '.instances[].id' "$work/held"
    jq -r '.instances[].id' "$work/held" | while read -r id; do printf '%s' "$id" | hex; done
    for text in "$marker" "$provenance"; do printf '%s' "$text" | hex; done
    tail -c +300 "$work/image" | head -c 32 | hex
}

found() {
    "$build/tests/scan_process" "$pid" <"$work/patterns"
}

rows 30000 2000 20 >"$work/rows.csv"
make_state ram "$work/rows.csv"
start ram
"$build/tests/scan_process" "$pid" </dev/null >/dev/null ||
    skip_all "the memory of another process may not be read here"
pixels 0 30 | od -An -v -tu1 -w784 | awk -v from="$provenance" '{ gsub(/ +/, ",")
    printf "{\"input\":[%s],\"label\":%d,\"source\":\"%s %d\"}\n", substr($0, 2), NR % 10, from, NR
}' | api POST /subjects/$marker/instances -H 'Content-Type: application/x-ndjson' \
    --data-binary @- >/dev/null
api GET "/subjects/$marker?export=1" >"$work/held"
check "30 instances are held" [ "$(jq .total "$work/held")" = 30 ]
pixels 0 1 >"$work/image"
for _ in $(seq 20); do
    api POST /predict -H 'Content-Type: application/octet-stream' \
        --data-binary "@$work/image" >/dev/null
done
batch 0 30 | api POST /predict -H 'Content-Type: application/json' --data-binary @- >/dev/null
patterns | sort -u >"$work/patterns"
before=$(found)
check "the search finds keys and ids while they are held" [ "$before" -ge 60 ]
check "the person is erased" [ "$(api DELETE /subjects/$marker | jq .erased)" = 30 ]
after=$(found)
check "afterwards nothing of the person is in the process ($before found before)" [ "$after" = 0 ]
check "the daemon ends cleanly" stop
finish
