#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# POST /erasures: 10,000 lines of which 9,000 name somebody, and some are bad; what else goes on
# meanwhile; kill -9 in the middle, and the same body again.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
ndjson='Content-Type: application/x-ndjson'
json='Content-Type: application/json'

# people FROM N: a CSV file, each of the images is a person's, whose id no URL would like.
people() {
    echo "index,subject,source,collected_at,lawful_basis,consent_ref"
    seq "$1" $(($1 + $2 - 1)) | awk '{ printf "%d,s/../?%d#,,,,\n", $1, $1 }'
}

# lines FROM N: erasures of people.
lines() {
    seq "$1" $(($1 + $2 - 1)) |
        awk '{ printf "{\"subject\":{\"value\":\"s/../?%d#\"},\"request_id\":\"r-%d\"}\n", $1, $1 }'
}

size() {
    api GET /memory/digest | jq .size
}

digest() {
    api GET /memory/digest | jq -r '"\(.n) \(.digest)"'
}

# Each asks the daemon, which answers between two transactions: no sleep.
until_grown_by() {
    from=$(size)
    until [ "$(size)" -ge $((from + $1)) ]; do :; done
}

# facts: of each line of the reply, "line status erased receipt_id problem request_id received".
facts() {
    jq -r '"\(.line) \(.status) \(.erased) \(.receipt_id) \(.problem.status) \(.request_id) \(.received)"' \
        "$work/reply" >"$work/facts"
}

fact() {
    sed -n "$1p" "$work/facts" | cut -d ' ' -f "$2"
}

# with STATUS ERASED: how many lines have both.
with() {
    grep -cE "^[0-9]+ $1 $2 [0-9]+ null" "$work/facts"
}

send() {
    api POST /erasures -H "$ndjson" --data-binary "@$1" -o "$2" \
        -w '%{http_code} %{content_type} %{time_total}\n'
}

verified_by_munkeyctl() {
    "$build/munkeyctl" verify --jwks "$work/jwks" --vkey "$work/vkey" "$1"
}

# Every 200th line: 50 of them.
sample_verifies() {
    awk -v to="$work/sample." 'NR % 200 == 0 { print >(to NR) }' "$work/reply"
    for file in "$work"/sample.*; do
        verified_by_munkeyctl "$file" || return 1
        verified=$((${verified:-0} + 1))
    done
    [ $verified = 50 ]
}

# Lines 101 to 105 are not what they would be; five people are not asked for.
lines 0 10000 | awk '
    NR == 101 { $0 = "{\"subject\":{\"value\":\"a\"" }
    NR == 102 { $0 = "{\"subject\":{\"value\":\"s/../?98#\"},\"request_id\":\"r-98\"}" }
    NR == 103 { $0 = "{\"subject\":{\"value\":\"s/../?102#\"},\"request_id\":\"r-99\"}" }
    NR == 104 { $0 = "{\"subject\":{\"value\":\"s/../?103#\"},\"regulation\":\"hippocrates\"}" }
    NR == 105 { $0 = "{\"subject\":{\"value\":\".\"},\"regulation\":\"ccpa\"}" }
    { print }' >"$work/body"
{ people 0 9000; echo "9000,.,,,,"; echo "9001,..,,,,"; echo "9002,single,,,,"; } >"$work/rows.csv"
{ people 100 5; echo "200,s/../?200#,,,,"; } >"$work/twin.csv"
make_state shop "$work/rows.csv"
make_state twin "$work/twin.csv"

start twin
digest >"$work/twin.digest"
check "the twin, which holds but six of them, ends cleanly" stop

start shop
api GET /.well-known/jwks.json >"$work/jwks"
api GET /log/vkey >"$work/vkey"
check "one person is held" [ "$(status_of PUT /subjects/s%2F..%2F%3F200%23/hold -H "$json" -d '{"basis":"e"}')" = 200 ]
check "an id that no URL may hold is erased by an object" \
    [ "$(api POST /erasures -H "$json" -H 'Idempotency-Key: dots' -d '{"subject":{"value":".."}}' |
        jq -c '[.status, .erased, .request_id, .opening.subject]')" = '["erased",1,"dots",".."]' ]
check "and what became of it is told" [ "$(api GET /erasures/dots | jq -r .status)" = erased ]

send "$work/body" "$work/reply" >"$work/sent" &
bulk=$!
until_grown_by 200
api DELETE /subjects/single -H 'Idempotency-Key: in-between' >"$work/single"
predict 0 250 >"$work/meanwhile"
digest >"$work/digest.meanwhile"
wait $bulk
echo "# 10,000 lines: $(cut -d ' ' -f 3 "$work/sent") s"

check "all lines are answered" [ "$(cut -d ' ' -f 1,2 "$work/sent")" = "200 application/x-ndjson" ]
facts
check "in order" [ "$(cut -d ' ' -f 1 "$work/facts" | cksum)" = "$(seq 10000 | cksum)" ]
check "8,996 people are erased, by a line each, and one line stands twice" [ "$(with erased 1)" = 8996 ]
check "1,000 were not held, and have a receipt" [ "$(with not_held 0)" = 1000 ]
check "no other two lines have the same entry" \
    [ "$(cut -d ' ' -f 4 "$work/facts" | grep -v null | sort | uniq -d)" = "$(fact 99 4)" ]
check "a line that is cut off is refused" [ "$(fact 101 2,5)" = "refused 400" ]
check "a line that stands twice has one receipt" [ "$(fact 102 4)" = "$(fact 99 4)" ]
check "a name that was another's is refused" [ "$(fact 103 2,5,6)" = "refused 422 r-99" ]
check "an unknown law is refused" [ "$(fact 104 2,5)" = "refused 422" ]
check "a line without a name has one, and a due date" \
    [ "$(sed -n 105p "$work/reply" | jq -c '[.status, (.request_id | test("^[0-9a-f-]{36}:105$")),
        (.due | fromdate) - (.received | fromdate)]')" = '["erased",true,3888000]' ]
check "one that is held says so" [ "$(fact 201 2,5,6)" = "held 409 r-200" ]
check "50 receipts verify" sample_verifies
check "an erasure in between did not wait for the end" \
    [ "$(jq .log.index "$work/single")" -lt "$(fact 10000 4)" ]
check "predictions and reads went on" \
    [ "$(jq '.predictions | length' "$work/meanwhile")" = 250 ]
check "before the end" [ "$(cut -d ' ' -f 1 "$work/digest.meanwhile")" -gt 6 ]
check "the memory is that of the twin" [ "$(digest)" = "$(cat "$work/twin.digest")" ]
check "what became of one is told" \
    [ "$(api GET /erasures/r-300 | jq -c '[.status, .receipt_id]')" = \
        "$(sed -n 301p "$work/reply" | jq -c '[.status, .receipt_id]')" ]
check "and of one that DELETE named" [ "$(api GET /erasures/in-between | jq -r .status)" = erased ]
check "and of one that is held" \
    [ "$(api GET /erasures/r-200 | jq -c '[.status, .completed, .receipt_id]')" = '["held",null,null]' ]
check "an object for one who is held is a conflict" \
    [ "$(status_of POST /erasures -H "$json" -d '{"subject":{"value":"s/../?200#"}}')" = 409 ]
received=$(fact 201 7)

head -n 1000 "$work/body" >"$work/part"
head -n 1000 "$work/reply" >"$work/first"
check "the hold is lifted" [ "$(status_of DELETE /subjects/s%2F..%2F%3F200%23/hold)" = 200 ]
send "$work/part" "$work/reply" >"$work/sent"
same_receipts() {
    for each in "$work/first" "$work/reply"; do
        jq -r 'select(.request_id | . and startswith("r-")) | select(.receipt and .line != 201) |
            "\(.line) \(.receipt) \(.opening.salt) \(.received)"' "$each" >"$each.receipts"
    done
    [ "$(wc -l <"$work/first.receipts")" = 995 ] && cmp "$work/first.receipts" "$work/reply.receipts"
}
check "the same lines have the same receipts" same_receipts
check "who was held is erased now, as of the day when it was asked" \
    [ "$(sed -n 201p "$work/reply" | jq -c '[.status, .erased, .received]')" = "[\"erased\",1,\"$received\"]" ]
check "the daemon ends cleanly" stop
check "the log names nobody" refused grep -qE 's/\.\.|single|r-[0-9]' "$work/shop.log"

# ---- kill -9 in the middle ----

people 20000 1000 >"$work/rows.csv"
make_state cut "$work/rows.csv"
start cut
api GET /.well-known/jwks.json >"$work/jwks"
api GET /log/vkey >"$work/vkey"
lines 20000 1000 >"$work/body"
first=$(size)
send "$work/body" "$work/lost" >"$work/sent" 2>&1 &
bulk=$!
until_grown_by 200
crash
wait $bulk
start cut
last=$(($(size) - 1)) # the `start` of this start
echo "# killed after $((last - first)) of 1,000 lines"
check "it was killed in the middle" [ "$last" -lt $((first + 1000)) ]
for i in $(seq "$first" 8 $((last - 1))); do
    api GET "/receipts/$i" | jq -r '"\(.receipt_id) \(.receipt)"'
done >"$work/answered"
send "$work/body" "$work/reply" >"$work/sent"
facts
check "the same body again: everybody is gone" [ "$(with erased 1)" = 1000 ]
check "the memory is empty" [ "$(digest | cut -d ' ' -f 1)" = 0 ]
jq -r '"\(.receipt_id) \(.receipt)"' "$work/reply" | head -n $((last - first)) |
    awk 'NR % 8 == 1' >"$work/again"
check "who was erased before the kill has the receipt from then" cmp "$work/answered" "$work/again"
check "nobody has two" [ "$(size)" = $((first + 1000 + 1)) ]
head -n 1 "$work/reply" >"$work/one" && tail -n 1 "$work/reply" >"$work/two"
check "the first receipt verifies" verified_by_munkeyctl "$work/one"
check "the last receipt verifies" verified_by_munkeyctl "$work/two"
check "the daemon ends cleanly once more" stop
finish
