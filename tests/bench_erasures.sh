#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures erasures of people with one instance each: thousands as lines of POST /erasures, and
# some by DELETE over one connection after the other, in one run.  Nothing is asserted: machines
# differ, and a busy one measures itself.
#
#     ./autogen.sh && ./configure && make && tests/bench_erasures.sh
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
people=${PEOPLE:-10000} singles=${SINGLES:-500}
from=$((60000 - people - singles))

{
    echo "index,subject,source,collected_at,lawful_basis,consent_ref"
    seq $from 59999 | awk '{ printf "%d,person-%d,,,,\n", $1, $1 }'
} >"$work/rows.csv"
make_state bench "$work/rows.csv"
start bench
seq $((from + singles)) 59999 |
    awk '{ printf "{\"subject\":{\"value\":\"person-%d\"},\"request_id\":\"r-%d\"}\n", $1, $1 }' >"$work/body"

# One curl for all, so that no process is started meanwhile; each has a connection of its own, as
# munkeyd closes it.
seq $from $((from + singles - 1)) | awk -v url="$url/subjects/person-" -v token="$token" '
    NR > 1 { print "next" }
    { printf "url = %s%d\nrequest = DELETE\nsilent\noutput = /dev/null\n", url, $1
      printf "header = \"Authorization: Bearer %s\"\nheader = \"Idempotency-Key: d-%d\"\n", token, $1
      print "write-out = \"%{time_total} %{http_code}\\n\"" }' >"$work/curl"
curl -K "$work/curl" >"$work/singles"
awk '$2 != 200 { print "bench_erasures: answered " $2; exit 1 } { print $1 * 1000 }' "$work/singles" |
    sort -n | awk '{ t[NR] = $1; sum += $1 } END {
        printf "DELETE /subjects/{id}: %d, %.0f per second, p50 %.2f ms, p99 %.2f ms\n", NR,
            NR / sum * 1000, t[int((NR + 1) / 2)], t[int(NR * .99 + .5)] }'
seconds=$(api POST /erasures -H 'Content-Type: application/x-ndjson' --data-binary "@$work/body" \
    -o "$work/reply" -w '%{time_total}')
erased=$(jq -r .status "$work/reply" | grep -cx erased)
echo "POST /erasures: $erased lines in $seconds s" |
    awk '{ printf "%s, %.0f per second, %.2f ms a transaction of 64\n", $0, $3 / $6, $6 / $3 * 64000 }'
stop
