#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Power cuts: at every system call of an operation, and CUTS times at any moment under load.
. "${top_srcdir:-.}/tests/tap.sh"
source=${top_srcdir:-.} build=${top_builddir:-.}
step=$build/tests/step
unlimited="--rate-enroll 0 --rate-erase 0 --rate-access 0 --rate-restrict 0"
model=$source/models/fashion-mnist-T.safetensors
cuts_under_load=${CUTS:-200} seed=${SEED:-$(date +%s)}
[ "$(id -u)" = 0 ] || skip_all "only root can mount disks"
for tool in mkfs.xfs mkfs.ext4 losetup; do
    command -v $tool >/dev/null || skip_all "there is no $tool here"
done
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || bail_out "no temporary folder"
. "$source/tests/disk.sh"
trap 'remove_disks; rm -rf "$work"' EXIT
{ make_disks && fresh probe && unplug; } 2>"$work/why" ||
    skip_all "no disk can be mounted here: $(head -n 1 "$work/why")"

# Disks to begin from: one that holds nobody, one with a person, who is restricted or held in two
# more, one with five people, and one of which munkeyd knows nothing.
made_by() {
    copy "$1" "$2" && plug_in "$2" && "$step" "$disk/state" "$3" >"$work/said" && unplug ||
        bail_out "no $3"
}
fresh bare && unplug || bail_out "no disk could be made"
made_by bare empty init
made_by empty there enroll
made_by there restricted restrict
made_by there held hold
made_by empty all enroll-all
plug_in there && "$step" "$disk/state" needles >"$work/needles" && unplug ||
    bail_out "no bytes to search for"

# `step $2` on disk $1: before each of its system calls the disk becomes copies/cut.N, and what
# was said by then said.N.
run_and_cut() {
    rm -f "$copies"/cut.* "$work"/said.*
    : >"$work/said"
    copy "$1" now && plug_in now || return
    "$build/tests/cut" "cp --reflink=always '$copies/now' '$copies/cut.'\$N &&
        cp '$work/said' '$work/said.'\$N && echo \$CALL >'$work/said.'\$N.call" \
        "$step" "$disk/state" "$2" >"$work/said" 2>"$work/visitor"
    ended=$?
    unplug
    return $ended
}

# After the reply no byte of the key is on the disk, and a start need not come before.
nothing_left() {
    case $1 in
    forget) needles=$work/needles ;;
    visit) needles=$work/visitor ;;
    *) return 0 ;;
    esac
    [ -s "$said" ] || return 0
    after_reply=$((after_reply + 1))
    [ "$(count_on "$needles" now)" -eq 0 ]
}

# What a start finds; what an init that was cut left is made anew.
look() {
    [ "$1" != init ] || [ -e "$disk/state/log/checkpoint" ] ||
        "$step" "$disk/state" init >/dev/null
    found=$("$step" "$disk/state" "$look" 2>&1)
}

# The same request, under the name of then: the same answer, if there was one.
answers_again() {
    case $1 in
    visit) "$step" "$disk/state" forget again <"$said" 2>&1 ;;
    forget | forget-all | restrict | lift) "$step" "$disk/state" "$1" again <"$said" 2>&1 ;;
    esac
}

# What may be found: as after the operation ($2); and unless it was said to be done as before ($1),
# or in between ($3, where there is one).
in_keeping() {
    [ "$found" = "$2" ] && return
    [ ! -s "$said" ] && { [ "$found" = "$1" ] || [ "$found" = "${3-}" ]; } && return
    echo "said '$(head -n 1 "$said")', found '$found'"
    return 1
}

# The disk that was cut at call $1 of `step $2`.
survives() {
    said=$work/said.$1 operation=$2
    copy "cut.$1" now && nothing_left "$2" || { echo "erased bytes are left"; return 1; }
    shift 2
    plug_in now && look "$operation" && in_keeping "$@" && answers_again "$operation"
    ended=$?
    unplug
    return $ended
}

# `step $2` on disk $1; the rest is what may be found.
everywhere() {
    from=$1 operation=$2 n=0
    shift 2
    run_and_cut "$from" "$operation" || { echo "it failed without a cut"; return 1; }
    while [ -e "$copies/cut.$n" ]; do
        survives "$n" "$operation" "$@" ||
            { echo "cut $n, before $(cat "$said.call")"; return 1; }
        n=$((n + 1))
    done
    [ "$n" -ge 10 ] || { echo "only $n cuts"; return 1; }
    cuts=$((cuts + n))
}

# Keeps the disk of the first cut at which a start finds $1, as disk $2.
keep_first() {
    n=0 found=
    while [ "$found" != "$1" ]; do
        copy "cut.$n" now && plug_in now || return
        look; unplug
        n=$((n + 1))
    done
    copy "cut.$((n - 1))" "$2"
}

look=check cuts=0 after_reply=0
check "an enrolment is whole or was not, wherever the power is cut" \
    everywhere empty enroll "gone 0" "there 0"
check "an erasure is whole or was not, and leaves nothing once it is answered" \
    everywhere there forget "there 0" "gone 1"
check "one that was committed, and no more, is kept" keep_first "gone 1" committed
check "a start that completes it may be cut as well" \
    everywhere committed check "gone 1" "gone 1"
check "an enrolment and an erasure in one process leave nothing in what was the WAL" \
    everywhere empty visit "gone 0" "gone 1" "there 0"
check "there were cuts after both answers" [ "$after_reply" -ge 10 ]
look=people
check "a batch of erasures is whole or was not" everywhere all forget-all "5 0 0" "1 5 6"
look=check
check "a restriction is whole, was not, or is kept without an answer" \
    everywhere there restrict "there 0" "restricted 1" "restricted 0"
check "its lifting is whole or was not" everywhere restricted lift "restricted 1" "there 2"
check "a hold is whole or was not" everywhere there hold "there 0" "held 0"
check "its end is whole or was not" everywhere held release "held 0" "there 0"
check "an init is whole or made anew" everywhere bare init "gone 0" "gone 0"
at_calls=$cuts

# A real munkeyd under load; its disk after the cut is the one that it goes on with.
under_load() {
    export work
    fresh now && ctl init --origin example.org/cuts >/dev/null &&
        token=$(ctl token add --scopes all 2>/dev/null) && mkdir "$work/out" &&
        "$build/tests/load" -s "$seed" -n "$cuts_under_load" -t "$token" -f "$disk/state" \
            -o "$work/out" -c "cp --reflink=always '$copies/now' '$copies/cut'" \
            -r ". '$source/tests/disk.sh' && swap" -- "$build/munkeyd" --config /dev/null \
            --model "$model" --state "$disk/state" --port 0 $unlimited \
            >"$work/figures"
    ended=$?
    cat "$work/figures"
    unplug
    return $ended
}

ctl() {
    "$build/munkeyctl" "$@" --config /dev/null --model "$model" --state "$disk/state"
}

check "cut at any moment, it starts again and has lost nothing that it answered" under_load
[ "$tap_failed" -ne 0 ] || tail -n 1 "$work/figures" |
    while read -r ends starts stops interrupted _ _ erasures; do
        echo "# $((at_calls + ends)) cuts: $at_calls at system calls, $ends at any moment" \
            "($starts in starts, $stops in ends; $erasures erasures, $interrupted requests" \
            "interrupted; $(wc -l <"$work/bytes") destroyed keys looked for), 0 lost, 0 forged," \
            "0 remnants"
    done
finish
