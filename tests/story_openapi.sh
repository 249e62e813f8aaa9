#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# /openapi.json: a linter has nothing to say, and what schemathesis makes of it, requests that it allows
# and requests that it does not, finds nothing.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
random=${SEED:-1} examples=${EXAMPLES:-10}
registry="there is no npm, or no way to its registry"
index="there is no python3 with venv, or no way to its index"

# Functions in parentheses: each has a folder of its own.
install_redocly() (
    cp -r "$source/tests/redocly" "$work/redocly" && cd "$work/redocly" && npm ci --no-audit --no-fund
)

# jq: with line breaks, so that a finding names a line.
linted() (
    jq . "$work/openapi.json" >"$work/redocly/openapi.json" && cd "$work/redocly" &&
        REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx redocly lint openapi.json
)

# --warnings: that most ids of its own are unknown is no news.
attacked() (
    cd "$work/schemathesis" && "$venv/bin/schemathesis" run "$url/openapi.json" \
        -H "Authorization: Bearer $token" --phases examples,coverage,fuzzing --max-examples "$examples" \
        --seed "$random" --no-shrink --warnings off --no-color >out 2>&1 || { tail -n 60 out; false; }
)

rows 30000 20 4 >"$work/rows.csv"
make_state shop "$work/rows.csv"
start shop
api GET /openapi.json >"$work/openapi.json"
if validates; then
    check "what checks the replies refuses wrong ones" \
        node --test "$validator/document.test.mjs" "$validator/messages.test.mjs"
else
    ok "what checks the replies refuses wrong ones # SKIP $registry"
fi
if install_redocly >"$work/npm.log" 2>&1; then
    check "redocly finds nothing" linted
else
    ok "redocly finds nothing # SKIP $registry"
fi
if make_venv schemathesis "$source/tests/schemathesis/requirements.txt" >"$work/pip.log" 2>&1; then
    cp -r "$source/tests/schemathesis" "$work"
    check "schemathesis finds nothing" attacked
    grep ' generated' "$work/schemathesis/out" | sed "s/^ */# schemathesis, seed $random: /"
else
    ok "schemathesis finds nothing # SKIP $index"
fi
check "the daemon is as well as before" [ "$(api GET /readyz | jq -r .status)" = ready ]
check "it ends cleanly" stop
finish
