#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kills an operation at each of its system calls, makes each of them fail, and starts again.
#
#     crash.sh               every row of the table below, some of them at once
#     crash.sh ROW FOLDER    one of them
step=${top_builddir:-.}/tests/step
calls="pwrite64 write fdatasync fsync ftruncate fallocate rename renameat link unlink"

# An operation (tests/step.c), the folder that it begins with, what its calls meet, what is looked
# at then, and what may be found: as before, as after, or in between where there is such a thing.
# `short`: files cannot grow beyond a limit, at which a write is cut short.
table() {
    while read -r operation folder faults look found; do
        for fault in $(echo "$faults" | tr , ' '); do
            echo "$operation|$folder|$fault|$look|$found"
        done
    done <<EOF
init            bare             kill                     check  gone 0|gone 0
enroll          empty            kill,EIO,ENOSPC,EMFILE,short check gone 0|there 0
import          empty            kill,EIO,ENOSPC          check  gone 0|there 0
forget          there            kill,EIO,ENOSPC,EMFILE,short check there 0|gone 1
forget          restricted       kill,EIO                 check  restricted 1|gone 2
forget-all      all              kill,EIO,ENOSPC          people 5 0 0|1 5 6
tell            there            kill,EIO,ENOSPC          told   there 0|gone 2
deliver         told             kill,EIO,ENOSPC          told   gone 2|gone 0
restore         told-behind      kill,EIO,ENOSPC          told   gone 2|gone 2
restrict        there            kill,EIO,ENOSPC,short    check  there 0|restricted 1|restricted 0
lift            restricted       kill,EIO,ENOSPC          check  restricted 1|there 2
hold            there            kill,EIO                 check  there 0|held 0
release         held             kill,EIO                 check  held 0|there 0
audit           there            kill,EIO                 check  there 0|there 0
rotate-log      used             kill,EIO                 keys   2|3
rotate-receipt  used             kill,EIO                 keys   2|3
backup          all              kill,EIO,ENOSPC          people 5 0 0|5 0 0
restore         behind           kill,EIO,ENOSPC          people 1 5 6|1 5 0
people          restore-begun    kill,EIO                 people 1 5 0|1 5 0
check           there            kill,EIO,ENOSPC,EMFILE   check  there 0|there 0
check           enrolment-begun  kill,EIO                 check  gone 0|gone 0
check           erasure-begun    kill,EIO,ENOSPC          check  gone 1|gone 1
check           lifting-begun    kill,EIO                 check  there 2|there 2
keys            log-key-begun    kill,EIO                 keys   3|3
keys            receipt-key-begun kill,EIO                keys   3|3
EOF
}

# Runs `step $operation` in folder $now, with its calls disturbed for the $n-th time.
disturbed() {
    case $fault in
    short) (trap '' XFSZ && ulimit -f "$n" && "$step" "$now" "$operation") ;;
    kill) inject "$call" signal=SIGKILL ;;
    EMFILE) inject openat error=EMFILE -P "$now" -P "$now/log" -P "$now/keys" \
        -P "$now/munkeyd.db" -P "$now/munkeyd.db-wal" -P "$now/keys/keyring" -P "$now/keys/root" ;;
    *) inject "$call" "error=$fault" ;;
    esac
}

inject() {
    what=$1 how=$2
    shift 2
    strace -f -qq -o "$own/trace" "$@" -e trace="$what" -e inject="$what:$how:when=$n" \
        "$step" "$now" "$operation"
}

# What a start finds after that, in $found; what is left of an init is made anew.
try() {
    rm -rf "$now" && cp -r "$folders/$folder" "$now"
    said=$(disturbed 2>"$own/why")
    status=$?
    [ "$operation" != init ] || [ -e "$now/log/checkpoint" ] || "$step" "$now" init >/dev/null
    wrong=
    [ "$operation" != backup ] || check_backup
    look_there
    [ "$operation" != restore ] || check_restore
    found=$found$wrong
}

look_there() {
    found=$("$step" "$now" "$look" 2>>"$own/why") || found="refused: $(cat "$own/why")"
}

# A backup is there whole, so that it can be restored, or not at all.
check_backup() {
    if [ -e "$now/backup.db" ]; then
        "$step" "$now" restore >/dev/null 2>>"$own/why" || wrong=", and a bad backup"
    elif [ -n "$said" ]; then
        wrong=", and no backup"
    fi
}

# A start that was refused has named the way, and it works; nothing is left of what was replaced.
check_restore() {
    case $found in *"munkeyctl restore"*)
        "$step" "$now" restore >/dev/null 2>>"$own/why"
        look_there ;;
    esac
    [ ! -e "$now/aside" ] && [ ! -e "$now/restore" ] || wrong=", and leftovers"
}

# Whether what was said and what is found go together: "done" is kept, "nothing happened"
# (status 1) is true, and without an answer there is the state before, after, or in between.
in_keeping() {
    [ "$found" = "$after" ] && { [ "$status" -ne 1 ] || [ "$before" = "$after" ]; } && return
    [ "$found" = "$before" ] && [ -z "$said" ] && return
    [ "$found" = "$between" ] && [ -z "$said" ] && [ "$status" -ne 1 ]
}

was_disturbed() {
    if [ "$fault" = short ]; then [ "$n" -lt 200 ]; else grep -qE "INJECTED|killed" "$own/trace"; fi
}

# Every point of every call of a row.
row() {
    IFS='|' read -r operation folder fault look before after between
    [ "$fault" = EMFILE ] || [ "$fault" = short ] && calls=openat
    points=0
    for call in $calls; do
        n=1
        while try && was_disturbed; do
            in_keeping || { echo "$call $n: said '$said' ($status), found '$found'"; return 1; }
            points=$((points + 1)) n=$((n + 1))
        done
    done
    echo "$points"
}

if [ $# -gt 0 ]; then
    folders=$2 own=$2/row.$1 now=$2/row.$1/now
    mkdir "$own" && sed -n "$1p" "$2/table" | row >"$own/said" && mv "$own/said" "$own/points"
    rm -rf "$now"
    exit 0
fi

. "${top_srcdir:-.}/tests/tap.sh"
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
command -v strace >/dev/null || skip_all "there is no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace is not permitted here"

# Folders to begin from: one that holds nobody, one with a person, who is restricted or held in two
# more, one with five people, one that has erased her and changed its keys before, and none.
made_by() {
    cp -r "$work/$1" "$work/$2"
    for each in $3; do
        "$step" "$work/$2" "$each" >/dev/null || bail_out "no $each"
    done
}

# Folder $2 is what operation $3 leaves of folder $1, killed at the first $4 on file $5.
begun_by() {
    cp -r "$work/$1" "$work/$2"
    strace -f -qq -o "$work/trace" -P "$work/$2/$5" -e trace="$4" -e inject="$4:signal=SIGKILL" \
        "$step" "$work/$2" "$3" >"$work/said" 2>"$work/why"
    [ ! -s "$work/said" ] && grep -q killed "$work/trace" || bail_out "no $2: $(cat "$work/said")"
}

"$step" "$work/empty" init >/dev/null || bail_out "no folder could be initialised"
mkdir "$work/bare"
made_by empty there enroll
made_by empty all enroll-all
made_by there restricted restrict
made_by there held hold
made_by there told tell
# A backup from before the callbacks: they wait on.
made_by there told-behind "backup tell"
made_by there used "forget rotate-log rotate-receipt"
# A backup from before four of the five were erased: they stay so, and their receipts stay in the
# log; what goes is the memory of the names of their requests.
made_by all behind "backup forget-all"
begun_by empty enrolment-begun enroll pwrite64 munkeyd.db-wal
begun_by there erasure-begun forget pwrite64 log/tombstones
begun_by restricted lifting-begun lift pwrite64 keys/keyring
begun_by behind restore-begun restore unlink aside/munkeyd.db
begun_by used log-key-begun rotate-log link keys/log.pem
begun_by used receipt-key-begun rotate-receipt link keys/receipt.pem

succeeded() {
    [ -e "$work/row.$1/points" ] || { cat "$work/row.$1/said"; return 1; }
    points=$(cat "$work/row.$1/points")
    [ "$points" -ge 2 ] || { echo "only $points points"; return 1; }
    total=$((total + points))
}

table >"$work/table"
total=0 rows=$(wc -l <"$work/table")
seq "$rows" | xargs -P 2 -I ROW sh "$0" ROW "$work"
for row in $(seq "$rows"); do
    IFS='|' read -r operation folder fault _ <<EOF
$(sed -n "${row}p" "$work/table")
EOF
    check "$operation in a folder $folder is whole or was not, whatever call meets $fault" \
        succeeded "$row"
done
echo "# $total points"
finish
