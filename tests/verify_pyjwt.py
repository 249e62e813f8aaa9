# SPDX-License-Identifier: Apache-2.0
"""Checks a receipt with PyJWT, which shares no code with munkeyd, and prints the log's entry.

    python3 verify_pyjwt.py REPLY.json JWKS.json
"""
import json
import sys

import jwt

reply, jwks = (json.load(open(path)) for path in sys.argv[1:3])
kid = jwt.get_unverified_header(reply["receipt"])["kid"]
key = next(k for k in jwt.PyJWKSet.from_dict(jwks).keys if k.key_id == kid)
receipt = jwt.PyJWS().decode_complete(reply["receipt"], key.key, algorithms=["EdDSA"])
assert receipt["header"]["typ"] == "munkeyd-receipt+jws"
sys.stdout.buffer.write(receipt["payload"] + b"\n")
