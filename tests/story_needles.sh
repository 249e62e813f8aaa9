#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 100 ms after an erasure is answered, nothing of the person is in any file of the state folder or
# in the memory of the process: no key, exemplar token, nonce, id, provenance, data key, image.
# The daemon runs with memory that is never used again once it is freed (tests/keep_freed.c), so
# that what is not wiped is found each time and not by chance; then as it always runs.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
. "$source/tests/needles.sh"

# erases NAME WHEN [KIND...]: the needles have been made.
erases() {
    person=$1 when=$2
    shift 2
    check "$when: the search finds what there is" found_before "$@"
    check "$when: the person is erased" erase "$person"
    check "$when: 100 ms later nothing of the person is found" nothing_left
}

# after_enrolment FORM NAME: a test image that nobody else has.
after_enrolment() {
    image=$((${image:-300} + 1))
    pixels $image 1 >"$work/image"
    check "$2: an image comes as $1" enrol_as "$1" "$2"
    copy_state
    look_for "$2" "$work/image"
    erases "$2" "$2, right after the enrolment"
}

# Every way into the memory, and what may use it, for people of their own.
every_way() {
    make_batch "$1-1" && predict_batch
    look_for "$1-1"
    erases "$1-1" "$1, after predictions from their keys" token vector

    make_batch "$1-2" && begin_load
    look_for "$1-2"
    erases "$1-2" "$1, in the middle of predictions from their keys"
    end_load

    check "$1: a client reads all about a person, and keeps its connection" keep_reading "$1-3"
    look_for "$1-3"
    erases "$1-3" "$1, after an export"
    end_reading

    make_batch "$1-4" && predict_batch
    look_for "$1-4"
    check "$1: a person is restricted" restrict "$1-4"
    erases "$1-4" "$1, after a restriction"

    make_batch "$1-6" && predict_batch
    look_for "$1-5" && look_also_for "$1-6"
    check "$1, people who are erased together: the search finds what there is" found_before
    check "$1, people who are erased together: they are" erase_together "$1-5" "$1-6"
    check "$1, people who are erased together: 100 ms later nothing of them is found" nothing_left 2

    for form in octet-stream json ndjson png jpeg; do
        after_enrolment $form "$1-$form"
    done
}

grep -q __asan_init "$build/munkeyd" &&
    skip_all "the sanitizer keeps freed memory, and maps terabytes of its own"
people $(seq -f 'keeping-%.0f' 6) $(seq -f 'usual-%.0f' 6) others >"$work/rows.csv"
make_state shop "$work/rows.csv"
name=shop && copy_state
echo "key 0102030405060708" | "$build/tests/search" $$ - >/dev/null 2>&1 ||
    skip_all "the memory of another process may not be read here"

LD_PRELOAD=$build/tests/keep_freed.so && export LD_PRELOAD
start shop
unset LD_PRELOAD
every_way keeping
check "the daemon ends cleanly" stop
[ "${NEEDLES_KEEPING_ONLY-}" ] && finish
start shop
check "after a restart nothing of the last person is found either" nothing_left
copy_state
every_way usual
check "the daemon ends cleanly again" stop
echo "# $searched needles searched"
finish
