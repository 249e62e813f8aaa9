#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# TLS: what is offered, certificates that change while munkeyd serves, and clients that say nothing.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

# expired_certificate NAME: one that ended on the first of February 2020.
expired_certificate() {
    make_certificate "$1" 1
    printf '%s\n' '[ca]' 'default_ca=us' '[us]' "database=$work/index" "serial=$work/serial" \
        "new_certs_dir=$work" default_md=sha256 policy=any '[any]' commonName=supplied >"$work/ca.cnf"
    : >"$work/index" && echo 01 >"$work/serial"
    openssl req -new -key "$work/$1.key" -subj "/CN=$1" -out "$work/$1.csr" 2>/dev/null &&
        openssl ca -config "$work/ca.cnf" -selfsign -batch -notext -keyfile "$work/$1.key" \
            -in "$work/$1.csr" -startdate 20200101000000Z -enddate 20200201000000Z \
            -out "$work/$1.pem" 2>/dev/null || bail_out "no expired certificate"
}

# install NAME: where the daemon reads its certificate; each file is replaced as a whole.
install() {
    for kind in pem key; do
        cp -p "$work/$1.$kind" "$work/tls.$kind.new" && mv "$work/tls.$kind.new" "$work/tls.$kind"
    done
}

# dial [OPTION...]: what openssl says about a connection.
dial() {
    openssl s_client -connect "127.0.0.1:$port" -CAfile "$CURL_CA_BUNDLE" "$@" </dev/null 2>&1
}

shakes_hands() {
    dial "$@" | grep -q '^New, TLSv'
}

# shown: whose certificate a new connection is shown.
shown() {
    dial | sed -n 's/^subject=CN = //p'
}

# hang_up SENTENCE: a SIGHUP, and its answer in the log.
hang_up() {
    before=$(wc -l <"$work/safe.log")
    kill -HUP "$pid"
    for _ in $(seq 100); do
        tail -n +$((before + 1)) "$work/safe.log" | grep -qF "$1" && return
        sleep 0.05
    done
    cat "$work/safe.log"
    return 1
}

# refuses SENTENCE OPTION...: to start.
refuses() {
    sentence=$1
    shift
    timeout 9 "$build/munkeyd" --config /dev/null --model "$model" --state "$work/safe" --port 0 "$@" 2>"$work/said"
    [ $? -eq 78 ] && grep -qF "$sentence" "$work/said" || { cat "$work/said"; return 1; }
}

# Requests without a pause: half of them with a connection each, half over connections that are kept.
begin_load() {
    rm -f "$work/enough"
    while [ ! -e "$work/enough" ]; do
        curl -s -o /dev/null -w '%{http_code} new\n' "$url/healthz"
    done >"$work/new" 2>&1 &
    loads=$!
    while [ ! -e "$work/enough" ]; do
        curl -s -w "\n%{http_code} kept\n" "$url/{healthz,readyz,version,healthz,readyz,version}" | grep kept
    done >"$work/kept" 2>&1 &
    loads="$loads $!"
}

end_load() {
    : >"$work/enough"
    wait $loads
    cat "$work/new" "$work/kept" >"$work/statuses"
}

# seconds COMMAND...: how long it took.
seconds() {
    since=$(date +%s)
    "$@" >/dev/null 2>&1
    echo $(($(date +%s) - since))
}

for name in first second; do
    make_certificate $name 60
done
make_certificate soon 11
expired_certificate past
cat "$work"/first.pem "$work"/second.pem "$work"/soon.pem >"$work/trusted.pem"
CURL_CA_BUNDLE=$work/trusted.pem && export CURL_CA_BUNDLE
scheme=https tls_options="--tls-certificate $work/tls.pem --tls-key $work/tls.key"
ctl init safe --origin example.org/safe >/dev/null || bail_out "no state folder"
install first

# Mistakes.
check "a certificate without a key is refused" \
    refuses "tls_certificate and tls_key need each other" --tls-certificate "$work/first.pem"
check "a key of another certificate is" refuses "are no certificate with its key" \
    --tls-certificate "$work/first.pem" --tls-key "$work/second.key"
check "a file that is not there is" refuses "cannot read $work/none: No such file" \
    --tls-certificate "$work/none" --tls-key "$work/first.key"
check "a file that is no certificate is" refuses "are no certificate with its key" \
    --tls-certificate "$work/first.key" --tls-key "$work/first.key"
check "an endless file is" refuses "is no PEM file" --tls-certificate /dev/zero --tls-key "$work/first.key"
cp "$work/first.key" "$work/open.key" && chmod 644 "$work/open.key"
check "a key that every user may read is" refuses "every user of this machine may read: chmod o= it" \
    --tls-certificate "$work/first.pem" --tls-key "$work/open.key"
check "another address without TLS is warned of" refuses "0.0.0.0 is reached without TLS" \
    --address 0.0.0.0 --state "$work/none"
start safe --request-seconds 2 --idle-seconds 20
chmod 640 "$work/tls.key"
check "a key that a group may read is taken" hang_up "read the tokens and the certificate again"

# What is offered.
check "the API answers" [ "$(status_of GET /memory/digest)" = 200 ]
check "to clients who trust the certificate" [ "$(CURL_CA_BUNDLE=$work/past.pem status_of GET /healthz 2>&1 |
    grep -c 'self.signed certificate')" = 1 ]
for version in tls1_2 tls1_3; do
    check "$version is offered" shakes_hands -$version
done
for version in tls1 tls1_1; do
    check "$version is not" refused shakes_hands -$version -cipher DEFAULT:@SECLEVEL=0
done
check "nor is a cipher that a tampered record could tell something" \
    refused shakes_hands -tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384
check "a client's first guess of a key is taken" \
    [ "$(dial -trace | grep -c 'ServerHello, Length')" = 1 ]
check "who speaks in clear gets no answer" \
    [ "$(curl -s -m 9 "http://127.0.0.1:$port/healthz" | wc -c)" = 0 ]
check "and no line in the log" refused grep -qi handshake "$work/safe.log"
big() {
    head -c 3000000 /dev/zero | api POST /predict -H 'Content-Type: application/octet-stream' \
        --data-binary @- -o /dev/null -w '%{http_code}'
}
check "a body of many records arrives whole" [ "$(big)" = 422 ]

# Clients that are too slow.
# lasts BYTES: for how many seconds a connection lives on which these are sent and nothing else.
lasts() {
    seconds timeout 30 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port && printf '$1' >&3 && cat <&3 >>$work/raw"
}
# A byte a second, for ever.
slowly() {
    { printf 'GET /healthz HTTP/1.1\r\nHost: x\r\nX: '
        while sleep 1; do printf x || break; done; } |
        timeout 30 openssl s_client -quiet -verify_quiet -CAfile "$CURL_CA_BUNDLE" \
            -connect "127.0.0.1:$port" 2>/dev/null
}
check "a client that says nothing is let go" [ "$(lasts '')" -le 6 ]
check "one that stops in its handshake is, too" [ "$(lasts '\26\3\1\2\0\1\0\1')" -le 6 ]
check "neither is told anything in clear" refused grep -q HTTP "$work/raw"
check "one that sends a request byte by byte is, too" [ "$(seconds slowly)" -le 8 ]

# Another certificate, under load and for an open connection.
begin_load
mkfifo "$work/say"
openssl s_client -quiet -verify_quiet -CAfile "$CURL_CA_BUNDLE" -connect "127.0.0.1:$port" \
    <"$work/say" >"$work/heard" 2>&1 &
exec 3>"$work/say"
ask() {
    printf 'GET /version HTTP/1.1\r\nHost: x\r\n\r\n' >&3
    for _ in $(seq 100); do
        [ "$(grep -c '^HTTP/1.1 200' "$work/heard")" = "$1" ] && return
        sleep 0.02
    done
    return 1
}
check "a connection is open" ask 1
install second
check "the certificate is read again at a SIGHUP" hang_up "read the tokens and the certificate again"
check "a new connection is shown it" [ "$(shown)" = second ]
check "the open one goes on" ask 2
exec 3>&-
for n in $(seq 10); do
    name=first && [ $((n % 2)) -eq 0 ] && name=second
    install $name && curl -sS --unix-socket "$work/safe/control.sock" -X POST http://localhost/reload &&
        [ "$(shown)" = $name ] || break
done >"$work/said" 2>&1
check "ten more by POST /reload" [ "$(grep -c '"status":"reloaded"' "$work/said")$(shown)" = 10second ]
end_load
check "$(wc -l <"$work/statuses") requests meanwhile, and none failed" \
    [ "$(cut -d ' ' -f 1 "$work/statuses" | sort -u)" = 200 ]

# Bad ones.
keeps() {
    hang_up "the certificate stays as it was: " && tail -n +$((before + 1)) "$work/safe.log" | grep -qF "$1" &&
        [ "$(shown)" = second ] && [ "$(status_of GET /memory/digest)" = 200 ]
}
echo rubbish >"$work/tls.pem"
check "a broken certificate is named, and the old one stays" keeps "are no certificate with its key"
cp "$work/first.pem" "$work/tls.pem"
check "so is one that came without its key" keeps "are no certificate with its key"
rm "$work/tls.pem"
check "so is one that is gone" keeps "cannot read $work/tls.pem: No such file"
curl -sS --unix-socket "$work/safe/control.sock" -X POST http://localhost/reload >"$work/said"
check "POST /reload says the same" grep -q '"status":400.*"the certificate stays as it was: cannot read' "$work/said"
ctl token safe add --scopes predict >"$work/shown" 2>"$work/said"
check "a new token is good nevertheless" \
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$work/shown")" "$url/memory/digest")" = 403 ]
install second && chmod 604 "$work/tls.key"
check "so is a key that every user may read" keeps "every user of this machine may read"

# Time.
install soon
check "one that ends in 11 days is taken" hang_up "the certificate expires in 10 days"
check "and shown" [ "$(shown)" = soon ]
install past
check "one that has ended is, too" hang_up "the certificate expired $((($(date +%s) - 1580515200) / 86400)) days ago"
check "the daemon ends cleanly" stop
start safe
for _ in $(seq 100); do grep -q 'the certificate expired' "$work/safe.log" && break; sleep 0.05; done
check "the start says it as well" grep -q 'the certificate expired .* days ago, and clients refuse it' "$work/safe.log"
check "clients refuse it" [ "$(status_of GET /healthz 2>&1 | grep -c 'certificate has expired\|self.signed')" = 1 ]
check "the daemon ends cleanly again" stop
tls_options= scheme=http
start safe
check "without the settings there is no TLS" [ "$(status_of GET /memory/digest)" = 200 ]
check "the daemon ends cleanly at last" stop
finish
