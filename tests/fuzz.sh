#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Feeds the parsers with libFuzzer, FUZZ_SECONDS each (5 unless set).  A crash is kept as
# crash-* in the build folder.
. "${top_srcdir:-.}/tests/tap.sh"
src=$(cd "${top_srcdir:-.}" && pwd) || bail_out "no source folder"
command -v clang >/dev/null || skip_all "there is no clang here"
scratch=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$scratch"' EXIT

# fuzz NAME LIBRARIES SOURCES...
fuzz() {
    name=$1 libraries=$2
    shift 2
    (cd "$src" && clang -g -O1 -std=gnu11 -D_GNU_SOURCE -I. -w \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        "tests/fuzz_$name.c" "$@" core/err.c -o "$scratch/$name" $libraries) || return 1
    mkdir -p "$scratch/corpus-$name"
    cp "$src"/tests/corpus/"$name"/* "$scratch/corpus-$name" 2>/dev/null
    "$scratch/$name" -max_total_time="${FUZZ_SECONDS:-5}" -timeout=5 -rss_limit_mb=1024 \
        -verbosity=0 "$scratch/corpus-$name"
}

check "request targets" fuzz target "" api/target.c storage/encode.c
check "JSON" fuzz json "-ljansson -lcrypto" api/json.c storage/crypto.c storage/zeroing.c
check "tensors" fuzz tensor "-ljansson -lcrypto -lm" api/json.c api/tensor.c storage/crypto.c storage/zeroing.c
check "the log's formats" fuzz log "-lcrypto -ljansson" storage/checkpoint.c \
    storage/crypto.c storage/encode.c storage/entry.c storage/merkle.c storage/note.c \
    storage/opening.c storage/receipt.c storage/verify.c
check "model files" fuzz model "-lopenblas -ljansson -lpthread -lm" core/linalg.c \
    core/model.c core/model_attention.c core/model_format.c core/model_forward.c \
    core/label_code.c core/model_params.c core/model_shape.c core/model_stem.c core/model_writer.c \
    core/safetensors.c core/vit.c core/vit_config.c core/vit_format.c core/vit_pixels.c
check "manifests" fuzz manifest "-ljansson -lcrypto" daemon/csv.c daemon/manifest.c \
    storage/crypto.c storage/zeroing.c
check "images" fuzz image "-lpng -ljpeg -lcrypto" api/image.c api/pixels.c \
    storage/crypto.c storage/zeroing.c
finish
