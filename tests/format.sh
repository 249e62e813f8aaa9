#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format 14 leaves it, and names its licence.
. "${top_srcdir:-.}/tests/tap.sh"
cd "${top_srcdir:-.}" || bail_out "no source folder"

sources() {
    find core storage api daemon examples tests -name '*.[ch]'
}

licensed() {
    missing=$(sources | xargs grep -L 'SPDX-License-Identifier: Apache-2.0')
    [ -z "$missing" ] || { echo "no SPDX line: $missing"; return 1; }
}

formatted() {
    sources | xargs clang-format --dry-run -Werror
}

check "every C file names its licence" licensed
if command -v clang-format >/dev/null; then
    check "every C file is formatted" formatted
else
    ok "every C file is formatted # SKIP there is no clang-format here"
fi
finish
