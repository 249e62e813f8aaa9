#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All 10,000 test images through POST /predict, beside what munkey-train measures without a
# server.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

# at_least A B: percentages.
at_least() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }' || { echo "$1 is below $2"; return 1; }
}

near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(d <= 0.05 && d >= -0.05) }' ||
        { echo "$1 is not $2"; return 1; }
}

rows 30000 30000 200 >"$work/rows.csv"
make_state accuracy "$work/rows.csv"
start accuracy
predict 0 10000 | jq -r '.predictions[].index' >"$work/predicted"
zcat "$data/t10k-labels-idx1-ubyte.gz" | tail -c +9 | od -An -v -tu1 -w1 | tr -d ' ' >"$work/labels"
full=$(paste "$work/predicted" "$work/labels" | awk '$1 == $2 { n++ } END { printf "%.2f", n / 100 }')
"$build/munkey-train" --evaluate "$model" >"$work/evaluation" 2>&1 ||
    bail_out "no evaluation: $(tail -n 1 "$work/evaluation")"
measured() {
    sed -nE "s/^$1 +([0-9.]+) %.*/\\1/p" "$work/evaluation" | head -n 1
}

echo "# full, through POST /predict: $full %"
grep ' %' "$work/evaluation" | sed 's/^/# munkey-train: /'
check "10,000 images were predicted" [ "$(wc -l <"$work/predicted")" -eq 10000 ]
check "the daemon is as accurate as munkey-train says" near "$full" "$(measured full)"
check "the memory does not make it worse than the image alone" at_least "$full" "$(measured 'null pass')"
check "it is no worse than a vote of the nearest keys" at_least "$full" "$(measured kNN)"
case $model in
*-F.safetensors) check "it is at least 89.0 % accurate" at_least "$full" 89.0 ;;
esac
check "the daemon ends cleanly" stop
finish
