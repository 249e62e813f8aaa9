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
    check "$when: the person is erased" ${how:-erase} "$person"
    check "$when: 100 ms later nothing of the person is found" nothing_left
}

predicted() {
    make_batch "$1" && predict_batch && infer_batch || bail_out "no predictions from the keys of $1"
    look_for "$1"
    erases "$1" "$1, after predictions from their keys" token vector
}

predicting() {
    make_batch "$1" && begin_load
    look_for "$1"
    erases "$1" "$1, in the middle of predictions from their keys"
    end_load
}

exported() {
    check "$1: a client reads all about the person, and keeps its connection" keep_reading "$1"
    look_for "$1"
    erases "$1" "$1, after an export"
    end_reading
}

restricted() {
    look_for "$1"
    check "$1: the person is restricted" restrict "$1"
    erases "$1" "$1, after a restriction"
}

together() {
    make_batch "$1" && predict_batch
    look_for "$1" && look_also_for "$1-too"
    check "$1: the search finds what there is of both" found_before
    check "$1: they are erased by one request" erase_together "$1" "$1-too"
    check "$1: 100 ms later nothing of them is found" nothing_left 2
}

# enrolled NAME FORM: a test image that nobody else has.
enrolled() {
    image=$((${image:-300} + 1))
    pixels $image 1 >"$work/image"
    check "$1: an image is enrolled" enrol_as "$2" "$1"
    copy_state
    look_for "$1" "$work/image"
    erases "$1" "$1, right after the enrolment"
}

# Each way into the memory, and of using it, for a person of its own.
each_way() {
    for way in $ways; do
        case $way in
        predicted | predicting | exported | restricted | together) $way "$1-$way" ;;
        ndjson) how=erase_as_object && enrolled "$1-$way" $way && how= ;;
        *) enrolled "$1-$way" $way ;;
        esac
    done
}

[ -z "${over_tls-}" ] || speak_tls
grep -q __asan_init "$build/munkeyd" &&
    skip_all "the sanitizer keeps freed memory, and maps terabytes of its own"
ways=${WAYS:-predicted predicting exported restricted together octet-stream json ndjson png jpeg}
people others keeping-together-too usual-together-too \
    $(for way in $ways; do echo usual-$way keeping-$way; done) >"$work/rows.csv"
make_state shop "$work/rows.csv"
name=shop && copy_state
echo "key 0102030405060708" | "$build/tests/search" $$ - >/dev/null 2>&1 ||
    skip_all "the memory of another process may not be read here"

LD_PRELOAD=$build/tests/keep_freed.so && export LD_PRELOAD
start shop
unset LD_PRELOAD
each_way keeping
check "the daemon ends cleanly" stop
[ "${WAYS-}" ] && finish # a mutant has died by now, or lives
start shop
check "after a restart nothing of the last person is found either" nothing_left
copy_state
each_way usual
check "the daemon ends cleanly again" stop
echo "# $searched needles searched"
finish
