# SPDX-License-Identifier: Apache-2.0
# TAP for shell tests: source this file, then
#
#     check "the daemon answers" curl -sf "$url/healthz"
#     skip_all "there is no strace here"
#     finish
#
# A check runs its command; what a failing one printed is shown as a diagnosis.  $before_finish is a
# command that has something to check at the end.
tap_n=0 tap_failed=0
tap_out=$(mktemp) || exit 1

ok() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1"
}

not_ok() {
    tap_n=$((tap_n + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_n - $1"
}

check() {
    tap_name=$1
    shift
    if "$@" >"$tap_out" 2>&1; then # not in a subshell: it may set variables, and wait
        ok "$tap_name"
    else
        not_ok "$tap_name"
        sed -n '1,20s/^/# /p' "$tap_out"
    fi
}

# Succeeds when the command fails.
refused() {
    ! "$@"
}

skip_all() {
    rm -f "$tap_out"
    echo "1..0 # SKIP $1"
    exit 0
}

bail_out() {
    echo "Bail out! $1"
    exit 1
}

finish() {
    ${before_finish-}
    rm -f "$tap_out"
    echo "1..$tap_n"
    [ "$tap_failed" -eq 0 ]
    exit
}
