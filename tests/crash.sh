#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kills an operation at each of its system calls, makes each of them fail, and starts again.
. "${top_srcdir:-.}/tests/tap.sh"
step=${top_builddir:-.}/tests/step
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
calls="pwrite64 write fdatasync fsync ftruncate fallocate rename renameat link unlink"
look=check

command -v strace >/dev/null || skip_all "there is no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace is not permitted here"

# Folders to begin from: one that holds nobody, one with a person, who is restricted or held in two
# more, one that has erased her and changed its keys before, one with five people, and none.
made_by() {
    cp -r "$work/$1" "$work/$2"
    for each in $3; do
        "$step" "$work/$2" "$each" >/dev/null || bail_out "no $each"
    done
}
"$step" "$work/empty" init >/dev/null || bail_out "no folder could be initialised"
made_by empty there enroll
made_by there restricted restrict
made_by there held hold
made_by empty all enroll-all
made_by there used "forget rotate-log rotate-receipt"
mkdir "$work/bare"

# What a start finds, by `step $look`, after `step $2` in a copy of folder $1 was disturbed by $3: in $found.
disturb() {
    rm -rf "$work/now" && cp -r "$work/$1" "$work/now"
    said=$(strace -f -qq -o "$work/trace" -e trace="${3%%:*}" -e inject="$3" \
        "$step" "$work/now" "$2" 2>"$work/why")
    status=$?
    if [ "$2" = init ] && [ -z "$said" ]; then # what a crash left of it is made anew
        [ -e "$work/now/log/checkpoint" ] || "$step" "$work/now" init >/dev/null
    fi
    found=$("$step" "$work/now" "$look" 2>>"$work/why") || found="refused: $(cat "$work/why")"
}

# Whether what was said and what is found go together: "done" is kept, "nothing happened"
# (status 1) is true, and without an answer there is the state before ($1), after ($2), or in between
# ($3, where there is one).
in_keeping() {
    [ "$found" = "$2" ] && { [ "$status" -ne 1 ] || [ "$1" = "$2" ]; } && return
    [ "$found" = "$1" ] && [ -z "$said" ] && return
    [ "$found" = "$3" ] && [ -z "$said" ] && [ "$status" -ne 1 ]
}

# `step $2` from folder $1, at every point of every call: $3 is injected, $4 is found before,
# $5 after, $6 in between.  There are at least $least points.
everywhere() {
    points=0
    for call in $calls; do
        n=1
        while disturb "$1" "$2" "$call:$3:when=$n" && grep -qE "INJECTED|killed" "$work/trace"; do
            in_keeping "$4" "$5" "${6-}" ||
                { echo "$call $n: said '$said' ($status), found '$found'"; return 1; }
            points=$((points + 1)) n=$((n + 1))
        done
    done
    [ "$points" -ge "$least" ] || { echo "only $points points"; return 1; }
    total=$((${total:-0} + points))
}

least=20
for what in signal=SIGKILL error=EIO; do
    check "an erasure is whole or was not, whatever call meets $what" \
        everywhere there forget $what "there 0" "gone 1"
    check "an enrolment is whole or was not, whatever call meets $what" \
        everywhere empty enroll $what "gone 0" "there 0"
    check "a restriction is whole, was not, or is kept without an answer, whatever call meets $what" \
        everywhere there restrict $what "there 0" "restricted 1" "restricted 0"
    check "its lifting is whole or was not, whatever call meets $what" \
        everywhere restricted lift $what "restricted 1" "there 2"
done
check "a disk that is full at any call makes an erasure whole or not happen" \
    everywhere there forget error=ENOSPC "there 0" "gone 1"
check "an init that was killed at any call is made anew" \
    everywhere bare init signal=SIGKILL "gone 0" "gone 0"

# Five people and an unknown one, of whom the one who is held stays: all of it or nothing.
look=people
for what in signal=SIGKILL error=EIO; do
    check "a batch of erasures is whole or was not, whatever call meets $what" \
        everywhere all forget-all $what "5 0 0" "1 5 6"
done

# Rotations; a start that has one to complete is disturbed as well.
look=keys
for key in log receipt; do
    for what in signal=SIGKILL error=EIO; do
        check "a rotation of the $key key is whole or was not, whatever call meets $what" \
            everywhere used rotate-$key $what 2 3
    done
    cp -r "$work/used" "$work/pending-$key"
    strace -f -qq -o "$work/trace" -e trace=link -e inject=link:signal=SIGKILL \
        "$step" "$work/pending-$key" rotate-$key 2>"$work/why"
    check "a rotation of the $key key is left half done" [ -e "$work/pending-$key/keys/$key.pem.next" ]
    check "a start completes it, whatever call it is killed at" \
        everywhere pending-$key keys signal=SIGKILL 3 3
done

# A hold is one write to the keyring.
look=check
least=2
for what in signal=SIGKILL error=EIO; do
    check "a hold is whole or was not, whatever call meets $what" \
        everywhere there hold $what "there 0" "held 0"
    check "its end is whole or was not, whatever call meets $what" \
        everywhere held release $what "held 0" "there 0"
done
echo "# $total points"
finish
