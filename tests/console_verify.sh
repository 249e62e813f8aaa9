#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the console checks in a browser, checked in Node: signatures, receipts, logs.
. "${top_srcdir:-.}/tests/tap.sh"
command -v node >/dev/null || skip_all "there is no node here"
rm -f "$tap_out"
cd "${top_srcdir:-.}" && exec node tests/console/verify.mjs
