"""Starts our fixture in a warm process, again and again; prints the milliseconds to its first answer as a JSON list."""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import urlsplit

import mock_idp

STARTS = 10
DISCOVERY = "/warm/.well-known/openid-configuration"


def once() -> float:
    """Milliseconds from nothing to a discovery document of a tenant that did not exist before."""
    began = time.perf_counter()
    with mock_idp.start() as provider:
        wire = http.client.HTTPConnection(urlsplit(provider.base).netloc, timeout=10)
        wire.request("GET", DISCOVERY)
        answer = wire.getresponse()
        answer.read()
        took = time.perf_counter() - began
        wire.close()
    if answer.status != http.client.OK:
        raise SystemExit(f"the fixture answered {answer.status}")
    return took * 1000


if __name__ == "__main__":
    once()  # imports what it needs
    print(json.dumps([once() for _ in range(STARTS)]))
