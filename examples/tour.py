#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A tour of munkeyd with requests: predict a picture, enrol it for somebody, see what is held,
forget them, have the receipt checked, predict again.

    set -a && . ./quickstart.env && set +a     MUNKEYD_URL, MUNKEYD_TOKEN
    examples/tour.py PICTURE [PERSON]          PNG, JPEG or raw pixels of the model's size
"""
import os
import sys
import uuid
from pathlib import Path
from urllib.parse import quote

import requests

MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
picture = Path(sys.argv[1])
person = sys.argv[2] if len(sys.argv) > 2 else "a guest of the tour"
image = {"data": picture.read_bytes(),
         "headers": {"Content-Type": MEDIA.get(picture.suffix, "application/octet-stream")}}
session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["MUNKEYD_TOKEN"]


def call(method, target, **options):
    reply = session.request(method, os.environ["MUNKEYD_URL"] + target, timeout=60, **options)
    if not reply.ok:
        sys.exit(reply.json()["detail"])
    return reply.json()


def encode(text):
    """Bytes that may not stand in a URL; `/` is one of them inside an id."""
    return quote(text, safe="")


before = call("POST", "/predict", **image)
first = before["predictions"][0]
print(f"predicted: {first['label']}, {first['probability']}, by a memory of {before['memory']['n']}")

subject = f"/subjects/{encode(person)}"
enrolled = call("POST", f"{subject}/instances?label={encode(first['label'])}&lawful_basis=consent", **image)
print(f"enrolled: {len(enrolled['instances'])}, now a memory of {enrolled['memory']['n']}")

held = call("GET", subject)
instance = held["instances"][0]
print(f"held: {held['total']}, {instance['label']}, {instance['class']}, {instance['lawful_basis']}")

# The same key gives the same receipt: a request without an answer can be sent again.
erased = call("DELETE", subject, headers={"Idempotency-Key": str(uuid.uuid4())})
print(f"{erased['status']}: {erased['erased']}, receipt {erased['receipt_id']}")

verified = call("POST", "/receipts/verify", json={
    "receipt": erased["receipt"], "opening": erased["opening"], "proof": erased["log"]["proof"]})
checks = ", ".join(f"{name} {check['result']}" for name, check in verified["checks"].items())
print(f"verified: {str(verified['valid']).lower()}, {checks}")

same = call("POST", "/predict", **image) == before
print(f"as if nobody had come: {str(same).lower()}")
sys.exit(not (verified["valid"] and same))
