#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A tiny study from end to end: whole, interrupted again and again, listed, made into a page.
. "${top_srcdir:-.}/tests/tap.sh"
build=${top_builddir:-.}
[ -d /usr/share/datasets/fashion-mnist ] ||
    skip_all "there is no Fashion-MNIST here: install dataset-fashion-mnist"
command -v jq >/dev/null || skip_all "there is no jq here"
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT

cat >"$work/tiny.json" <<'END'
{"name": "tiny", "images": 300, "tests": 100, "profile": "T", "epochs": 2, "encoder_epochs": 2,
 "batch": 32, "seeds": [1], "oracles": 2, "shards": 2,
 "forget": [{"random": 0.1}, {"subjects": 0.05}, {"memorised": 0.05, "among": 0.5}, {"near-duplicates": 0.05}],
 "baselines": ["finetune", "ssd", "knn", "knn-lm", "rac", "sisa"], "exact": true, "price": [0.5, 1],
 "ablations": ["tokens", "aggregation", "suppress-self", "keys"], "cost": true}
END

study() {
    "$build/munkey-eval" "$work/tiny.json" --out "$work/$1" --threads "$2"
}

# Ends before it is done, each time a little later.
broken() {
    minutes=0.004 n=0 status=75
    while [ $status -eq 75 ]; do
        "$build/munkey-eval" "$work/tiny.json" --out "$work/broken" --threads 1 --minutes $minutes
        status=$?
        n=$((n + 1))
        minutes=$(awk -v m=$minutes 'BEGIN { print 2 * m }')
        [ $status -eq 75 ] && printf '{"kind":"forgetting","id":"forget' >>"$work/broken/results.jsonl"
    done
    echo "$n runs"
    [ $status -eq 0 ] && [ $n -gt 1 ]
}

# What does not depend on when and how fast; seconds of the clock are the only others.
lines() {
    jq -S -c 'select(.kind != "cost") | del(.time, .seconds, .threads, .date)' "$work/$1/results.jsonl"
}

same() {
    lines whole >"$work/a" && lines broken >"$work/b" && [ -s "$work/a" ] && cmp "$work/a" "$work/b"
}

# value FILTER: of the whole study, one line.
value() {
    jq -r "select($1) | $2" "$work/whole/results.jsonl"
}

is() {
    [ "$1" = "$2" ] || { echo "$1 is not $2"; return 1; }
}

all_done() {
    "$build/munkey-eval" "$work/tiny.json" --out "$work/whole" --list >"$work/list" || return 1
    ! grep '^to do\|to train' "$work/list" && grep '^done' "$work/list" | wc -l
}

unchanged() {
    cp "$work/whole/results.jsonl" "$work/before" && study whole 2 && cmp "$work/before" "$work/whole/results.jsonl"
}

# said SENTENCE JSON: a study that is wrong ends with the sentence.
said() {
    printf '%s' "$2" >"$work/wrong.json"
    "$build/munkey-eval" "$work/wrong.json" --out "$work/wrong" >"$work/out" 2>&1
    [ $? -eq 65 ] && grep -qF "$1" "$work/out" || { cat "$work/out"; return 1; }
}

ids() {
    [ "$(jq -r .id "$work/whole/results.jsonl" | sort | uniq -d | wc -l)" -eq 0 ]
}

members() {
    jq 'select(.kind == "forgetting") | [.ta, .ra, .fa, .auroc, .rmia, .tpr, .null_sd, .gap, .agreement, .kl,
        .seconds, .bytes, .share, .forgotten] | all(type == "number" and . > -1e-6)' \
        "$work/whole/results.jsonl" >"$work/out" && grep -q true "$work/out" && ! grep -q false "$work/out"
}

# Another study with the same ids: what it has is not measured again, and so would be mixed.
other() {
    sed "s/$1/$2/" "$work/tiny.json" >"$work/other.json"
    "$build/munkey-eval" "$work/other.json" --out "$work/whole" >"$work/out" 2>&1
    [ $? -eq 65 ] && grep -qF "$3" "$work/out" && cmp "$work/before" "$work/whole/results.jsonl" ||
        { cat "$work/out"; return 1; }
}

bytes_of() {
    value ".kind == \"forgetting\" and .forget == \"random-10\" and .method == \"$1\"" .bytes
}

# The pixels and the label have to be kept where forgetting is training again, else a record.
bytes() {
    is "$(bytes_of munkey-oracle) $(bytes_of plain-oracle)" "788 788" &&
        is "$(bytes_of munkey) $(bytes_of munkey)" "$(bytes_of knn) $(bytes_of rac)"
}

check "a study runs from end to end" study whole 2
check "an interrupted one goes on until it is done" broken
check "... and has the same lines, on another number of threads" same
check "every line has an id of its own" ids
check "every row of the table is complete" members
check "nothing is left to do" all_done
check "another run changes nothing" unchanged
check "the exact class is measured for every forget set that needs no model" \
    is "$(value '.kind == "exact"' .forget | xargs)" "random-10 subjects-5"
check "no bit of the exact class remembers whom it forgot" \
    is "$(value '.kind == "exact"' '"\(.different) \(.gap)"' | sort -u)" "0 0"
check "the null pass does not change when keys are deleted" \
    is "$(value '.kind == "attack" and .view == "null" and .when == "difference"' '"\(.auroc) \(.rmia)"' | sort -u)" "50 50"
check "two oracles mirror each other" \
    is "$(value '.kind == "forgetting" and .method == "munkey-oracle" and .forget == "random-10"' '.rmia | round')" 50
check "as many are forgotten as were asked for" \
    is "$(value '.method == "munkey" and .kind == "forgetting" and .forget == "random-10"' .forgotten)" 23
check "bytes are those that have to be kept to forget" bytes
check "one folder has one study: another number of epochs is refused" other '"epochs": 2,' '"epochs": 3,' \
    'holds a study whose "epochs" is 2.0, and in this one it is 3.0'
check "... and another batch" other '"batch": 32' '"batch": 64' 'whose "batch" is 32'
check "... but other forget sets are welcome" \
    sh -c "sed 's/0.05}, {\"memorised.*}],/0.05}],/' '$work/tiny.json' >'$work/fewer.json' &&
        '$build/munkey-eval' '$work/fewer.json' --out '$work/whole'"
check "a page is made of it" "$build/munkey-eval" report "$work/whole" --out "$work/page.html"
check "... that names the study" grep -q tiny "$work/page.html"
check "a member that there is not is named" said 'no member "baselinez"' '{"baselinez": []}'
check "a method that there is not is named" said 'does not know "sulan"' '{"baselines": ["sulan"]}'
check "a forget set of two kinds is refused" said 'a forget set is such as' '{"forget": [{"random": 0.1, "class": 2}]}'
check "one oracle is too few" said 'whole number from 2' '{"oracles": 1}'
check "more images than there are are refused" said 'there are 60000' '{"images": 70000}'
check "what is no JSON is refused with its line" said 'line 2' '{"name": "x",
 oops}'
check "a size that there is not is named" said 'width_of' '{"sizes": {"width_of": 3}}'
check "two of one forget set are refused" said 'twice' '{"forget": [{"random": 0.1}, {"random": 0.1}]}'
finish
