#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An operator audits a model: how much the memory adds, what the weights keep, and who is told.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
# The small one: what is said of it is checked, not how good it is.
cp "$source/models/fashion-mnist-T.safetensors" "$work/model.safetensors"
model=$work/model.safetensors residual=$work/model.safetensors.residual.json

audit() {
    "$build/munkey-eval" audit "$model" "$work/$1" >"$work/verdict"
}

version() {
    start "$1" && curl -sS "$url/version" >"$work/version" && stop
}

is() {
    [ "$1" = "$2" ] || { echo "$1 is not $2"; return 1; }
}


rows 30000 3000 50 >"$work/rows.csv"
make_state shop "$work/rows.csv"
ctl init bare --origin example.org/bare >/dev/null || bail_out "no empty memory"
check "without an audit the service serves no verdict" version shop
check "... and says nothing of one" is "$(jq .model.residual "$work/version")" null
check "an operator audits a model with its memory" audit shop
check "... whose instances are counted" is "$(jq .rows.instances "$residual")" 3000
check "... and names it by its digest" \
    is "$(jq -r .model_sha256 "$residual")" "$(sha256sum "$model" | cut -d' ' -f1)"
check "the verdict is three sentences" is "$(wc -l <"$work/verdict")" 3
check "rows that the weights saw are recognised beyond chance, or are said not to be" \
    is "$(jq '(.attack.null | .auroc - 50 > 2 * .null_sd)' "$residual")" \
    "$(grep -q '^Class trained leaves a trace' "$work/verdict" && echo true || echo false)"
check "the service serves the verdict" version shop
check "... as it was written" is "$(jq -c .model.residual "$work/version")" "$(jq -c . "$residual")"
check "a second audit says the same" audit shop
check "a memory that is empty is audited" audit bare
check "... and changes no answer" is "$(jq -c '[.rows.instances, .memory.changed, .memory.full == .memory.null]' "$residual")" '[0,0,true]'
check "... which the verdict says" grep -q 'adds nothing' "$work/verdict"
jq '.model_sha256 = "00"' "$residual" >"$work/other" && mv "$work/other" "$residual"
check "a verdict about another model is not served" version shop
check "... nothing stands in its place" is "$(jq .model.residual "$work/version")" null
check "... and the log says why" grep -q 'about another model' "$work/shop.log"
check "other images than those of training are refused" \
    refused "$build/munkey-eval" audit "$model" "$work/shop" --images "$data/t10k-images-idx3-ubyte.gz" \
    --labels "$data/t10k-labels-idx1-ubyte.gz"
start shop
check "a memory that is being served is refused" refused audit shop
stop
finish
