#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ViT-B/16 with random weights: ms per image and memory, with 1 and 2 threads.
#
#     make check TESTS=                               builds the programs
#     PYTHON=VENV/bin/python tests/bench_vit.sh       beside transformers (tests/golden/vit.py)
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
bench=${top_builddir:-.}/tests/bench_vit
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$bench" write "$folder"
for threads in 1 2; do
    "$bench" time "$folder" "$threads"
    if [ -n "${PYTHON:-}" ]; then
        "$PYTHON" "$src/tests/golden/vit.py" --time "$folder" "$threads"
    fi
done
