#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd accepts the unit without a word, and finds it well locked in.
. "${top_srcdir:-.}/tests/tap.sh"
command -v systemd-analyze >/dev/null || skip_all "there is no systemd-analyze here"
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT

# systemd looks for the programs: programs that exist stand in for those not installed yet.
sed -E 's|^(Exec[A-Za-z]*=)[^ ]*/munkeyd?(ctl)? |\1/bin/true |' \
    "${top_builddir:-.}/systemd/munkeyd.service" >"$work/munkeyd.service"

# It exits 0 on an unknown key, so that any line counts.
verifies() {
    systemd-analyze verify --man=no "$1" >"$work/out" 2>&1 && [ ! -s "$work/out" ] ||
        { cat "$work/out"; return 1; }
}

exposed_at_most() {
    systemd-analyze security --offline=true --threshold="$1" "$work/munkeyd.service"
}

check "systemd verifies the unit without a word" verifies "$work/munkeyd.service"
check "its exposure is at most 2.0 of 10" exposed_at_most 20
mkdir "$work/wrong"
sed 's/^ProtectHome=/ProtectHoem=/' "$work/munkeyd.service" >"$work/wrong/munkeyd.service"
check "a misspelt key is noticed" refused verifies "$work/wrong/munkeyd.service"
finish
