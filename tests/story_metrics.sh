#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# GET /metrics and GET /stats: every reply is counted, nothing that was sent is shown, and Prometheus
# and the dashboard understand it.
. "${top_srcdir:-.}/tests/tap.sh"
. "${top_srcdir:-.}/tests/daemon.sh"
for tool in promtool prometheus; do
    command -v $tool >/dev/null || skip_all "there is no $tool here: install prometheus"
done

# sent METHOD ROUTE CURL-ARGUMENTS...: asks, and keeps which reply came, of what the route is.
sent() {
    counted="$1 $2"
    shift 2
    echo "$counted $(curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$@")" \
        >>"$work/sent"
}

metrics() {
    curl -sS "$metrics/metrics"
}

# value NAME: of the one sample that is named so, labels and all.
value() {
    metrics | awk -v name="$1" 'index($0, name " ") == 1 { print $NF }'
}

# "METHOD ROUTE CODE" as often as it was counted, but for the scrapes themselves and what the proxy asks.
counted() {
    metrics | sed -nE 's/^munkeyd_http_requests_total\{method="([^"]*)",route="([^"]*)",code="([0-9]*)"\} ([0-9]+)$/\1 \2 \3 \4/p' |
        awk '$2 != "/metrics" && $2 != "/openapi.json" { for (i = 0; i < $4; i++) print $1, $2, $3 }' | sort
}

same_as_sent() {
    counted >"$work/counted" && sort "$work/sent" >"$work/expected" &&
        diff "$work/expected" "$work/counted"
}

# Of every kind: answered in a lane and inline, refused before a route is known, by the reaper, by
# libmicrohttpd itself.
traffic() {
    batch 0 3 >"$work/batch"
    json='Content-Type: application/json'
    sent POST /predict -X POST -H "$json" --data-binary "@$work/batch" "$url/predict"
    sent POST /predict -X POST -H "$json" --data-binary '{' "$url/predict"
    sent POST /predict -X POST -H 'Content-Type: text/html' --data-binary '{' "$url/predict"
    sent POST '/subjects/{id}/instances' -X POST --data-binary '@-' \
        -H 'Content-Type: application/octet-stream' "$url/subjects/alice/instances?label=1" <"$work/image"
    sent PUT '/subjects/{id}/hold' -X PUT -H "$json" --data-binary '{"basis":"e"}' "$url/subjects/alice/hold"
    sent DELETE '/subjects/{id}' -X DELETE "$url/subjects/alice"
    sent POST /erasures -X POST -H "$json" --data-binary '{"subject":{"value":"alice"}}' "$url/erasures"
    sent DELETE '/subjects/{id}/hold' -X DELETE "$url/subjects/alice/hold"
    sent DELETE '/subjects/{id}' -X DELETE "$url/subjects/alice"
    sent DELETE '/subjects/{id}' -X DELETE "$url/subjects/alice"
    sent DELETE '/subjects/{id}' -X DELETE "$url/subjects/alice?bob"
    printf '{"subject":{"value":"bob"}}\n{"subject":{"value":"bob"},"regulation":"none"}\n{\n' >"$work/lines"
    sent POST /erasures -X POST -H 'Content-Type: application/x-ndjson' --data-binary "@$work/lines" "$url/erasures"
    sent GET '/subjects/{id}' "$url/subjects/alice"
    sent GET '/subjects/{id}' -H 'Authorization: Bearer bob' "$url/subjects/alice"
    sent POST '/v2/models/{m}/infer' -X POST -H "$json" --data-binary '{' "$url/v2/models/alice/infer"
    sent GET /healthz "$url/healthz"
    sent GET /healthz -I "$url/healthz"
    sent unknown unknown "$url/alice"
    sent unknown unknown "$url/subjects/al%ice"
    sent unknown unknown -X POST "$url/healthz"
    sent unknown unknown -H 'Content-Encoding: alice' "$url/healthz"
    sent unknown unknown -H "X-Alice: $(head -c 70000 /dev/zero | tr '\0' a)" "$url/healthz"
    { printf '{'; sleep 3; } | sent unknown unknown -X POST -H "$json" -T - "$url/predict"
    sent GET /status --unix-socket "$work/shop/control.sock" http://localhost/status
    sent unknown unknown --unix-socket "$work/shop/control.sock" http://localhost/alice
    sent unknown unknown "$metrics/alice"
    sent unknown unknown -X POST "$metrics/metrics"
}

pixels 0 1 >"$work/image"
rows 29990 20 4 >"$work/rows.csv"
make_state shop "$work/rows.csv"
start shop --request-seconds 1 --metrics-address 127.0.0.1 --metrics-port 0
metrics=http://127.0.0.1:$(sed -n 's/.*metrics on 127.0.0.1 port \([0-9]*\).*/\1/p' "$work/shop.log")
echo 'POST /reload 200' >"$work/sent" # start() made a token
traffic
check "every status of every reply is counted, of every listener" same_as_sent
check "also 408, 431 and what no route was found for" \
    [ "$(sed -n 's/^unknown unknown //p' "$work/sent" | sort | uniq -c | xargs)" = \
    "1 400 3 404 2 405 1 408 1 415 1 431" ]
metrics >"$work/metrics"
check "promtool accepts the text" promtool check metrics <"$work/metrics"
check "it says what it is" \
    [ "$(curl -s -o /dev/null -w '%{content_type}' "$metrics/metrics")" = 'text/plain; version=0.0.4; charset=utf-8' ]
check "nothing that was sent is in it" refused grep -qE "$token|alice|bob|seller|127\.0\.0\.1" "$work/metrics"
check "erasures are counted by what became of them" \
    [ "$(sed -nE 's/^munkeyd_erasures_total\{outcome="(.*)"\} /\1 /p' "$work/metrics" | xargs)" = \
    "erased 1 not_held 2 held 2 refused 2 failed 0" ]
check "instances are counted by class" \
    [ "$(sed -nE 's/^munkeyd_instances\{class="(.*)"\} /\1 /p' "$work/metrics" | xargs)" = "exact 10 trained 10" ]
check "a request's images are counted" \
    [ "$(grep -E '^munkeyd_predict_images_(sum|count|bucket\{le="[24]"\})' "$work/metrics" | cut -d ' ' -f 2 | xargs)" = \
    "0 1 3 1" ]
check "a duration is counted for each reply of a route" \
    [ "$(value 'munkeyd_http_request_duration_seconds_count{method="DELETE",route="/subjects/{id}"}')" = 4 ]
check "... and is none of what has no route" refused grep -q 'duration_seconds.*unknown' "$work/metrics"
check "the log's size and the checkpoint's time are those of the log" \
    [ "$(value munkeyd_log_entries)" = "$(curl -s "$url/log/checkpoint" | sed -n 2p)" ]
age=$(($(date +%s) - $(value munkeyd_log_checkpoint_timestamp_seconds)))
check "... and the checkpoint was signed a moment ago" [ $age -ge 0 -a $age -le 60 ]
check "the process is described" \
    [ "$(grep -cE '^(process_(cpu_seconds_total|(resident|virtual)_memory_bytes|(open|max)_fds|start_time_seconds)|munkeyd_memory_locked) [1-9.0e+]+' "$work/metrics")" = 7 ]

# Series are those of our tables: the same requests about others make none.
series() {
    metrics | sed -n 's/ [^ ]*$//; /^[^#]/p' | sort
}
series >"$work/before"
for who in carl dora emil; do
    curl -s -o /dev/null -X DELETE -H "Authorization: Bearer $token" "$url/subjects/$who"
    curl -s -o /dev/null "$url/$who"
done
series >"$work/after"
check "no label grows with data" cmp "$work/before" "$work/after"

# GET /stats says the same.
api GET /stats >"$work/stats"
check "GET /stats counts what Prometheus counts" \
    [ "$(jq -r '.requests[] | .method as $m | .route as $r | .codes | to_entries[] | "\($m) \($r) \(.key) \(.value)"' \
        "$work/stats" | grep -vE ' /(metrics|openapi.json) ' | sort | md5sum)" = \
    "$(counted | grep -v ' /stats ' | uniq -c | awk '{ print $2, $3, $4, $1 }' | sort | md5sum)" ]
check "it needs the scope audit" [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/stats")" = 401 ]
check "instances by label add up" \
    [ "$(jq -c '.instances | [.total, .exact, .trained, ([.labels[] | .exact + .trained] | add), (.labels | length) == .labels_total]' \
        "$work/stats")" = '[20,10,10,20,true]' ]
curl -s -o /dev/null -X PUT -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    --data-binary '{"basis":"e"}' "$url/subjects/seller-001/hold"
printf '{"subject":{"value":"seller-001"},"regulation":"%s","request_id":"%s"}\n' gdpr one lgpd two ccpa three |
    api POST /erasures -H 'Content-Type: application/x-ndjson' --data-binary @- >/dev/null
check "held requests are listed, the soonest due first, and say not about whom" \
    [ "$(api GET /stats | jq -c '.erasures | [.held_total, (.held[0] | keys), (.held | sort_by(.due) == .),
        (.held[] | .regulation)]')" = '[4,["due","received","regulation"],true,"lgpd","gdpr","gdpr","ccpa"]' ]

# A real Prometheus.
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs: [{job_name: munkeyd, static_configs: [{targets: ["${metrics#http://}"]}]}]
END
prometheus=
start_prometheus() {
    for port in $(shuf -i 20000-30000 -n 5); do
        prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
            --web.listen-address="127.0.0.1:$port" --log.level=error >"$work/prometheus.log" 2>&1 &
        prometheus=$! prom=http://127.0.0.1:$port
        for _ in $(seq 100); do
            kill -0 $prometheus 2>/dev/null || break
            [ "$(query 'up{job="munkeyd"} == 1' 2>/dev/null | jq -r '.data.result | length')" = 1 ] && return
            sleep 0.2
        done
        kill $prometheus 2>/dev/null
    done
    cat "$work/prometheus.log"
    return 1
}
trap 'kill $prometheus 2>/dev/null; clean_up' EXIT

query() {
    curl -sG "$prom/api/v1/query" --data-urlencode "query=$1"
}

# Each with what Grafana would put into it; prints those that nothing answers.
dashboard_answers() {
    jq -r '.panels[] | .targets[]?.expr' "$source/examples/grafana/munkeyd.json" |
        sed 's/\$__rate_interval/1m/g; s/\$job/.*/g; s/\$instance/.*/g' >"$work/expressions"
    [ "$(wc -l <"$work/expressions")" -gt 20 ] && grep -q '\$' "$work/expressions" && return 1
    while read -r expression; do
        [ "$(query "$expression" | jq -r '.status, (.data.result | length > 0)' | xargs)" = "success true" ] ||
            { echo "no answer: $expression"; return 1; }
    done <"$work/expressions"
}

check "Prometheus scrapes it" start_prometheus
sent POST /predict -X POST -H 'Content-Type: application/json' --data-binary "@$work/batch" "$url/predict"
sleep 3 # two scrapes more, so that there are rates
check "a query gives what was counted" \
    [ "$(query 'sum(munkeyd_instances{job="munkeyd"})' | jq -r '.data.result[0].value[1]')" = 20 ]
check "every expression of the dashboard answers" dashboard_answers
kill $prometheus
wait $prometheus
check "munkeyd ends" stop
start shop
check "without an address there is no such listener" refused grep -q 'metrics on' "$work/shop.log"
check "nor is it on the port for everybody" [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/metrics")" = 404 ]
check "it ends again" stop
finish
