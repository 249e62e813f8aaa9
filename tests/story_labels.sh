#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Open labels over HTTP: products that come with the people who enrol them, are named in answers, and
# go with them: from the answers, from the process and from every file.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
. "$source/tests/needles.sh"
raw='Content-Type: application/octet-stream' json='Content-Type: application/json'

# ask [TOP_K]: what the daemon says of a test image.
ask() {
    api POST "/predict?top_k=${1-1}" -H "$raw" --data-binary "@$work/asked"
}

# answers_with LABEL...: these and no others, each at its place.
answers_with() {
    ask $# >"$work/answer"
    jq -r '.predictions[0].top | sort_by(.index)[] | "\(.index) \(.label)"' "$work/answer" >"$work/top"
    i=0
    for label; do
        echo "$i $label"
        i=$((i + 1))
    done | diff - "$work/top" || return 1
    [ "$(ask $(($# + 1)) | jq -r .status)" = 400 ] &&
        jq -e '[.predictions[0].top[].probability] | add | . > 0.999 and . < 1.001' "$work/answer"
}

# enrol PERSON LABEL IMAGE: prints the status.  LABEL as it stands in a URL.
enrol() {
    pixels "$3" 1 | api POST "/subjects/$1/instances?label=$2" -H "$raw" -o "$work/reply" \
        -w '%{http_code}' --data-binary @-
}

# instance IMAGE LABEL: as JSON, the label as it stands there.
instance() {
    pixels "$1" 1 | od -An -v -tu1 -w784 | sed -E 's/ +/,/g; s/^,(.*)/{"input":[\1],"label":'"$2"'}/'
}

# post PERSON MEDIA: the body from standard input; prints the status.
post() {
    api POST "/subjects/$1/instances" -H "Content-Type: $2" -o "$work/reply" -w '%{http_code}' \
        --data-binary @-
}

says() {
    jq -r .detail "$work/reply" | grep -qF -- "$1" || { cat "$work/reply"; return 1; }
}

shown() {
    [ "$(api GET "/subjects/$1" | jq -c '.instances[0] | [.label, .index]')" = "$2" ]
}

same_as() {
    ask "$2" >"$work/now" && cmp "$work/now" "$work/$1"
}

# A label in 40 bytes that are this person's alone.
leaves() {
    label=$(provenance_of "$1" label)
    pixels "$3" 1 >"$work/image"
    check "$1 enrols an image under a label of their own" enrol_as "$2" "$1" "$label"
    check "$1: it is named" [ "$(ask 4 | jq -c '[.predictions[0].top[].label] | contains(["'"$label"'"])')" = true ]
    copy_state
    look_for "$1" "$work/image"
    check "$1: the search finds what there is, the label in the process, too" found_before label
    check "$1 is erased" erase "$1"
    check "$1: 100 ms later nothing is found" nothing_left
}

model=$work/open.safetensors
"$build/tests/draw_model" shirt Zebra bag >"$model" || bail_out "no model"
pixels 0 1 >"$work/asked"
ctl init shop --origin example.org/shop >/dev/null || bail_out "no state folder"
start shop
check "the built-in labels answer, in the order of their bytes" answers_with Zebra bag shirt
ask 3 >"$work/never"
check "the version says that labels are open" [ "$(api GET /version | jq -r .model.labels)" = open ]

check "alice enrols a product by its number" [ "$(enrol alice 4711 1)" = 201 ]
instance 2 '"étagère"' | sed 's/.*/{"instances":[&]}/' >"$work/body"
check "bob enrols by JSON" [ "$(post bob application/json <"$work/body")" = 201 ]
{ instance 3 '"0815"' && instance 4 '"shirt"'; } >"$work/body"
check "and by NDJSON, one of them built in" [ "$(post bob application/x-ndjson <"$work/body")" = 201 ]
check "all of them answer" answers_with 0815 4711 Zebra bag shirt étagère
ask 6 >"$work/all"
check "alice sees hers, and where it stands" shown alice '["4711",1]'

instance 5 4711 | sed 's/.*/{"instances":[&]}/' >"$work/body"
check "a JSON number is no name" [ "$(post eve application/json <"$work/body")" = 400 ]
check "the sentence says what to send" says "in quotes also where it is a number"
check "neither is a control character" [ "$(enrol eve a%09b 5)" = 422 ]
check "nor what is longer than 63 bytes" [ "$(enrol eve "$(printf %064d 0)" 5)" = 422 ]
check "carol enrols a product" [ "$(enrol carol product%20187278 5)" = 201 ]
check "whose code is like another's: that one is refused" [ "$(enrol eve product%20251005 6)" = 409 ]
check "the sentence says what to change" says "give it another name"
check "nothing is held of who was refused" [ "$(status_of GET /subjects/eve)" = 404 ]
check "when carol is erased" [ "$(api DELETE /subjects/carol | jq -r .status)" = erased ]
check "the other one is taken" [ "$(enrol eve product%20251005 6)" = 201 ]
check "and leaves no trace either" [ "$(api DELETE /subjects/eve | jq -r .status)" = erased ]
check "answers are what they were" same_as all 6

check "an audit finds what the log says" ctl audit shop
check "a backup is made" ctl backup shop "$work/backup.db"
check "the daemon ends cleanly" stop
start shop
check "answers are the same after a restart" same_as all 6

api PUT /subjects/alice/restriction -H "$json" -d '{"ground":"b"}' >"$work/reply"
check "a restricted person's label does not answer" answers_with 0815 Zebra bag shirt étagère
check "she sees its name, and no place" shown alice '["4711",null]'
crash
start shop
check "so it is after kill -9" answers_with 0815 Zebra bag shirt étagère
api DELETE /subjects/alice/restriction >"$work/reply"
check "the restriction is lifted: answers are what they were" same_as all 6

check "bob is erased" [ "$(api DELETE /subjects/bob | jq -c '[.status,.erased]')" = '["erased",3]' ]
check "his labels are gone, the built-in one stays" answers_with 4711 Zebra bag shirt
ask 4 >"$work/without-bob"
stop || bail_out "the daemon does not end"
check "a backup of before does not bring him back" ctl restore shop --yes "$work/backup.db"
start shop
check "nor his labels" [ "$(ask 4 | jq -cS .predictions)" = "$(jq -cS .predictions "$work/without-bob")" ]
check "alice is erased" [ "$(api DELETE /subjects/alice | jq -r .status)" = erased ]
check "answers and digest are those of before anybody came" same_as never 3
check "the daemon ends cleanly at last" stop
# Without ports and the numbers of requests and traces, in which any four digits may stand.
sed "s/, request .*//; s/ port .*//; s/ in [0-9.]* ms//" "$work/shop.log" >"$work/unnumbered"
check "its log names no label" refused grep -qE "4711|0815|product" "$work/unnumbered"

# An import of files, some of them under labels that nobody has met.
mkdir "$work/img"
for i in 20 21 22 23 24 25 26; do
    pixels $i 1 >"$work/image" && "$build/tests/picture" png "$work/image" >"$work/img/$i.png"
done
echo "path,label,subject" >"$work/people.csv"
for row in "20,bag,gina" "21,a product,gina" "22,4712,hans" "23,shirt,hans" "24,a product,ivan"; do
    echo "img/${row%%,*}.png,${row#*,}"
done >>"$work/people.csv"
{ cat "$work/people.csv" && echo "img/25.png,product 187278,jana" &&
    echo "img/26.png,product 251005,jana"; } >"$work/alike.csv"
ctl init imported --origin example.org/imported >/dev/null || bail_out "no second state folder"
ctl import imported --unseen --manifest "$work/alike.csv" >"$work/said" 2>&1
check "a manifest with labels that cannot be told apart is refused" [ $? -ne 0 ]
check "with the line of the second" grep -q "line 8: the label.s code" "$work/said"
check "a manifest of new labels is imported" \
    ctl import imported --unseen --manifest "$work/people.csv"
check "and nothing twice" eval \
    'ctl import imported --unseen --manifest "$work/people.csv" | grep -q "^5 of 5 rows were there already"'
start imported
check "its labels answer" answers_with 4712 Zebra "a product" bag shirt
api DELETE /subjects/hans >"$work/reply"
check "hans takes his label along" answers_with Zebra "a product" bag shirt
api DELETE /subjects/gina >"$work/reply"
check "gina leaves one that somebody else has" answers_with Zebra "a product" bag shirt
check "the daemon ends cleanly once more" stop

if grep -q __asan_init "$build/munkeyd"; then
    ok "what leaves is wiped # SKIP the sanitizer keeps freed memory"
elif ! echo "key 0102030405060708" | "$build/tests/search" $$ - >/dev/null 2>&1; then
    ok "what leaves is wiped # SKIP the memory of another process may not be read here"
else
    LD_PRELOAD=$build/tests/keep_freed.so && export LD_PRELOAD
    start shop
    unset LD_PRELOAD
    leaves dora octet-stream 11
    leaves emil json 12
    leaves finn ndjson 13
    check "the daemon ends cleanly after them" stop
fi
finish
