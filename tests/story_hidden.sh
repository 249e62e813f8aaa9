#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is in the memory of munkeyd stays there: others of its user cannot read it, a crash leaves
# no core file, and the pages that hold keys cannot be swapped.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
. "$source/tests/needles.sh"
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
pattern=$(cat /proc/sys/kernel/core_pattern)

[ "$(id -u)" = 0 ] || skip_all "only root can be another user, and say where cores go"
command -v setpriv >/dev/null || skip_all "there is no setpriv here"
grep -q __asan_init "$build/munkeyd" && skip_all "the sanitizer maps terabytes of its own"

# Every mapping that is kept out of dumps and has pages is locked.  One of them is the bank, which
# has room for a million keys.
bank_is_locked() {
    awk '$1 ~ /^[0-9a-f]+-[0-9a-f]+$/ { name = $6 } $1 == "Size:" { size = $2 } $1 == "Rss:" { kb = $2 }
        / dd / && name == "" { room += size; pages += kb > 0; locked += kb > 0 && / lo / }
        END { print room, pages, locked; exit !(room > 100000 && pages > 0 && pages == locked) }' \
        "/proc/$pid/smaps"
}

all_is_locked() {
    awk '$1 ~ /^[0-9a-f]+-[0-9a-f]+$/ { where = $0; write = $2 ~ /w/ } $1 == "Rss:" { kb = $2 }
        $1 == "VmFlags:" && write && kb > 0 && !/ lo / { print where; bad++ }
        END { exit bad > 0 }' "/proc/$pid/smaps"
}

readable_by_its_user() {
    $nobody "$build/tests/search" "$1" - <"$work/needles"
}

# crashes PID: SIGSEGV, and whether a core file is left.
leaves_a_core() {
    kill -SEGV "$1"
    wait "$1" 2>/dev/null
    [ -s "$work/cores/core.$1" ]
}

people a b c >"$work/rows.csv"
make_state shop "$work/rows.csv"
name=shop && copy_state && look_for a
start shop
check "all pages with keys are locked, and kept out of dumps" bank_is_locked
check "all that is written is locked" all_is_locked
check "/readyz says so" [ "$(api GET /readyz | jq .memory_locked)" = true ]
check "it ends cleanly" stop

# The same as nobody, who may lock no more than the limit and has to be able to read the programs.
mkdir -m 777 "$work/cores" && mkdir -p "$work/bin/tests" && chmod 755 "$work"
cp "$build/munkeyd" "$build/munkeyctl" "$model" "$work/bin" && cp "$build/tests/search" "$work/bin/tests"
build=$work/bin model=$work/bin/${model##*/} run_as=$nobody
chown -R 65534:65534 "$work/shop" "$work/needles"
start shop
check "under a limit it starts and answers, too" [ "$(status_of GET /readyz)" = 200 ]
$nobody sleep 1000 &
sleeper=$!
until [ "$(cat "/proc/$sleeper/comm")" = sleep ]; do sleep 0.01; done # not setpriv any more
check "what it holds of people is still locked" bank_is_locked
check "another process of its user can be read" readable_by_its_user $sleeper
check "munkeyd cannot" refused readable_by_its_user "$pid"
check "root finds in it what is to be found" found_before

if echo "$work/cores/core.%p" 2>"$work/why" >/proc/sys/kernel/core_pattern && ulimit -c unlimited 2>"$work/why"; then
    $nobody sleep 1000 &
    check "another process leaves a core file" leaves_a_core $!
    check "munkeyd leaves none" refused leaves_a_core "$pid"
    echo "$pattern" >/proc/sys/kernel/core_pattern
    pid=
else
    ok "munkeyd leaves no core file # SKIP the pattern of core files cannot be set here"
fi
kill $sleeper
finish
