#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From image files and a CSV of who is in them to a model, a memory and an erasure.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"

train() {
    "$build/munkey-train" --profile T --threads 2 --batch 16 --steps-encoder 30 --steps-fusion 30 "$@" \
        >"$work/said" 2>"$work/progress"
    ended=$?
    cat "$work/said"
    tail -n 1 "$work/progress"
    return $ended
}

says() {
    grep -qF -- "$1" "$work/said" || { cat "$work/said"; return 1; }
}

# refuses SENTENCE COMMAND...
refuses() {
    sentence=$1
    shift
    "$@" >"$work/said" 2>&1 && { echo "it was done"; return 1; }
    says "$sentence"
}

# memory NAME MANIFEST [OPTION...]: a fresh memory of the manifest's images.
memory() {
    name=$1 manifest=$2
    shift 2
    ctl init "$name" --origin "example.org/$name" >/dev/null &&
        ctl import "$name" --manifest "$manifest" "$@" >"$work/said" 2>"$work/progress"
}

classes_of() {
    api GET "/subjects/$1" | jq -r '[.instances[].class] | unique | join(" ")'
}

# 200 test images of Fashion-MNIST as files, every fourth a JPEG, of 20 made-up people: twelve for
# the weights, six only enrolled, two only asked about.
mkdir -p "$work/shop/img"
zcat "$data/t10k-labels-idx1-ubyte.gz" | tail -c +9 | head -c 200 | od -An -v -tu1 -w1 | tr -d ' ' >"$work/labels"
pixels 0 200 | split -b 784 -a 3 -d - "$work/shop/img/"
for image in "$work"/shop/img/*; do
    form=png
    [ "${image%[048]}" = "$image" ] || form=jpeg
    "$build/tests/picture" $form "$image" >"$image.$form" && rm "$image"
done
for number in $(seq -w 0 199); do echo "img/$(basename "$work"/shop/img/$number.*)"; done >"$work/paths"
paste "$work/paths" "$work/labels" | awk 'BEGIN { print "path,label,subject,split,source" } {
    person = (NR - 1) % 20
    split_ = person < 12 ? "base" : person < 18 ? "enrol" : "test"
    printf "%s,class %s,person-%02d,%s,camera %d\n", $1, $2, person, split_, person
}' >"$work/shop/people.csv"
cut -d , -f 1-3,5 "$work/shop/people.csv" >"$work/shop/unsplit.csv"
people=$work/shop/people.csv

check "a model is trained" train --manifest "$people" --out "$work/people.model"
check "it takes images of any size, as it was trained on" grep -aqF '"resize":"yes"' "$work/people.model"
check "classes were counted" says 'classes   10: class 0 '
check "people were counted" says 'subjects  20, with 10 rows each'
check "the split was understood" says 'weights   see 120 rows: encoder 50, classifier 60, calibration 10'
check "what is only enrolled was counted" says 'class exact: 60 rows'
check "nobody was named" refused grep -q 'person-' "$work/said" "$work/progress"
check "a survey trains nothing" train --manifest "$people" --survey
check "it says the same" says 'class exact: 60 rows'
model=$work/people.model
train --manifest "$people" --evaluate "$model" >/dev/null
check "the test rows were asked about" says 'people-T: 60 enrolled, 20 tested'

check "the manifest is enrolled" memory people "$people"
check "all of it but the test rows" says '0 of 180 rows were there already; the memory holds 180 instances of 18 subjects'
check "it says how fast, and what took the time" says 'images a second: '
check "again, there is nothing to do" ctl import people --manifest "$people"
start people
check "a person whom the weights saw is trained" [ "$(classes_of person-03)" = trained ]
check "a person whom they never saw is exact" [ "$(classes_of person-15)" = exact ]
check "nobody's test images are in the memory" [ "$(status_of GET /subjects/person-19)" = 404 ]
api GET /subjects/person-15 | jq -r '.instances[0].source' >"$work/source"
check "the source of each is known" [ "$(cat "$work/source")" = 'camera 15' ]
check "forgetting says what the weights saw" \
    [ "$(api DELETE /subjects/person-03 | jq -cS .classes)" = '{"trained":10}' ]
check "the daemon ends cleanly" stop

# Without a column split.
check "whole people are drawn" train --manifest "$work/shop/unsplit.csv" --out "$work/unsplit.model"
check "half of the rows" says 'weights   see 100 rows: encoder 40, classifier 50, calibration 10'
model=$work/unsplit.model
check "its manifest is enrolled" memory unsplit "$work/shop/unsplit.csv"
start unsplit
for person in $(seq -w 0 19); do classes_of "person-$person"; done | sort | uniq -c | tr -s ' ' >"$work/drawn"
check "ten people are exact, ten are trained" [ "$(cat "$work/drawn")" = "$(printf ' 10 exact\n 10 trained')" ]
check "the daemon ends cleanly" stop
sed '$d' "$work/shop/unsplit.csv" >"$work/shop/shorter.csv"
ctl init shorter >/dev/null
check "a manifest that the model does not know is refused" \
    refuses 'shorter.csv: line 2: the model was trained on other data, and no split says' ctl import shorter --manifest "$work/shop/shorter.csv"
check "unless somebody answers for it" ctl import shorter --unseen --manifest "$work/shop/shorter.csv"
model=$work/people.model
check "or each row says it" memory other "$people"

# Keys from a frozen encoder of another family.
vit=$source/tests/golden/vit
check "a model is trained around a Hugging Face ViT" train --encoder "$vit/c" --manifest "$people" --out "$work/vit.model"
check "without an encoder stage" refused grep -q '^encoder' "$work/progress"
model=$work/vit.model
train --manifest "$people" --evaluate "$model" >/dev/null
check "it can be measured" says 'people-T: 60 enrolled, 20 tested'
check "its manifest is enrolled" memory vit "$people"
start vit
ask() { pixels 0 1 | api POST /predict -H 'Content-Type: application/octet-stream' --data-binary @-; }
check "it answers, from 180 keys" [ "$(ask | jq -c '[.memory.n, (.predictions | length)]')" = '[180,1]' ]
check "a person is forgotten" [ "$(api DELETE /subjects/person-15 | jq -cS .classes)" = '{"exact":10}' ]
check "the daemon ends cleanly" stop
model=$work/people.model
check "a model is trained around the encoder of another" train --encoder "$model" --drop 0.2 --manifest "$people" --out "$work/second.model"
check "without an encoder stage" refused grep -q '^encoder' "$work/progress"
check "but not to call unseen what that one saw" refuses "saw images that this model would call unseen" \
    "$build/munkey-train" --profile T --encoder "$model" --manifest "$work/shop/unsplit.csv" --out "$work/third.model"
encoder_of() { grep -aoE '"encoder_sha256":"[0-9a-f]{64}"' "$1"; }
check "it has that encoder" [ "$(encoder_of "$work/second.model")" = "$(encoder_of "$model")" ]
model=$work/second.model
start people
check "so it serves the other's memory" [ "$(api GET /memory/digest | jq .n)" = 170 ]
check "the daemon ends cleanly" stop
model=$work/people.model
check "another model's memory is not its own" refuses 'encoder' "$build/munkeyd" --config /dev/null --model "$model" --state "$work/vit" --port 0
mkdir "$work/half"
cp "$vit/c/config.json" "$vit/c/model.safetensors" "$work/half"
check "a folder that lacks a file is refused by its name" refuses 'preprocessor_config.json' \
    "$build/munkey-train" --profile T --encoder "$work/half" --manifest "$people" --out "$work/half.model"

# Paper mode: B1 is public.
check "in paper mode the weights see every row" train --mode paper --manifest "$work/shop/unsplit.csv" --out "$work/paper.model"
check "a fifth for the encoder" says 'weights   see 200 rows: encoder 40, classifier 150, calibration 10'
model=$work/paper.model
check "its manifest is enrolled" memory paper "$work/shop/unsplit.csv"
check "but for what is public" says 'the memory holds 160 instances of 16 subjects'
start paper
for person in $(seq -w 0 19); do classes_of "person-$person"; done 2>/dev/null | sort -u >"$work/drawn"
check "all others are trained" [ "$(tr -d '\n' <"$work/drawn")" = trained ]
check "the daemon ends cleanly" stop
sed 's/,base,/,,/; s/,enrol,/,,/' "$people" >"$work/shop/tests.csv"
check "rows of split test stay out of it" train --mode paper --manifest "$work/shop/tests.csv" --out "$work/tests.model"
train --manifest "$work/shop/tests.csv" --evaluate "$work/tests.model" >/dev/null
check "what is trained is enrolled to measure it" says 'tests-T: 140 enrolled, 20 tested'
check "a manifest without test rows has nothing to ask" refuses 'no rows of split test' \
    train --manifest "$work/shop/unsplit.csv" --evaluate "$model"
check "it does not go with rows of split enrol" refuses 'people.csv: line ' \
    "$build/munkey-train" --mode paper --manifest "$people" --survey

# What is refused before anything happens.
model=$work/people.model
check "one person on both sides is refused" refuses '--allow-split-subjects' \
    sh -c "sed '2s/,base,/,enrol,/' '$people' >'$work/shop/both.csv'; '$build/munkey-train' --survey --manifest '$work/shop/both.csv'"
check "unless somebody says so" train --survey --allow-split-subjects --manifest "$work/shop/both.csv"
check "then it is said, too" says 'are cut'
: >"$work/shop/img/empty"
echo 'img/empty,class 0,person-00,base,' >"$work/more"
cat "$people" "$work/more" >"$work/shop/damaged.csv"
check "an image that is none is refused with its line" refuses 'damaged.csv: line 202: neither a PNG nor a JPEG image' \
    "$build/munkey-train" --profile T --survey --manifest "$work/shop/damaged.csv"
check "and nothing is enrolled" refuses 'damaged.csv: line 202: neither' ctl import other --manifest "$work/shop/damaged.csv"
awk 'NR == 150 { long = sprintf("%300s", ""); sub(/camera.*/, long) } { print }' "$people" >"$work/shop/long.csv"
check "neither is anything of a manifest with a source that does not fit" \
    refuses 'long.csv: line 150: source: ' ctl import other --manifest "$work/shop/long.csv"
cp "$work/shop/img/015.png" "$work/shop/img/again.png" 2>/dev/null || cp "$work/shop/img/015.jpeg" "$work/shop/img/again.png"
echo "img/again.png,$(sed -n 17p "$people" | cut -d , -f 2),person-00,base," >"$work/more"
cat "$people" "$work/more" >"$work/shop/copies.csv"
check "a copy that the weights see is told" train --survey --manifest "$work/shop/copies.csv"
check "with how many there are" says 'copies    1 other rows'
check "no threads are refused" refuses '1 to 64 threads' "$build/munkey-train" --survey --threads 0 --manifest "$people"
check "two sources are refused" refused "$build/munkey-train" --survey --manifest "$people" --folder "$work/shop"

# Data sets of the wild.
shared=${MUNKEY_DATA:-$source/../shared/data}
if [ -e "$shared/cifar10-jpeg.tar.xz" ] && command -v xz >/dev/null; then
    mkdir "$work/cifar" && tar -xJf "$shared/cifar10-jpeg.tar.xz" -C "$work/cifar" --wildcards \
        'train/*/000?.jpg' 'train/*/001?.jpg' 'test/*/*0.jpg' 2>/dev/null
    check "a folder of class folders is trained on, in colour" train --folder "$work/cifar" --out "$work/cifar.model" \
        --set height=32 --set width=32 --set channels=3
    check "with a test folder beside it" says 'weights   see 100 rows: encoder 40, classifier 50, calibration 10'
    check "classes are its folders" says 'airplane'
    check "and the test folder is asked about" train --folder "$work/cifar" --evaluate "$work/cifar.model"
else
    ok "CIFAR-10 is trained on # SKIP there is no cifar10-jpeg.tar.xz, or no xz"
fi
if [ -e "$shared/omniglot-background-small1.zip" ] && command -v unzip >/dev/null; then
    unzip -q "$shared/omniglot-background-small1.zip" '*/character0[1-4]/*' -d "$work/omniglot"
    (cd "$work/omniglot" && find . -name '*.png' | LC_ALL=C sort) | awk -F / 'BEGIN { print "path,label,subject" } {
        drawer = $NF; sub(/.*_/, "", drawer); sub(/\.png/, "", drawer)
        printf "%s,%s %s,drawer %s\n", $0, $(NF - 2), $(NF - 1), drawer
    }' >"$work/omniglot/drawers.csv"
    check "drawings are trained on" train --manifest "$work/omniglot/drawers.csv" --out "$work/omniglot.model"
    check "of twenty drawers" says 'subjects  20, with 20 rows each'
    check "and of characters, which are only counted" says 'classes   20, with 20 rows each'
    model=$work/omniglot.model
    check "all are enrolled" memory drawers "$work/omniglot/drawers.csv"
else
    ok "Omniglot is trained on # SKIP there is no omniglot-background-small1.zip, or no unzip"
fi
finish
