#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures a running quickstart: predictions (hey) and erasures (curl), as medians and 99th
# percentiles.  Nothing is asserted: machines differ, and a busy one measures itself.
#
#     ./quickstart && tests/bench_http.sh
set -eu
cd "$(dirname "$0")/.."
test -r quickstart.env || { echo "bench_http: run ./quickstart first" >&2; exit 2; }
. ./quickstart.env
for tool in curl hey jq; do
    command -v $tool >/dev/null || { echo "bench_http: install $tool" >&2; exit 2; }
done
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
erasures=${ERASURES:-200} each=${EACH:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One test image as raw pixels, and a body of $each images to enrol.
zcat $images | tail -c +17 | head -c 784 >"$work/image"
zcat $images | tail -c +17 | head -c $((784 * each)) | od -An -v -tu1 -w784 |
    sed 's/^ *//; s/  */,/g; s/.*/{"input":[&],"label":0}/' |
    jq -cs '{instances: .}' >"$work/instances"

call() { # METHOD PATH [curl's options]: prints seconds and status
    method=$1 path=$2
    shift 2
    curl -s -o /dev/null -w '%{time_total} %{http_code}\n' -X "$method" \
        -H "Authorization: Bearer $MUNKEYD_TOKEN" "$@" "$MUNKEYD_URL$path"
}

percentiles() { # of "seconds status" lines; fails unless each status is $1
    awk -v want="$1" '$2 != want { print "bench_http: answered " $2 > "/dev/stderr"; exit 1 }
        { print $1 * 1000 }' | sort -n |
        awk '{ t[NR] = $1 } END { printf "p50 %.2f ms, p99 %.2f ms, n %d\n",
            t[int((NR + 1) / 2)], t[int(NR * .99 + .5)], NR }'
}

echo "memory: $(curl -s -H "Authorization: Bearer $MUNKEYD_TOKEN" "$MUNKEYD_URL/memory/digest" |
    jq -r .n) instances"

for connections in 1 8; do
    printf 'POST /predict, one image, %s connection(s): ' $connections
    hey -n 4000 -c $connections -m POST -T application/octet-stream -D "$work/image" \
        -H "Authorization: Bearer $MUNKEYD_TOKEN" "$MUNKEYD_URL/predict" >"$work/hey"
    grep -q '\[200\].4000 responses' "$work/hey" || { cat "$work/hey" >&2; exit 1; }
    awk '/Requests\/sec/ { rate = $2 } /50% in/ { p50 = $3 } /99% in/ { p99 = $3 }
        END { printf "%.0f requests/s, p50 %.2f ms, p99 %.2f ms\n", rate, p50 * 1000,
            p99 * 1000 }' "$work/hey"
done

i=0
while [ $i -lt "$erasures" ]; do
    call POST "/subjects/bench-$i/instances" -H 'Content-Type: application/json' \
        --data-binary "@$work/instances"
    i=$((i + 1))
done >"$work/enrol"
printf 'POST /subjects/{id}/instances, %s images: ' "$each"
percentiles 201 <"$work/enrol"

i=0
while [ $i -lt "$erasures" ]; do
    call DELETE "/subjects/bench-$i"
    i=$((i + 1))
done >"$work/erase"
printf 'DELETE /subjects/{id}, %s instances: ' "$each"
percentiles 200 <"$work/erase"
