#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for Fides: runs the requests of a SaaS connector as Fides' client does.

    fides.py CONFIG SECRETS test
    fides.py CONFIG SECRETS erase IDENTITY VALUE PRIVACY-REQUEST-ID

SECRETS is JSON.  Placeholders are inserted raw, one after the other as they stand in the text.  A reply
is waited for 60 s; 429, 502, 503 and 504 are repeated three times, as Retry-After says or after 2, 4 and
8 s; any other status that is not 2xx is the end.  Each attempt is a line on standard error, the last
reply's body goes to standard output, and the exit status is 1 for a failure.  Speaks HTTP where the
config says https: there is no proxy in front of what is tested.
"""
import email.utils
import http.client
import json
import re
import sys
import time
import urllib.parse

import yaml

CONFIG = {"fides_key", "name", "type", "description", "version", "connector_params", "client_config",
          "endpoints", "test_request", "data_protection_request", "user_guide"}
REQUEST = {"path", "method", "headers", "query_params", "body", "param_values", "client_config", "data_path",
           "postprocessors", "pagination", "grouped_inputs", "ignore_errors", "rate_limit_config"}
REPEATED = {429, 502, 503, 504}
RETRIES, PATIENCE, LONGEST_PAUSE = 3, 60, 300


def known(names, mapping, what):
    unknown = set(mapping) - names
    if unknown:
        sys.exit(f"{what}: unknown {', '.join(sorted(unknown))}")
    return mapping


def load(path):
    with open(path, encoding="utf-8") as file:
        config = yaml.safe_load(file.read().replace("<instance_fides_key>", "munkeyd_1"))["saas_config"]
    known(CONFIG, config, "saas_config")
    if any(not re.fullmatch(r"[a-zA-Z0-9_.<>-]+", config[name]) for name in ("fides_key", "type")):
        sys.exit("fides_key and type are names")
    for param in config["connector_params"]:
        known({"name", "label", "options", "default_value", "multiselect", "description", "sensitive"}, param,
              "connector_params")
        if param.get("options") and param.get("default_value") not in param["options"]:
            sys.exit(f"{param['name']}: the default is none of the options")
    return config


def insert(text, values):
    for name in re.findall("<([^<>]+)>", text or ""):
        if values.get(name) is None:
            sys.exit(f"nothing is known for <{name}>")
        text = text.replace(f"<{name}>", str(values[name]))
    return text


def values_of(request, secrets, identities):
    values = {}
    for param in request.get("param_values") or []:
        known({"name", "identity", "references", "connector_param", "unpack"}, param, "param_values")
        values[param["name"]] = (identities.get(param["identity"]) if "identity" in param
                                 else secrets.get(param["connector_param"]))
    return values


def prepare(config, request, secrets, values):
    known(REQUEST, request, "a request")
    client = known({"protocol", "host", "authentication"},
                   request.get("client_config") or config["client_config"], "client_config")
    headers = {h["name"]: insert(h["value"], values) for h in request.get("headers") or []}
    query = {q["name"]: insert(str(q["value"]), values) for q in request.get("query_params") or []}
    authentication = client["authentication"]
    if authentication["strategy"] != "bearer":
        sys.exit("no other authentication is known here than bearer")
    headers["Authorization"] = "Bearer " + insert(authentication["configuration"]["token"], secrets)
    body = insert(request.get("body"), values)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    path = insert(request["path"], values) + ("?" + urllib.parse.urlencode(query) if query else "")
    return insert(client["host"], secrets), request["method"], path, headers, body


def pause(headers, attempt):
    after = headers.get("Retry-After")
    if after is None:
        return 2 ** (attempt + 1)
    if re.fullmatch(r"\s*[0-9]+\s*", after):
        return min(int(after), LONGEST_PAUSE)
    return min(max(email.utils.parsedate_to_datetime(after).timestamp() - time.time(), 0), LONGEST_PAUSE)


def send(host, method, path, headers, body):
    for attempt in range(RETRIES + 1):
        connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        connection.request(method, path, body.encode() if body is not None else None, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        seconds = pause(response.headers, attempt)
        print(response.status, f"again in {seconds} s" if response.status in REPEATED else "",
              file=sys.stderr, flush=True)
        if response.status not in REPEATED or attempt == RETRIES:
            return response.status, text
        time.sleep(seconds)


def main():
    config, secrets = load(sys.argv[1]), json.loads(sys.argv[2])
    for param in config["connector_params"]:
        secrets.setdefault(param["name"], param.get("default_value"))
    if sys.argv[3] == "test":
        prepared = [prepare(config, config["test_request"], secrets, secrets)]
    else:
        identity, value, request_id = sys.argv[4:]
        prepared = []
        for endpoint in config["endpoints"]:
            known({"name", "requests", "after", "erase_after", "skip_processing"}, endpoint, "an endpoint")
            request = known({"read", "update", "delete"}, endpoint["requests"], "requests")["delete"]
            values = values_of(request, secrets, {identity: value})
            prepared.append(prepare(config, request, secrets, {**values, "privacy_request_id": request_id}))
    for request in prepared:
        status, text = send(*request)
        print(text)
        if not 200 <= status <= 299:
            sys.exit(1)


main()
