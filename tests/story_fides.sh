#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The connector of examples/fides, run by a client that behaves as Fides' does: people are erased, also
# when munkeyd is busy at first, and whatever an id holds, never is somebody else.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
command -v python3 >/dev/null || skip_all "there is no python3 here"
python3 -c 'import yaml' 2>/dev/null || skip_all "there is no PyYAML here: install python3-yaml"
config=$source/examples/fides/munkeyd_config.yml

fides() {
    python3 "$source/tests/fides.py" "$config" \
        "$(jq -nc --arg domain "${url#http://}" --arg token "$erase_token" '{$domain, $token}')" "$@"
}

# erase NAME VALUE: by the identity that the connector asks for.
erase() {
    fides erase email "$2" "$1" >"$work/$1.reply" 2>"$work/$1.attempts"
}

says() {
    [ "$(jq -c "$2" "$work/$1.reply")" = "$3" ] || { cat "$work/$1.reply" "$work/$1.attempts"; return 1; }
}

people() {
    api GET /memory/digest | jq .n
}

# stays NAME VALUE: erasing an id like this fails with 400, and nobody is erased.
stays() {
    before=$(people)
    erase "$1" "$2" && { echo "taken"; return 1; }
    [ "$(cat "$work/$1.attempts")" = "400 " ] && [ "$(people)" = "$before" ] ||
        { cat "$work/$1.attempts" "$work/$1.reply"; people; return 1; }
}

# Ids that no URL would like, and those whom a template might hit in their place.
cat >"$work/rows.csv" <<'END'
index,subject
0,ann@example.org
1,a/b
2,s/../?x=1&y#z
3,a b
4,victim
5,käthe@example.org
6,<regulation>
7,gdpr
8,late@example.org
9,held@example.org
END
make_state shop "$work/rows.csv"
start shop --queue 1
erase_token=$(ctl token shop add --scopes erase 2>/dev/null)

check "the connector's test succeeds" fides test
check "somebody is erased" erase pri_1 ann@example.org
check "once" says pri_1 '[.status, .erased, .request_id, .opening.subject]' \
    '["erased",1,"pri_1","ann@example.org"]'
check "with one request" [ "$(cat "$work/pri_1.attempts")" = "200 " ]
cp "$work/pri_1.reply" "$work/first"
check "the request is run again" erase pri_1 ann@example.org
check "and has the same receipt" [ "$(jq .receipt "$work/first")" = "$(jq .receipt "$work/pri_1.reply")" ]
check "what became of it is told by its name" [ "$(api GET /erasures/pri_1 | jq -r .status)" = erased ]
check "somebody who is unknown" erase pri_2 nobody@example.org
check "is no failure" says pri_2 .status '"not_held"'

check "an id with a slash" erase pri_3 a/b
check "is erased" says pri_3 '[.erased, .opening.subject]' '[1,"a/b"]'
check "and one with a bit of everything" erase pri_4 's/../?x=1&y#z'
check "too" says pri_4 '[.erased, .opening.subject]' '[1,"s/../?x=1&y#z"]'
check "letters that are not ASCII" erase pri_5 käthe@example.org
check "are as they are" says pri_5 .erased 1
check "an id that looks like a placeholder" erase pri_6 '<regulation>'
check "is not replaced by what that stands for" says pri_6 '[.erased, .opening.subject]' '[1,"<regulation>"]'

check "a quotation mark fails" stays pri_10 'a"b'
check "a name given twice fails" stays pri_11 'x","value":"victim'
check "a subject given twice fails" stays pri_12 'x"},"subject":{"value":"victim'
check "a member that there is not fails" stays pri_13 'victim"},"x":{"y":"'
check "a second object fails" stays pri_14 'victim"}}
{"subject":{"value":"x'
check "a backslash, which would make a/b of it, fails" stays pri_15 'victi\u006d'
check "also where it escapes nothing" stays pri_16 'a\/b'
check "and at the end" stays pri_17 'victim\'
check "a control character fails" stays pri_18 "a	b"
check "taking back that it is raw fails" stays pri_19 'victi\u006d","raw":false,"value":"x'
check "an end of the string with another law fails" stays pri_20 'victim"},"regulation":"lgpd","x":{"y":"'
check "the victim is there" [ "$(api GET /subjects/victim | jq .total)" = 1 ]
check "without \`raw\` a backslash had hit somebody" [ "$(printf '{"subject":{"value":"victi\\u006d"}}' |
    api POST /erasures -H 'Content-Type: application/json' --data-binary @- | jq .erased)" = 1 ]

api PUT /subjects/held@example.org/hold -H 'Content-Type: application/json' -d '{"basis":"e"}' >"$work/hold"
check "a hold is a failure" refused erase pri_30 held@example.org
check "that is not repeated" [ "$(cat "$work/pri_30.attempts")" = "409 " ]
api DELETE /subjects/held@example.org/hold >"$work/hold"
check "until it is lifted and the request run again" erase pri_30 held@example.org

# ---- busy ----

# Lines so many that they take a second and a half: one bulk runs, one waits, and there is no more room.
lines() {
    seq "$1" | awk '{ printf "{\"subject\":{\"value\":\"x%d\"}}\n", $1 }'
}
bulk() {
    api POST /erasures -H 'Content-Type: application/x-ndjson' --data-binary "@$1" -o "$work/$2" \
        -w '%{http_code} %{time_total}\n'
}
lines 640 >"$work/some"
took=$(bulk "$work/some" replies | cut -d ' ' -f 2)
lines "$(awk -v took="$took" 'BEGIN { n = int(640 * 1.2 / took); print (n < 200 ? 200 : n > 9000 ? 9000 : n) }')" \
    >"$work/many"
busy() {
    for try in 1 2 3 4 5; do
        bulk "$work/many" replies.1 >"$work/bulk.1" &
        one=$!
        bulk "$work/some" replies.2 >"$work/bulk.2" &
        two=$!
        sleep 0.2
        erase pri_40 late@example.org
        status=$?
        wait $one $two
        grep -q 503 "$work/pri_40.attempts" && return $status
        echo "not busy: $try"
    done
    return 1
}
check "while munkeyd is busy an erasure succeeds all the same" busy
check "after a 503 that said when to come again" grep -qx '503 again in 1 s' "$work/pri_40.attempts"
check "once" says pri_40 .status '"erased"'
check "the daemon ends cleanly" stop
check "its log names nobody" refused grep -nE 'example.org|victim|pri_' "$work/shop.log"

# ---- a token that may not ----

start shop
erase_token=$(ctl token shop add --scopes predict 2>/dev/null)
check "a token without the scope is a failure" refused erase pri_50 late@example.org
check "that is told" [ "$(cat "$work/pri_50.attempts")" = "403 " ]
check "the daemon ends at last" stop
finish
