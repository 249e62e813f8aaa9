#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures a training step of the encoder (profile F, batch 128, fp32) beside the same model in
# PyTorch, in turns in one run, as medians and their ratio.  Nothing is asserted: machines differ.
#
#     tests/bench_train.sh FOLDER-WITH-MUNKEY-TRAIN [PYTHON-WITH-TORCH]
#
# Without a Python, one with the newest PyTorch of PyPI is made in a temporary folder.
set -eu
build=$1 python=${2-} rounds=${ROUNDS:-5} steps=${STEPS:-40} threads=$(nproc)
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "$python" ]; then
    python3 -m venv "$work/venv" && "$work/venv/bin/pip" -q install torch numpy
    python=$work/venv/bin/python
fi

# Milliseconds per image, from the course that munkey-train writes of its encoder.
ours() {
    rm -f "$work/course"
    "$build/munkey-train" --profile F --threads "$threads" --out "$work/model" --metrics "$work/course" \
        --steps-encoder $((steps + 1)) --steps-fusion 1 --split 12000,200,200 >"$work/said" 2>&1
    jq -r 'select(.stage == "encoder" and .done == .total) | 1000 / .images_per_second' \
        "$work/course"
}

theirs() {
    "$python" "$source/tests/bench_torch.py" "$threads" "$steps" >"$work/torch"
    cut -d' ' -f1 <"$work/torch"
}

median() {
    sort -n | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int((NR + 2) / 2)]) / 2 }'
}

compare() {
    : >"$work/ours" && : >"$work/theirs"
    for _ in $(seq "$rounds"); do
        ours >>"$work/ours"
        theirs >>"$work/theirs"
    done
    awk -v a="$(median <"$work/ours")" -v b="$(median <"$work/theirs")" -v what="$1" \
        -v peer="$(cut -d' ' -f2- <"$work/torch")" -v n="$rounds" -v t="$threads" 'BEGIN {
        printf "%s: munkey-train %.3f ms an image, %s %.3f ms, ratio %.2f (medians of %d, %d threads)\n",
            what, a, peer, b, a / b, n, t }'
}

unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
compare "OPENBLAS_CORETYPE unset"
export OPENBLAS_CORETYPE=Haswell
compare "OPENBLAS_CORETYPE=Haswell"
