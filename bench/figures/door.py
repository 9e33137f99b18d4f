# SPDX-License-Identifier: Apache-2.0
"""A status with a signed token against the same status without one

Over TCP, full answers, 16 kept connections: with a token in the path, in the
Authorization header, and at a listener that asks nobody (Auth=none).
"""

import json
import time

from figures import report
from figures.listing import JSON, compare
from jwcrypto import jwk, jws

OPEN = "[Listen]\nAddress=127.0.0.1:2223\n[Listen]\nAddress=/run/geard/geard.sock\n" \
       "[Listen]\nAddress=127.0.0.1:2225\nAuth=none\n"
KINDS = {"EdDSA": {"kty": "OKP", "crv": "Ed25519"}, "ES256": {"kty": "EC", "crv": "P-256"}}


def trust(yard, alg, form):
    """A key that geard trusts; the token it signs for the gear."""
    key = jwk.JWK.generate(kid=alg.lower(), **form)
    path = yard.root / f"etc/geard/keys.d/{alg.lower()}.jwk"
    path.write_text(key.export_public())
    path.chmod(0o644)
    token = jws.JWS(json.dumps({"d": int(time.time()) + 3600, "u": "bench", "r": "run-000", "a": ["gear.read"]}))
    token.add_signature(key, alg, json.dumps({"alg": alg, "kid": alg.lower()}))
    return token.serialize(compact=True)


def measure(yard, args):
    runs = args.runs or 7
    yard.inside("start", 1)
    tokens = {alg: trust(yard, alg, form) for alg, form in KINDS.items()}
    yard.configure("90-bench", OPEN)
    yard.restart()

    report.title(f"one status over TCP, with and without a token, {runs} runs")
    sides = {"without": ("127.0.0.1:2225", "/container/run-000/status", *JSON)}
    for alg, token in tokens.items():
        sides[f"{alg} in the path"] = ("127.0.0.1:2223", f"/token/{token}/container/status", *JSON)
    sides["EdDSA in the header"] = ("127.0.0.1:2223", "/container/run-000/status", *JSON,
                                    "-H", f"Authorization: Bearer {tokens['EdDSA']}")
    rate = compare(yard, runs, sides)
    for name in sides:
        if name != "without":
            report.ratio(f"time of a request, {name} / without", rate["without"], rate[name], "<= 1.5")
