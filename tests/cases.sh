#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input to a real daemon that holds one person: tests/cases/<what-is-wrong>/ says what is sent.
. "${top_srcdir:-.}/tests/tap.sh"
bin=${top_builddir:-.} src=${top_srcdir:-.}
scratch=$(mktemp -d) || bail_out "no temporary folder"
trap 'kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$scratch"' EXIT
state=$scratch/state model=$src/models/fashion-mnist-T.safetensors

ctl() {
    "$bin/munkeyctl" "$@" 2>>"$scratch/ctl.log" || { cat "$scratch/ctl.log"; bail_out "munkeyctl $1"; }
}

# Starts munkeyd and sets port, as soon as it says which one it has.
start() {
    mkfifo "$scratch/log"
    "$bin/munkeyd" --state "$state" --model "$model" --port 0 --request-seconds 1 \
        2>"$scratch/log" &
    daemon=$!
    exec 4<"$scratch/log"
    while read -r line <&4; do
        echo "$line" >>"$scratch/munkeyd.log"
        case $line in *"listening on"*port*) port=${line##* } && break ;; esac
    done
    [ "$port" ] || { cat "$scratch/munkeyd.log"; bail_out "munkeyd did not start"; }
    cat <&4 >>"$scratch/munkeyd.log" &
}

ctl init --state "$state" --model "$model" --origin munkeyd.invalid/cases
all=$(ctl token add --state "$state" --scopes all)
predict=$(ctl token add --state "$state" --scopes predict)
expired=$(ctl token add --state "$state" --scopes all --days 1)
# the last line's expiry: a second after the epoch
sed -i '$s/[0-9]*$/1/' "$state/tokens"
start

curl -sf -H "Authorization: Bearer $all" -H 'Content-Type: image/jpeg' \
    --data-binary @"$src/tests/cases/image-jpeg-named-png/body" \
    "http://127.0.0.1:$port/subjects/alice/instances?label=1" >/dev/null ||
    bail_out "alice could not be enrolled"
"$bin/tests/run_cases" "$src/tests/cases" "$port" "all=$all" "predict=$predict" "expired=$expired" ||
    exit
grep -i alice "$scratch/munkeyd.log" && bail_out "the log names the subject"
exit 0
