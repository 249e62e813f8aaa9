#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The attacks on the promises of docs/PROMISES.md that take longer than ./check has: all of them,
# whatever becomes of one.  `make attack` runs this in its build folder.
failed=

# attack SENTENCE [NAME=VALUE...] COMMAND...
attack() {
    name=$1 began=$(date +%s)
    shift
    printf '\n# %s\n' "$name"
    env "$@" || failed="$failed
#   $name"
    printf '# %s: %d s\n' "$name" $(($(date +%s) - began))
}

shell() {
    sentence=$1 script=$2
    shift 2
    attack "$sentence" "$@" sh "$top_srcdir/tests/$script"
}

attack "Histories against services that never held the forgotten" HISTORIES=1000 tests/test_histories
attack "... with the larger model, and kernels whose bits depend on rows" \
    HISTORIES=100 PROFILE=F OPENBLAS_CORETYPE=Haswell tests/test_histories
shell "Batches of every size" batches.sh STEP=1
attack "Predictions that race erasures" ROUNDS=600 tests/test_witness
shell "Kills" kill_loop.sh
shell "What is left of people" erasures.sh
shell "Power cuts" power_cut.sh
shell "Mutants: what the tests have to notice" mutants.sh
[ -z "$failed" ] || printf '\n# Failed:%s\n' "$failed"
[ -z "$failed" ]
