#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Open Inference Protocol, spoken by a client that others wrote: tritonclient, in a virtual
# environment of its own.  And whoever is told that munkeyd is ready is answered.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
kserve=$source/tests/kserve
python=/usr/bin/python3
$python -c 'import ensurepip, venv' 2>/dev/null || skip_all "there is no python3-venv here"

# speaks WHAT FROM N: test images by both interfaces; each line of the client is a check.
speaks() {
    pixels "$2" "$3" >"$work/pixels"
    batch "$2" "$3" >"$work/batch"
    sed "s/\"top_k\":10/\"top_k\":$labels/" "$work/batch" |
        api POST /predict -f -H 'Content-Type: application/json' --data-binary @- >"$work/predicted" ||
        bail_out "no predictions"
    "$venv/bin/python" "$kserve/client.py" "$url" "$token" "$work/pixels" "$work/predicted" \
        >"$work/said" 2>"$work/complaints" || cat "$work/complaints"
    check "$1: the client has run to its end" [ ! -s "$work/complaints" ]
    while read -r line; do
        case $line in
        ok\ *) ok "$1: ${line#ok }" ;;
        *) not_ok "$1: ${line#not ok }" ;;
        esac
    done <"$work/said"
}

free_port() {
    $python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# begin_asking WHAT PORT [PID]
begin_asking() {
    timeout 120 $python "$kserve/readiness.py" "$1" "$2" "$token" "$name_of_model" ${3+"$3"} >"$work/asked" 2>&1 &
    asking=$!
}

ends_asking() {
    wait $asking
    asked=$?
    cat "$work/asked"
    return $asked
}

make_venv kserve "$kserve/requirements.txt" >"$work/pip.log" 2>&1 ||
    skip_all "there is no pip, or no way to its registry: $(tail -n 1 "$work/pip.log")"
rows 30000 20000 200 >"$work/rows.csv"
make_state shop "$work/rows.csv"
labels=10
start shop
speaks "closed labels" 0 40
name_of_model=$(jq -r .model.name "$work/predicted")

# The same with a version in the path.
model_path=/v2/models/$name_of_model
version=$model_path/versions/$(api GET "$model_path" | jq -r '.versions[0]')
infer() {
    jq '{inputs: [{name: "image", datatype: "UINT8", shape: [.inputs | length, 28, 28, 1], data: (.inputs | add)}]}' \
        "$work/batch" | api POST "$1/infer" --data-binary @- -H 'Content-Type: application/json'
}
check "a version has the metadata of its model" [ "$(api GET "$version")" = "$(api GET "$model_path")" ]
check "a version is ready" [ "$(api GET "$version/ready" | jq .ready)" = true ]
check "a version infers what its model infers" [ "$(infer "$version" | jq -c .outputs)" = "$(infer "$model_path" | jq -c .outputs)" ]
check "... labels, too" [ "$(infer "$version" | jq '.outputs[] | select(.name == "label").data | length')" = 40 ]

# While it stops.
begin_asking stop "$own_port" "$pid"
check "while it stops, readiness and inference say the same" ends_asking
sed -n 's/^/# /p' "$work/asked"
check "it ends cleanly" wait "$pid"

# While it starts.
port=$(free_port)
begin_asking start "$port"
start shop --port "$port"
check "while it loads a large memory, readiness and inference say the same" ends_asking
sed -n 's/^/# /p' "$work/asked"
check "it ends cleanly again" stop
check "its log names nobody and no error" refused grep -qE 'seller|: 5[0-9][0-9]:' "$work/shop.log"

# Labels that come with the instances.
model=$work/open.safetensors
"$build/tests/draw_model" shirt Zebra bag >"$model" || bail_out "no model"
ctl init open --origin example.org/open >/dev/null || bail_out "no state folder"
start open
for label in 4711 %C3%A9tag%C3%A8re; do
    pixels 50 1 | api POST "/subjects/alice/instances?label=$label" -f -o /dev/null \
        -H 'Content-Type: application/octet-stream' --data-binary @- || bail_out "nobody was enrolled"
done
labels=5
speaks "open labels" 0 10
check "the label of one who was erased is no column" [ "$(api DELETE /subjects/alice | jq -r .status)" = erased ]
labels=3
speaks "open labels, fewer" 0 10
check "it ends cleanly at last" stop
finish
