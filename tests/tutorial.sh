#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs docs/TUTORIAL.md: its ```sh blocks, in order, in one shell and a fresh folder, and compares what
# each prints with the ```text block behind it.  `…` stands for anything; where the block says
# `text example`, so does each number.
. "${top_srcdir:-.}/tests/tap.sh"
source=$(cd "${top_srcdir:-.}" && pwd) build=$(cd "${top_builddir:-.}" && pwd)
shared=${MUNKEY_DATA:-$source/../shared/data}
[ -e "$shared/omniglot-background-small2.zip" ] ||
    skip_all "there is no Omniglot here: omniglot-background-small2.zip in $shared"
for tool in curl jq openssl perl unzip; do
    command -v $tool >/dev/null || skip_all "there is no $tool here"
done
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
mkdir "$work/steps" "$work/folder"
ln -s "$(realpath "$shared/omniglot-background-small2.zip")" "$work/folder/images_background_small2.zip"

free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# 01.sh, 01.text or 01.example, 01.title, 02.sh, ...
awk -v to="$work/steps/" '
    /^#+ / { title = $0; sub(/^#+ /, "", title) }
    /^```$/ { file = ""; next }
    /^```sh$/ { file = sprintf("%s%02d.sh", to, ++n); print title >(to sprintf("%02d.title", n)); next }
    /^```text$/ { file = sprintf("%s%02d.text", to, n); next }
    /^```text example$/ { file = sprintf("%s%02d.example", to, n); next }
    file { print >file }' "$source/docs/TUTORIAL.md"
sed -i "s/\b8470\b/$(free_port)/" "$work"/steps/*.sh

# One shell for all of them; what it started ends with it.
{
    printf 'trap '\''kill $(jobs -p) 2>/dev/null'\'' EXIT\ncd "%s"\n' "$work/folder"
    for step in "$work"/steps/*.sh; do
        printf '{\n%s\n} >"%s" 2>"%s" </dev/null\n: >"%s"\n' "$(cat "$step")" "${step%.sh}.out" \
            "${step%.sh}.err" "${step%.sh}.done"
    done
} >"$work/all.sh"
PATH=$build:$PATH sh -e "$work/all.sh"

ran() {
    [ -e "$1.done" ] && return
    tail -n 15 "$1.out" "$1.err"
    return 1
}

# A line of the document as a pattern.
pattern() {
    case $2 in
    example) printf '%s\n' "$1" | sed 's/[].[*^$\\]/\\&/g; s/…/.*/g; s/[0-9][0-9]*/[0-9][0-9]*/g' ;;
    text) printf '%s\n' "$1" | sed 's/[].[*^$\\]/\\&/g; s/…/.*/g' ;;
    esac
}

printed() {
    cat "$1.out"
    [ "$(wc -l <"$1.out")" = "$(wc -l <"$1.$2")" ] || return 1
    while IFS= read -r expected && IFS= read -r line <&3; do
        printf '%s\n' "$line" | grep -qx -e "$(pattern "$expected" "$2")" || return 1
    done <"$1.$2" 3<"$1.out"
}

# prints LINE: some block printed it.
prints() {
    grep -qx "$1" "$work"/steps/*.out
}

null_passes_agree() {
    evaluated=$(sed -n 's/^null pass *\([0-9.]*\) .*/\1/p' "$work"/steps/*.out)
    audited=$(printf %.2f "$(jq .memory.null "$(find "$work/folder" -name '*.residual.json')")")
    echo "$evaluated $audited" && [ "$evaluated" = "$audited" ]
}

for step in "$work"/steps/*.sh; do
    step=${step%.sh}
    check "$(cat "$step.title"): block $(basename "$step") runs" ran "$step"
    for kind in text example; do
        [ ! -e "$step.$kind" ] || check "it prints what the page says" printed "$step" $kind
    done
done
check "a person was forgotten without a rest" prints '{"exact":1}'
check "nothing is held about them" prints 404
check "their receipt is valid" prints 'The receipt is valid.'
check "the audit's null pass knows as many test rows as the evaluation's" null_passes_agree
finish
