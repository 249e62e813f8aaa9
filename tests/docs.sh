#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is said in two places is said alike: routes, paths, lists of tests.
. "${top_srcdir:-.}/tests/tap.sh"
cd "${top_srcdir:-.}" || bail_out "no source folder"

# "METHOD /path SCOPE" of each route in api/routes.c; a route of the log is `none, log`.
table() {
    { tr -d '\n' <api/routes.c; echo; } | sed 's/{"/\n&/g' |
        sed -nE 's/^\{"([A-Z]+)", "([^"]*)", SCOPE_([A-Z]+)(.*)$/\1 \2 \3 \4/p' |
        while read -r method path scope rest; do
            case $rest in *"log = true"*) scope=$scope,LOG ;; esac
            echo "$method $path $scope"
        done | tr 'A-Z' 'a-z' | sort
}

documented() {
    sed -nE 's/^\| `([A-Z]+) ([^`]*)` \| ([^|]*) \|.*$/\1 \2 \3/p' docs/API.md |
        tr -d '`' | sed 's/none, log/none,log/; s/ peer$/ none/' | tr 'A-Z' 'a-z' | sort
}

same() {
    table >"$scratch/table" && documented >"$scratch/documented" &&
        [ -s "$scratch/table" ] && diff "$scratch/table" "$scratch/documented"
}

# Every public route has a section of its own.
sections() {
    sed -nE 's/^\| `([A-Z]+ [^`]*)` \| [^p].*$/\1/p' docs/API.md | while read -r route; do
        grep -qxF "## $route" docs/API.md || { echo "no section: $route"; exit 1; }
    done
}

# A path in a document is a path in the repository, or the program that is built from one.
paths() {
    grep -ohE '`(api|core|daemon|storage|systemd|tests|docs|examples)/[A-Za-z0-9_./-]+`' docs/*.md README.md \
        2>/dev/null | tr -d '`' | sort -u | while read -r path; do
        [ -e "$path" ] || [ -e "$path.c" ] || { echo "no such path: $path"; exit 1; }
    done
}

# A test that no list names is run by nobody.
tests_run() {
    for file in tests/test_*.c tests/story_*.sh; do
        grep -qwF "${file%.c}" Makefile.am || { echo "not in Makefile.am: $file"; return 1; }
    done
}

scratch=$(mktemp -d) || bail_out "no temporary folder"
trap 'rm -rf "$scratch"' EXIT
check "docs/API.md lists the routes of api/routes.c, with their scopes" same
check "every public route has a section" sections
check "every path in the documents exists" paths
check "every test stands in Makefile.am" tests_run
finish
