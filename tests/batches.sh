#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bits do not depend on the batch: alone, beside others and on any thread, with each of OpenBLAS's
# kernels.  STEP=1 compares every size of a batch with the larger model too.
. "${top_srcdir:-.}/tests/tap.sh"
batches=${top_builddir:-.}/tests/batches
said=$(mktemp) || bail_out "no temporary file"
trap 'rm -f "$said"' EXIT

# can FLAG...: whether this processor can.
can() {
    for flag in "$@"; do
        grep -qE "^flags.* $flag( |\$)" /proc/cpuinfo || return
    done
}

same_bits() {
    kernels=$1 && shift
    "$batches" "$@" >"$said" && grep -qx "${kernels:-.*} kernels" "$said"
    ended=$?
    cat "$said"
    return $ended
}

# compare NAME KERNELS FLAG...: with both models; KERNELS empty: OpenBLAS's own choice.
compare() {
    name=$1 kernels=$2
    shift 2
    if [ -n "$kernels" ]; then export OPENBLAS_CORETYPE="$kernels"; else unset OPENBLAS_CORETYPE; fi
    for profile in T F; do
        if ! can "$@"; then
            ok "$name, profile $profile # SKIP this processor has not all of: $*"
            continue
        fi
        check "$name, profile $profile" same_bits "$kernels" $profile $([ $profile = T ] || echo "${STEP:-9}")
        sed 's/^/# /' "$said"
    done
}

compare "a batch changes no bit with the kernels for AVX2" Haswell avx2 fma
compare "a batch changes no bit with the kernels for AVX-512" SkylakeX avx512f avx512dq avx512bw avx512vl avx512cd
compare "a batch changes no bit with the kernels that OpenBLAS chooses" ""
finish
