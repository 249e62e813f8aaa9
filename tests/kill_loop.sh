#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 under load, KILLS times: what was answered stays so.  Every receipt verifies, a
# repeat has the same one, nobody comes back, and munkeyd always starts again.
. "${top_srcdir:-.}/tests/tap.sh"
source=${top_srcdir:-.} build=${top_builddir:-.}
kills=${KILLS:-2000} seed=${SEED:-$(date +%s)} lives=8
unlimited="--rate-enroll 0 --rate-erase 0 --rate-access 0 --rate-restrict 0"
model=$source/models/fashion-mnist-T.safetensors
work=$(mktemp -d) || bail_out "no temporary folder"
fast=$(mktemp -d -p /dev/shm 2>/dev/null) || fast=$work
trap 'rm -rf "$work" "$fast"' EXIT

ctl() {
    "$build/munkeyctl" "$@" --config /dev/null --model "$model" --state "$folder/state"
}

# One folder's life: every second one in RAM, where an operation takes a tenth of the time and
# is hit at other places.  Tests in tests/load.c; the last line has its figures.
live() {
    [ $(($1 % 2)) -eq 0 ] && folder=$fast/$1 || folder=$work/$1
    mkdir "$folder" "$folder/out" &&
        ctl init --origin "example.org/life-$1" >/dev/null &&
        token=$(ctl token add --scopes all 2>/dev/null) &&
        "$build/tests/load" -s "$((seed + $1))" -n "$((kills / lives))" -t "$token" \
            -f "$folder/state" -o "$folder/out" -- "$build/munkeyd" --config /dev/null \
            --model "$model" --state "$folder/state" --port 0 $unlimited \
            >"$folder/said" || {
        cat "$folder/said"
        trap - EXIT
        echo "with SEED=$seed; the folder is kept as it is: $folder"
        return 1
    }
    tail -n 1 "$folder/said" >>"$work/figures"
    rm -rf "$folder/state"
}

others_verify() {
    for out in "$work"/*/out "$fast"/*/out; do
        for reply in "$out"/receipt-*.json; do
            [ -e "$reply" ] || continue
            "$source/docs/verify-receipt.sh" "$reply" "$out/jwks" "$out/vkey" &&
                "$build/munkeyctl" verify --jwks "$out/jwks" --vkey "$out/vkey" "$reply" ||
                { cat "$reply"; return 1; }
            others=$((${others:-0} + 1))
        done
    done
    [ "$others" -ge 10 ]
}

# The sum of column $1 of all lives.
sum() {
    awk -v column="$1" '{ sum += $column } END { print sum + 0 }' "$work/figures"
}

: >"$work/figures"
for life in $(seq $lives); do
    check "life $life: killed at random moments it loses nothing that it answered" live "$life"
done
check "the kills hit operations, starts and ends" \
    [ "$(sum 4)" -ge $((kills / 2)) -a "$(sum 2)" -gt 0 -a "$(sum 3)" -gt 0 ]
check "openssl alone, and munkeyctl, accept a sample of the receipts" others_verify
[ "$tap_failed" -ne 0 ] ||
    echo "# $(sum 1) kills ($(sum 2) in starts, $(sum 3) in ends), $(sum 7) erasures," \
        "$(sum 6) restrictions and their ends," \
        "$(sum 4) requests interrupted, 0 lost, 0 forged"
finish
