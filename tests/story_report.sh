#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The report of a study: what stands in it, for whom, and what becomes of bad lines.
. "${top_srcdir:-.}/tests/tap.sh"
tests=$(cd "${top_srcdir:-.}/tests" && pwd)
report=${top_builddir:-.}/tests/report
command -v python3 >/dev/null || skip_all "there is no python3 here"
work=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$work"' EXIT
python3 "$tests/report_lines.py" >"$work/lines" || bail_out "no lines"

# look CHECK REPORT [LINES]
look() {
    python3 "$tests/report.py" "$@"
}

written() {
    "$report" "$1" "$2"
}

# verdict_of SED WORD SENTENCE: lines changed by SED make the report judge the sentence so.
verdict_of() {
    sed -E "$1" "$work/lines" >"$work/changed" && ! cmp -s "$work/lines" "$work/changed" &&
        written "$work/changed" "$work/changed.html" && look verdict "$work/changed.html" >"$work/said" &&
        grep -F "$3" "$work/said" && grep -F "$3" "$work/said" | grep -qF "$2 |"
}

# refuses SENTENCE: the lines in $work/bad are refused with it, and no report is written.
refuses() {
    ! written "$work/bad" "$work/bad.html" 2>"$work/said" && cat "$work/said" && grep -qF "$1" "$work/said" &&
        [ ! -e "$work/bad.html" ]
}

# A study of one line, and no other.
one_line() {
    head -n 1 "$work/lines" >"$work/one" && written "$work/one" "$work/one.html" &&
        look missing "$work/one.html" && look page "$work/one.html"
}

hostile_names() {
    sed -E 's|made up for a test|</style><script>alert(1)</script>|; s|"class-3"|"\\"><svg onload=alert(2)>"|
        s|"method": "ssd"|"method": "'"'"' onclick='"'"'x"|; s|"value": "sym"|"value": "\&amp;<!--"|' \
        "$work/lines" >"$work/hostile" && written "$work/hostile" "$work/hostile.html" &&
        look hostile "$work/hostile.html" && look page "$work/hostile.html"
}

cut_line() {
    head -c -20 "$work/lines" >"$work/bad" && refuses "line $(wc -l <"$work/lines") of the results is no JSON"
}

empty_line() {
    sed '5s/.*//' "$work/lines" >"$work/bad" && refuses "line 5 of the results is no JSON object"
}

without_a_number() {
    sed '/"kind": "price"/s/"ta": [0-9.]*/"ta": null/' "$work/lines" >"$work/bad" &&
        refuses "line $(grep -n '"price"' "$work/lines" | head -n 1 | cut -d: -f1) of the results needs a number"
}

no_lines() {
    : >"$work/bad" && refuses "is empty: the study has measured nothing yet"
}

same_again() {
    written "$work/lines" "$work/again.html" && cmp "$work/report.html" "$work/again.html"
}

# Of the exact class it says "no trace" only where no answer differs anywhere.
no_trace() {
    sed -E '/"exact\/2/s/"different": 0/"different": 1/' "$work/lines" >"$work/differ" &&
        written "$work/differ" "$work/differ.html" && grep -q 'found no trace' "$work/report.html" &&
        ! grep -q 'found no trace' "$work/differ.html"
}

fewer_seeds() {
    sed -E '/"forgetting\/[23]\/random-10\/ssd"/d' "$work/lines" >"$work/fewer" &&
        written "$work/fewer" "$work/fewer.html" && grep -q 'SSD<small>1 of 3 seeds</small>' "$work/fewer.html" &&
        ! grep -q 'of 3 seeds<' "$work/report.html"
}

# The lines that the document gives as examples, and the report of them.
examples() {
    grep '^{"kind":' "$tests/../docs/EVALUATION.md" >"$work/examples" &&
        [ "$(wc -l <"$work/examples")" -eq "$(sed -n '/^## Results/,/^## /p' "$tests/../docs/EVALUATION.md" |
            grep -c '^### ')" ] &&
        written "$work/examples" "$work/examples.html" && look page "$work/examples.html"
}

check "a report is written" written "$work/lines" "$work/report.html"
check "every number of its tables is computed from the lines" look numbers "$work/report.html" "$work/lines"
check "the best of a column is marked where the lines have it" look best "$work/report.html" "$work/lines"
check "it is read with ears, on paper and without a network" look page "$work/report.html"
check "the examples of docs/EVALUATION.md are lines that it knows" examples
check "equal lines give equal bytes" same_again
check "what was made up to hold is said to hold" verdict_of 's/"time": 1795485607/"time": 1/' "Holds" \
    "at most 0.5 points"
check "a larger gap does not hold" verdict_of '/"method": "munkey",/s/"gap": [0-9.]+/"gap": 1.7/' "Does not hold" \
    "at most 0.5 points"
check "... and is then not the smallest" verdict_of '/"method": "munkey",/s/"gap": [0-9.]+/"gap": 1.7/' \
    "Does not hold" "smaller than that of every post-hoc method"
check "gaps on both sides of the limit decide nothing" verdict_of \
    '/"seed": 1.*"method": "munkey",/s/"gap": [0-9.]+/"gap": 0.9/' "Undecided" "at most 0.5 points"
check "one answer that differs is none of equality" verdict_of '/"exact\/2/s/"different": 0/"different": 1/' \
    "Does not hold" "1 of 30000 answers"
check "... and an attack on it is then not said to find no trace" no_trace
check "a memory that adds nothing is told" verdict_of '/"passes"/s/"full": [0-9.]+/"full": 80/' "Does not hold" \
    "The memory matters"
check "... and one that adds exactly nothing" verdict_of \
    '/"passes"/s/"full": [0-9.]+, "null": ([0-9.]+)/"full": \1, "null": \1/' "Does not hold" "The memory matters"
check "weights that betray are told" verdict_of '/munkey\/null\/after/s/"rmia": [0-9.]+/"rmia": 58/' "Does not hold" \
    "the weights alone"
check "weights that do not betray are told" verdict_of '/munkey\/null\/after/s/"rmia": [0-9.]+/"rmia": 50/' "Holds" \
    "the weights alone"
check "attacks on both sides of the null SD decide nothing" verdict_of \
    '/"forgetting\/1.*"method": "munkey",/s/"rmia": [0-9.]+/"rmia": 53/' "Undecided" "as well as in the oracle"
check "... nor on the weights alone" verdict_of '/1\/random-10\/munkey\/null\/after/s/"rmia": [0-9.]+/"rmia": 53/' \
    "Undecided" "the weights alone"
check "an attack that sees less than in the oracle has found a trace, too" verdict_of \
    '/"method": "munkey",/s/"rmia": [0-9.]+/"rmia": 45/' "Does not hold" "as well as in the oracle"
check "a method of fewer seeds than the others says so" fewer_seeds
check "what was not measured is not judged" verdict_of '/"kind": "cost"/d' "Not measured" "passes of the classifier"
check "a study of one line says what it lacks, everywhere" one_line
check "hostile names are text" hostile_names
check "a line that was cut is refused with its number" cut_line
check "an empty line, too" empty_line
check "a line without its number, too" without_a_number
check "no lines are no study" no_lines
finish
