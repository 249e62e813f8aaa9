#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An operator's day: mistakes are named, an interrupted import goes on, tokens end at once.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

# ends_with STATUS SENTENCE COMMAND...
ends_with() {
    want=$1 sentence=$2
    shift 2
    "$@" >"$work/said" 2>&1
    got=$?
    cat "$work/said"
    [ $got -eq "$want" ] && grep -qF -- "$sentence" "$work/said" ||
        { echo "status $got, not $want, or not: $sentence"; return 1; }
}

munkeyd() {
    name=$1
    shift
    "$build/munkeyd" --config /dev/null --model "$model" --state "$work/$name" "$@"
}

import() {
    ctl import "$1" --seed $seed "$data/train-images-idx3-ubyte.gz" \
        "$data/train-labels-idx1-ubyte.gz" "$2"
}

digest() {
    api GET /memory/digest | jq -r '"\(.n) \(.digest)"'
}

# Mistakes.
check "a folder that is not there is refused, and the command named" \
    ends_with 78 'munkeyctl init' munkeyd nothing
echo 'prot = 1' >"$work/wrong.conf"
check "an unknown setting is refused with its line" \
    ends_with 78 "wrong.conf, line 1: no such option 'prot'" "$build/munkeyd" --config "$work/wrong.conf"
check "what is no model is refused" \
    ends_with 78 'is no model' munkeyd nothing --model "$work/wrong.conf"
check "more connections than there can be open files are refused" \
    ends_with 78 'need 2097216 open files' munkeyd nothing --connections 1048576
check "status says that no daemon runs" ends_with 1 'no munkeyd runs' ctl status nothing
check "an unknown command is refused" ends_with 64 'there is no command' "$build/munkeyctl" fly
check "init makes a folder" ctl init day --origin example.org/day
check "init does not make it again" ends_with 1 'initialised already' ctl init day
check "unless told to leave it" ctl init day --if-missing
check "the folder is closed to others" [ "$(stat -c %a "$work/day")" = 700 ]
check "so is every file in it" [ -z "$(find "$work/day" -type f ! -perm 600)" ]

# Rows 29,990 to 29,999 were seen by the weights, the others were not.
rows 29990 20 2 >"$work/few.csv"
check "an import is done" import day "$work/few.csv"
sed 's/seller-001/sell"er/' "$work/few.csv" >"$work/bad.csv"
check "a bad row is refused with its line" ends_with 78 'bad.csv: line 3' import day "$work/bad.csv"
start day
check "a second import is refused while the daemon runs" ends_with 78 'stop munkeyd' import day "$work/few.csv"
check "so is a second daemon" ends_with 78 'stop munkeyd' munkeyd day --port 0
check "status counts the instances" [ "$(ctl status day | jq .memory.instances)" = 20 ]
check "the receipt tells what the weights saw" \
    [ "$(api DELETE /subjects/seller-001 | jq -cS .classes)" = '{"exact":5,"trained":5}' ]

# Tokens.
weak=$(ctl token day add --scopes predict,audit --days 1 2>/dev/null)
all=$token token=$weak
check "a new token is known at once" [ "$(status_of GET /memory/digest)" = 200 ]
check "it has no other scope" [ "$(status_of GET /subjects/seller-000)" = 403 ]
id=$(ctl token day list | awk '/predict,audit$/ { print $1 }')
check "a token is revoked" ctl token day revoke "$id"
check "it ends at once" [ "$(status_of GET /memory/digest)" = 401 ]
check "a token that is not there is named so" ends_with 1 'no token has this id' ctl token day revoke 0123456789abcdef
token=$all
check "the file of tokens holds no token" refused grep -qF "$token" "$work/day/tokens"
ctl init spare >/dev/null
check "a port in use is no reason to call a person" ends_with 1 "$port" munkeyd spare --port "$port"
check "the daemon ends cleanly" stop

# What root does in the folder of a user whose folder's folder root alone can enter.
if [ "$(id -u)" -eq 0 ]; then
    mkdir -m 700 "$work/private" && ctl init private/shop >/dev/null &&
        chown -R 65534:65534 "$work/private/shop"
    check "root imports for another user" import private/shop "$work/few.csv"
    check "root makes a token for another user" ctl token private/shop add --scopes predict
    check "and every file belongs to that user" [ -z "$(find "$work/private/shop" ! -user 65534)" ]
else
    ok "root works for another user # SKIP this is not root"
fi

# An import that is killed goes on, to the bit.
rows 30000 20000 200 >"$work/rows.csv"
make_state whole "$work/rows.csv"
ctl init cut --origin example.org/cut >/dev/null
"$build/munkeyctl" import --config /dev/null --model "$model" --state "$work/cut" --seed $seed \
    "$data/train-images-idx3-ubyte.gz" "$data/train-labels-idx1-ubyte.gz" "$work/rows.csv" \
    >/dev/null 2>&1 &
importer=$!
while [ "$(wc -c <"$work/cut/log/entries")" -lt 1500 ]; do sleep 0.02; done
kill -9 $importer
wait $importer 2>/dev/null
import cut "$work/rows.csv" >"$work/resumed" 2>/dev/null
there=$(sed -n 's/^\([0-9]*\) of 20000 rows were there already.*/\1/p' "$work/resumed")
check "a killed import goes on where it stopped" [ "${there:-0}" -gt 0 -a "${there:-0}" -lt 20000 ]
start whole
digest >"$work/whole.digest"
stop
start cut
check "and ends where an undisturbed one does" [ "$(digest)" = "$(cat "$work/whole.digest")" ]
check "the daemon ends cleanly" stop
finish
