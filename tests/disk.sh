# SPDX-License-Identifier: Apache-2.0
# A disk whose power can be cut: an image on a file system that copies it in no time.  The copy has
# what reached the disk, and not what the kernel still held.  In $work, a folder:
#
#     fresh a                  an empty disk, plugged in at $disk
#     copy a cut; unplug       the power is cut
#     plug_in cut              and is back
disk=$work/disk copies=$work/copies

make_disks() {
    mkdir "$disk" "$copies" && truncate -s 4G "$work/device" &&
        mkfs.xfs -q -m reflink=1 "$work/device" && mount -o loop "$work/device" "$copies"
}

remove_disks() {
    for folder in "$disk" "$copies"; do
        while mountpoint -q "$folder"; do umount "$folder" || sleep 1; done
    done
}

copy() {
    cp --reflink=always "$copies/$1" "$copies/$2"
}

# What ext4 would not write by itself for 300 s, a power cut takes.
plug_in() {
    mount -o loop,commit=300,noatime "$copies/$1" "$disk"
}

unplug() {
    umount "$disk"
}

fresh() {
    truncate -s 64M "$copies/$1" &&
        mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$copies/$1" && plug_in "$1"
}

# How often a line of file $1, bytes, stands on the disk that is plugged in, or was last.
count_on() {
    LC_ALL=C grep -aoFf "$1" "$copies/$2" | wc -l
}

# The keyring's records on the disk that is plugged in, into $work/keys: ref, and 16 bytes of the
# wrapped data key such as grep can search for, in octal.
keep_keys() {
    od -An -v -to1 -w128 "$disk/state/keys/keyring" | awk '{
        ref = wrapped = ""
        for (i = 1; i <= 16; i++) ref = ref "\\0" $i
        for (i = 49; i <= 88 && n < 16; i++) {
            n = $i == "000" || $i == "012" ? 0 : n + 1
            wrapped = n ? wrapped "\\0" $i : ""
        }
        if (n == 16) print ref, wrapped
        n = 0 }' >>"$work/keys"
}

# Of those who are erased no data key is left anywhere on the disk; the last one may be under way.
# The sealed instances may: power that is cut while ext4 allocates blocks leaves them unreferenced.
no_key_is_left() {
    od -An -v -to1 -w16 "$disk/state/log/tombstones" | sed 's/ /\\0/g' >"$work/refs"
    last=$(tail -n 1 "$work/refs")
    grep -vxF -e "$last" "$work/refs" |
        awk 'NR == FNR { erased[$1]; next } $1 in erased && !seen[$1]++ { print $2 }' \
            - "$work/keys" >"$work/escaped"
    while IFS= read -r key; do printf '%b\n' "$key"; done <"$work/escaped" >"$work/bytes"
    [ ! -s "$work/bytes" ] || [ "$(count_on "$work/bytes" "$1")" -eq 0 ] ||
        { echo "# a destroyed key is on the disk"; return 1; }
}

# For tests/load.c: the disk as it was kept becomes the one that is plugged in.
swap() {
    unplug && mv "$copies/cut" "$copies/now" && plug_in now && keep_keys && no_key_is_left now
}
