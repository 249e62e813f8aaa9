# SPDX-License-Identifier: Apache-2.0
# A real daemon and real images for the stories.  Source tests/tap.sh first.
#
#     make_state shop rows.csv             $work/shop, with the images that rows.csv names
#     start shop [OPTION...]               on a free port: $url, $token, $pid
#     api GET /subjects/a                  with the token; prints the body
#     batch 0 250 | api POST /predict -H 'Content-Type: application/json' --data-binary @-
#     stop                                 SIGTERM, and waits for a clean end
#
#     speak_tls                            the next daemons speak TLS, and so does api
#     make_certificate NAME DAYS           $work/NAME.pem and $work/NAME.key: of 127.0.0.1
#
# Where $validator is a folder that Makefile.am has made, $url is that of a proxy, which lets every byte
# through and checks each reply against the daemon's /openapi.json; finish says what it found.  Not over TLS,
# and not where `direct` is set; $own_port is the daemon's own.
data=/usr/share/datasets/fashion-mnist
source=${top_srcdir:-.}
build=${top_builddir:-.}
model=$source/models/fashion-mnist-F.safetensors
[ -e "$model" ] || model=$source/models/fashion-mnist-T.safetensors
seed=8d4f1c0a7be35926d1f04a87c3b2e96510fb7d2c8e9a4b6370d5c1f2a3e4b596

[ -d "$data" ] || skip_all "there is no Fashion-MNIST here: install dataset-fashion-mnist"
for tool in curl jq openssl; do
    command -v $tool >/dev/null || skip_all "there is no $tool here"
done
work=$(mktemp -d) || bail_out "no temporary folder"
pid= proxy= scheme=http tls_options=
trap 'clean_up' EXIT
before_finish=check_replies

clean_up() {
    [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
    [ -n "$proxy" ] && kill -9 "$proxy" 2>/dev/null
    rm -rf "$work"
}

ctl() {
    command=$1 name=$2
    shift 2
    "$build/munkeyctl" "$command" --config /dev/null --model "$model" --state "$work/$name" "$@"
}

make_state() {
    ctl init "$1" --origin "example.org/$1" >/dev/null &&
        ctl import "$1" --seed $seed "$data/train-images-idx3-ubyte.gz" \
            "$data/train-labels-idx1-ubyte.gz" "$2" >/dev/null 2>"$work/import.log" ||
        bail_out "no memory $1: $(tail -n 1 "$work/import.log")"
}

# Port 0 takes a free one; the log says which.  Emptied here: the child might be late, and the
# port of an earlier run be read.
start() {
    name=$1
    shift
    : >"$work/$name.log"
    ${run_as-} "$build/munkeyd" --config /dev/null --model "$model" --state "$work/$name" --port 0 $tls_options "$@" \
        2>"$work/$name.log" &
    pid=$! url=
    for _ in $(seq 300); do
        port=$(sed -nE 's/.*listening on 127.0.0.1 port ([0-9]+).*/\1/p' "$work/$name.log")
        [ -n "$port" ] && url=$scheme://127.0.0.1:$port && break
        kill -0 $pid 2>/dev/null || bail_out "munkeyd ended: $(cat "$work/$name.log")"
        sleep 0.1
    done
    [ -n "$url" ] || bail_out "munkeyd does not start: $(cat "$work/$name.log")"
    [ -e "$work/$name.token" ] || ctl token "$name" add --scopes all >"$work/$name.token" 2>/dev/null
    token=$(cat "$work/$name.token")
    own_port=$port
    start_proxy
}

# make_venv NAME REQUIREMENTS: $venv, of the tests' own.  Made once; anew when it is to hold something else.
make_venv() {
    venv=$build/tests/$1-venv
    cmp -s "$2" "$venv/installed" && return
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv" &&
        "$venv/bin/pip" install -q --disable-pip-version-check -r "$2" && cp "$2" "$venv/installed"
}

# Whether there is what the proxy is made of.
validates() {
    [ -d "${validator:-none}/node_modules" ]
}

start_proxy() {
    stop_proxy
    validates && [ -z "${direct-}" ] || return 0
    case $url in https:*) return 0 ;; esac
    [ -p "$work/proxy" ] || mkfifo "$work/proxy"
    LD_PRELOAD='' node "$validator/proxy.mjs" "$port" "$work/validated" >"$work/proxy" 2>>"$work/validated" &
    proxy=$!
    read -r port <"$work/proxy" || bail_out "no proxy: $(cat "$work/validated")"
    url=http://127.0.0.1:$port
}

# One that ended by itself had an error.
stop_proxy() {
    [ -n "$proxy" ] || return 0
    kill "$proxy" 2>/dev/null
    wait "$proxy" || echo "wrong: the proxy ended" >>"$work/validated"
    proxy=
}

# Lines of $work/validated: "wrong: ...", or how many there were of a kind.
replies_are_right() {
    stop_proxy
    cat "$work/validated" >>"$validator/replies"
    ! grep -vE '^[0-9]+ ' "$work/validated"
}

count_replies() {
    awk '{ n += $1 } END { printf "# %d replies validated\n", n }' "$work/validated"
}

check_replies() {
    if [ -e "$work/validated" ]; then
        check "every reply is as /openapi.json says" replies_are_right
        count_replies
    elif [ -n "${validator-}" ] && ! validates; then
        ok "every reply is as /openapi.json says # SKIP there is no npm, or no way to its registry"
    fi
}

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$2" -subj "/CN=$1" \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null ||
        bail_out "no certificate"
}

speak_tls() {
    make_certificate tls 60
    scheme=https tls_options="--tls-certificate $work/tls.pem --tls-key $work/tls.key"
    CURL_CA_BUNDLE=$work/tls.pem && export CURL_CA_BUNDLE
}

api() {
    method=$1 target=$2
    shift 2
    curl -sS -X "$method" -H "Authorization: Bearer $token" "$@" "$url$target"
}

# status_of METHOD TARGET ...: the status alone.
status_of() {
    api "$@" -o /dev/null -w '%{http_code}'
}

stop() {
    kill "$pid" && wait "$pid"
    ended=$?
    pid=
    stop_proxy
    return $ended
}

crash() {
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    pid=
    stop_proxy
}

# rows FROM N OWNERS [WITHOUT]: a CSV file; image i belongs to seller i % OWNERS.
rows() {
    awk -v from="$1" -v n="$2" -v owners="$3" -v without="${4-}" 'BEGIN {
        print "index,subject,source,collected_at,lawful_basis,consent_ref"
        for (i = from; i < from + n; i++) {
            seller = sprintf("seller-%03d", i % owners)
            if (seller != without)
                printf "%d,%s,catalogue,2026-01-31,contract,order %d\n", i, seller, i
        }
    }'
}

# pixels FROM N: test images, raw.
pixels() {
    zcat "$data/t10k-images-idx3-ubyte.gz" | tail -c +$((17 + 784 * $1)) | head -c $((784 * $2))
}

# batch FROM N: test images as the body of POST /predict.
batch() {
    printf '{"top_k":10,"inputs":['
    pixels "$1" "$2" | od -An -v -tu1 -w784 |
        awk '{ gsub(/ +/, ","); printf "%s[%s]", (NR > 1 ? "," : ""), substr($0, 2) }'
    printf ']}'
}

# predict FROM N: replies for test images in batches of 250, one a line.
predict() {
    for at in $(seq "$1" 250 $(($1 + $2 - 1))); do
        batch "$at" 250 | api POST /predict -H 'Content-Type: application/json' --data-binary @-
        echo
    done
}

# key_bytes: of an export, twice 16 bytes of each key, as hexadecimal.  Not of its end: the last
# principal components are small, and 16 zeros stand everywhere.
key_bytes() {
    jq -r '.instances[].key.q | .[:16], .[16:32] |
        map(if . < 0 then . + 256 else . end) | map(tostring) | join(" ")' |
        while read -r line; do printf '%02x' $line; echo; done
}
