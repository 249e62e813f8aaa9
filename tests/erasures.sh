#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ERASURES people, erased one after the other under a load of predictions from their keys: 100 ms
# after each reply nothing of them is in a file, in the process, or in the blocks of the disk that
# files have given back.  Half of them in a daemon that never uses freed memory again.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
. "$source/tests/needles.sh"
erasures=${ERASURES:-200} each=20
grep -q __asan_init "$build/munkeyd" &&
    skip_all "the sanitizer keeps freed memory, and maps terabytes of its own"

# A disk of its own, whose blocks can be read from outside.
mount_disk() {
    truncate -s 96M "$work/image" && mkdir "$work/disk" &&
        mkfs.ext4 -q -F "$work/image" && mount -o loop "$work/image" "$work/disk"
} >"$work/why" 2>&1

clean_up() {
    [ -z "$loads" ] || end_load
    [ -z "$pid" ] || kill -9 "$pid" 2>"$work/why"
    [ -z "$pid" ] || wait "$pid" 2>"$work/why"
    stop_proxy
    umount "$work/disk" 2>"$work/why"
    rm -rf "$work"
}

# The tombstone's number stands on the disk, and is to.
on_the_disk() {
    [ "$disk" ] || return 0
    sync -f "$work/disk"
    grep -v '^ref ' "$work/needles" | "$build/tests/search" - "$work/image"
}

erased_one_after_another() {
    for i in $(seq "$1" "$2"); do
        look_for "person-$i"
        [ $((i % 10)) -ne 1 ] || found_before || return 1
        [ -z "$disk" ] || [ $((i % 10)) -ne 1 ] || on_the_disk | grep -q " slot " ||
            { echo "nothing was found on the disk before"; return 1; }
        erase "person-$i" && nothing_left || { echo "person-$i"; return 1; }
        on_the_disk >"$work/found"
        [ ! -s "$work/found" ] || { cat "$work/found"; return 1; }
    done
}

# round FIRST LAST: the batch asks for those who are erased in the middle.
round() {
    copy_state
    check "there are images that retrieve their keys" make_batch "person-$((($1 + $2) / 2))"
    begin_load
    check "people $1 to $2 are erased, and nothing of them is left" erased_one_after_another "$1" "$2"
    end_load
    check "the daemon ends cleanly" stop
}

loads= disk= name=shop
if mount_disk; then
    disk=yes name=disk/shop
else
    echo "# without a disk of its own: $(tail -n 1 "$work/why")"
fi
people $(seq -f 'person-%.0f' "$erasures") others >"$work/rows.csv"
make_state "$name" "$work/rows.csv"
# A daemon serves few people: one that keeps all it freed grows, and takes longer to search.
for first in $(seq 1 "$each" "$erasures"); do
    last=$((first + each - 1 < erasures ? first + each - 1 : erasures))
    [ "$first" -gt $((erasures / 2)) ] || export LD_PRELOAD="$build/tests/keep_freed.so"
    start "$name"
    unset LD_PRELOAD
    round "$first" "$last"
done
[ "$tap_failed" -ne 0 ] || echo "# $erasures erasures, $searched needles searched, 0 found"
finish
