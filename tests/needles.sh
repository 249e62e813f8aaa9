# SPDX-License-Identifier: Apache-2.0
# Erasing people and looking for what is left of them.  Source tests/tap.sh and tests/daemon.sh
# first.
#
#     people a b c >"$work/rows.csv"       rows of people
#     make_state shop "$work/rows.csv"
#     copy_state                           while nothing changes it
#     look_for a                           what there is to be found of a: $work/needles
#     found_before                         it is found
#     erase a && nothing_left              and now it is not

# id_of NAME: every piece of it is this person's alone, and looks different in bytes, URL and JSON.
id_of() {
    printf '%s' "$1" | sha256sum | sed -E 's/^(.{16})(.{16}).*/é\1"\/\2/'
}

url_of() {
    jq -rn --arg id "$(id_of "$1")" '"/subjects/\($id | @uri)"'
}

# provenance_of NAME FIELD: 40 bytes that are this person's alone.
provenance_of() {
    printf '%s %s' "$1" "$2" | sha256sum | cut -c 1-40
}

# people NAME...: a CSV file, 12 images each; 108 of those who will fill two pages of an export.
people() {
    echo "index,subject,source,collected_at,lawful_basis,consent_ref"
    from=30000
    for person; do
        case $person in *exported) n=108 ;; *) n=12 ;; esac
        id=$(id_of "$person" | sed 's/"/""/g')
        fields="$(provenance_of "$person" source),2026-01-31,contract,$(provenance_of "$person" consent_ref)"
        seq -f "%.0f,\"$id\",$fields" $from $((from + n - 1))
        from=$((from + n))
    done
}

copy_state() {
    rm -rf "$work/copy" && cp -r "$work/$name" "$work/copy" && rm -f "$work/copy/control.sock"
}

# look_for NAME [PIXELS]: of one who is in the copy.
look_for() {
    : >"$work/needles"
    look_also_for "$@"
}

look_also_for() {
    "$build/tests/needles" list "$work/copy" "$model" "$(id_of "$1")" ${2:+"$2"} >"$work/list" ||
        bail_out "nothing is known of $1"
    cat "$work/list" >>"$work/needles"
    searched=$((${searched:-0} + $(wc -l <"$work/list")))
}

search() {
    "$build/tests/search" "$pid" "$work/$name" <"$work/needles" >"$work/found"
}

# found_before [KIND...]: everything that rests somewhere, and these kinds in the process.
found_before() {
    search || return 1
    for what in "munkeyd.db(-wal)? slot" "keys/keyring ref" "keys/keyring tag" "keys/keyring wrapped" \
        "process key" "process iid" "process ref" "process tag" "process wrapped" "process slot"; do
        grep -qE "^$what [1-9]" "$work/found" || { echo "no $what"; return 1; }
    done
    for kind; do
        grep -q "^process $kind [1-9]" "$work/found" || { echo "no $kind"; return 1; }
    done
}

erase() {
    api DELETE "$(url_of "$1")" >"$work/reply" && erased_all 1
}

# erase_together NAME...: by POST /erasures; each stands there twice, and in lines that are refused.
erase_together() {
    for person; do
        jq -cn --arg id "$(id_of "$person")" '{subject: {value: $id}} | ., ., . + {regulation: "none"}'
        jq -cn --arg id "$(id_of "$person")" '{subject: {value: $id}, request_id: 1} | ., {($id): .}'
        jq -cn --arg id "$(id_of "$person")" '{subject: {value: $id}}' | sed 's/..$//'
    done | api POST /erasures -H 'Content-Type: application/x-ndjson' --data-binary @- >"$work/reply" &&
        erased_all $#
}

erase_as_object() {
    jq -cn --arg id "$(id_of "$1")" '{subject: {value: $id}}' |
        api POST /erasures -H 'Content-Type: application/json' --data-binary @- >"$work/reply" &&
        erased_all 1
}

# The salt, in text and as 32 bytes, is in the reply alone: nobody who takes munkeyd over can open
# the log's commitment.
erased_all() {
    [ "$(jq -r .status "$work/reply" | grep -cx erased)" = "$1" ] || return 1
    for salt in $(jq -r 'select(.opening).opening.salt' "$work/reply"); do
        printf 'salt %s\n' "$(printf '%s' "$salt" | od -An -v -tx1 | tr -d ' \n')" \
            "$(printf '%s=' "$salt" | tr _- /+ | base64 -d | od -An -v -tx1 | tr -d ' \n')"
    done >>"$work/needles"
}

# nothing_left [PEOPLE]: but their tombstones, the numbers of those whom no backup brings back.
nothing_left() {
    sleep 0.1
    search && [ "$(cat "$work/found")" = "log/tombstones ref ${1:-1}" ] ||
        { cat "$work/found"; return 1; }
}

restrict() {
    api PUT "$(url_of "$1")/restriction" -f -o /dev/null -H 'Content-Type: application/json' \
        -d '{"ground":"b"}'
}

# make_batch NAME: a request of test images that retrieve what NAME holds.
make_batch() {
    pixels 0 200 >"$work/asked"
    "$build/tests/needles" queries "$work/copy" "$model" "$(id_of "$1")" "$work/asked" >"$work/which"
    [ -s "$work/which" ] || return 1
    for i in $(cat "$work/which"); do
        pixels "$i" 1
    done | od -An -v -tu1 -w784 |
        awk '{ gsub(/ +/, ","); printf "%s[%s]", (NR > 1 ? "," : "{\"inputs\":["), substr($0, 2) }
            END { print "]}" }' >"$work/batch"
}

# The same images by the Open Inference Protocol, as bytes in and out, and as nested JSON.
infer_batch() {
    target=/v2/models/$(api GET /version | jq -r .model.name)/infer
    jq -c '.inputs | {inputs: [{name: "image", datatype: "FP32", shape: [length, 28, 28, 1],
        data: map([_nwise(28) | map([.])])}]}' "$work/batch" |
        api POST "$target" -f -o /dev/null -H 'Content-Type: application/json' --data-binary @- &&
        jq -jc '.inputs | {inputs: [{name: "image", datatype: "UINT8", shape: [length, 28, 28, 1],
        parameters: {binary_data_size: (length * 784)}}], parameters: {binary_data_output: true}}' \
            "$work/batch" >"$work/json" &&
        for i in $(cat "$work/which"); do pixels "$i" 1; done | cat "$work/json" - |
        api POST "$target" -f -o /dev/null -H 'Content-Type: application/octet-stream' \
            -H "Inference-Header-Content-Length: $(wc -c <"$work/json")" --data-binary @-
}

predict_batch() {
    api POST /predict -f -o /dev/null -H 'Content-Type: application/json' \
        --data-binary "@$work/batch"
}

# enrol_as FORM NAME [LABEL]: the image in $work/image.  LABEL: a name that needs no encoding.
enrol_as() {
    target="$(url_of "$2")/instances" media=application/$1 body=$work/body label=${3-3}
    query="?label=$label&source=$(provenance_of "$2" source)"
    case $1 in
    octet-stream) cp "$work/image" "$body" ;;
    png | jpeg) media=image/$1 && "$build/tests/picture" "$1" "$work/image" >"$body" ;;
    *)
        query= fields="\"label\":${3+\"}$label${3+\"},\"source\":\"$(provenance_of "$2" source)\""
        od -An -v -tu1 -w784 "$work/image" |
            sed -E 's/ +/,/g; s/^,(.*)/{"input":[\1],'"$fields"'}/' >"$body"
        [ "$1" = ndjson ] || { sed 's/.*/{"instances":[&]}/' "$body" >"$body.1" && mv "$body.1" "$body"; }
        [ "$1" = json ] || media=application/x-ndjson
        ;;
    esac
    [ "$1" != jpeg ] || "$build/tests/picture" pixels "$body" >"$work/image" || return
    api POST "$target$query" -f -o /dev/null -H "Content-Type: $media" --data-binary "@$body"
}

# Predictions without a pause: the erasure comes in the middle of a batch.
begin_load() {
    rm -f "$work/enough"
    for _ in 1 2 3; do
        while [ ! -e "$work/enough" ]; do predict_batch || break; done &
        loads="${loads-} $!"
    done
}

end_load() {
    : >"$work/enough"
    wait $loads
    loads=
}

# Bytes to the daemon and back.  Not by curl's telnet, which between two reads from the daemon waits for
# its standard input.
converse() {
    if [ $scheme = https ]; then
        openssl s_client -quiet -verify_quiet -CAfile "$CURL_CA_BUNDLE" -connect "127.0.0.1:$port" 2>/dev/null
        return
    fi
    perl -MIO::Socket::INET -e '
        my $daemon = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or exit 1;
        my ($from, $to) = fork ? ($daemon, *STDOUT) : (*STDIN, $daemon);
        while (sysread $from, $_, 65536) { syswrite $to, $_ }
        shutdown $daemon, 1 if $to == $daemon' "$port"
}

# keep_reading NAME: all that is held, over a connection that stays open until end_reading.
keep_reading() {
    rm -f "$work/hold" && mkfifo "$work/hold"
    {
        printf 'GET %s?export=1 HTTP/1.1\r\nHost: munkeyd\r\n' "$(url_of "$1")"
        printf 'Authorization: Bearer %s\r\n\r\n' "$token"
        cat "$work/hold"
    } | converse >"$work/export" &
    reading=$!
    exec 3>"$work/hold"
    for _ in $(seq 100); do
        tail -n 1 "$work/export" | grep -q '}]}$' && return
        sleep 0.1
    done
    return 1
}

end_reading() {
    exec 3>&-
    wait "$reading"
}
