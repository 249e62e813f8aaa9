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

# declared FIELD: "METHOD /path WORD" for each word of `query` or `media` of the public routes, macros spelt out.
declared() {
    sed -nE 's/^#define ([A-Z]+) (".*")$/s,\\b\1\\b,\2,g/p' api/routes.c >"$scratch/macros"
    sed -n '/public_routes/,/{0}/p' api/routes.c | sed -f "$scratch/macros" | tr -d '\n' |
        sed -e 's/" *"//g' -e 's/{"/\n&/g' |
        sed -nE 's/^\{"([A-Z]+)", "([^"]*)".*\.'"$1"' = "([^"]*)".*$/\1 \2 \3/p' |
        while read -r method path words; do
            for word in $words; do echo "$method $path $word"; done
        done
}

# section METHOD PATH: of docs/API.md, without its title.
section() {
    awk -v title="## $1 $2" '/^## / { on = $0 == title; next } on' docs/API.md
}

# Those of a query, in both directions.
parameters() {
    declared query >"$scratch/queries" && [ -s "$scratch/queries" ] || return 1
    while read -r method path name; do
        section "$method" "$path" | grep -qE "\`$name\`|[?&]$name=" ||
            { echo "not in the section $method $path: $name"; return 1; }
    done <"$scratch/queries"
    sed -nE 's/^## ([A-Z]+ .*)/\1/p' docs/API.md | while read -r method path; do
        for name in $(section "$method" "$path" | grep -oE '[?&][a-z_]+=' | tr -d '?&='); do
            grep -qxF "$method $path $name" "$scratch/queries" ||
                { echo "no parameter of $method $path: $name"; exit 1; }
        done
    done
}

# "an image" stands for the types that the page tells of under this name, and "As" for another section.
media() {
    declared media >"$scratch/media" && [ -s "$scratch/media" ] || return 1
    while read -r method path type; do
        case $type in
        image/* | application/octet-stream) words="\`$type\`|an image" ;;
        *) words="\`$type\`" ;;
        esac
        section "$method" "$path" | grep -qE "$words|^As " ||
            { echo "not in the section $method $path: $type"; return 1; }
    done <"$scratch/media"
}

# The settings: a name, and the flag that is made of it.
settings() {
    grep -oE '[a-z_]+, "[a-z-]+"' daemon/config.h | tr -d ',"' | while read -r name flag; do
        [ "$(echo "$name" | tr _ -)" != "$flag" ] || echo "$name"
    done | sort
}

# NAME DEFAULT, of which those with paths of this machine are left out.
in_conf() {
    sed -nE 's/^#([a-z_]+) = "?([^"]*)"?$/\1 \2/p' systemd/munkeyd.conf.in | sed 's/@.*//' | sort
}

in_man_page() {
    sed -n '/^\.SH SETTINGS/,/^\.TE/p' docs/munkeyd.8 | sed -nE 's/^\\fB([a-z_]+)\\fR\t(.*)\t.*/\1 \2/p' | sort
}

settings_explained() {
    settings >"$scratch/settings" && [ -s "$scratch/settings" ] &&
        in_conf >"$scratch/in_conf" && cut -d ' ' -f 1 "$scratch/in_conf" | diff "$scratch/settings" - &&
        in_man_page | diff "$scratch/in_conf" -
}

# What the man pages say of routes and scopes is so.
man_pages() {
    grep -ohE '\b(GET|POST|PUT|DELETE) /[^ ,;.)]*' docs/munkeyd.8 docs/munkeyctl.8 | sort -u | while read -r route; do
        grep -qF "\`$route\`" docs/API.md || { echo "no route: $route"; exit 1; }
    done && sed -nE 's/^ *SCOPE_([A-Z]+) = 1 << .*/\1/p' storage/tokens.h | tr 'A-Z\n' 'a-z ' >"$scratch/scopes" &&
        [ -s "$scratch/scopes" ] &&
        grep -qF "Scopes: $(sed 's/ $//; s/ /, /g' "$scratch/scopes"), or all." docs/munkeyctl.8
}

commands() {
    sed -nE 's/^    \{"([a-z]+)", ".*ctl_.*/\1/p' daemon/munkeyctl.c >"$scratch/commands" &&
        [ -s "$scratch/commands" ] || return 1
    while read -r command; do
        grep -qE "^\.(B|BR) \"?$command\b" docs/munkeyctl.8 || { echo "not in munkeyctl(8): $command"; return 1; }
    done <"$scratch/commands"
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
check "a section tells of each parameter of the query, and of no other" parameters
check "a section tells of each media type of a body" media
check "munkeyd.conf and munkeyd(8) have every setting with its default, and no other" settings_explained
check "routes and scopes in the man pages are those that there are" man_pages
check "munkeyctl(8) has every command" commands
check "every path in the documents exists" paths
check "every test stands in Makefile.am" tests_run
finish
