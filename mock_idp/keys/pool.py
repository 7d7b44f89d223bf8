"""The bundled pool of RSA test keys, readable without the cryptography library."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypedDict

POOL_FILE = Path(__file__).with_name("pool.json")
POOL_SIZE = 128
"""Slots that tenants may have; the file holds one key more."""
FORGER_SLOT = POOL_SIZE
"""The slot of the key that no tenant ever publishes: forgeries are signed with it."""


class PoolKey(TypedDict):
    """One entry: the public half as a JWK with its ``kid``, the private half as base64 of PKCS#8 DER (RFC 5958)."""

    jwk: dict[str, str]
    pkcs8: str


@cache
def pool() -> list[PoolKey]:
    """All keys of the pool, in the order of their slots, the forger's last."""
    keys: list[PoolKey] = json.loads(POOL_FILE.read_bytes())["keys"]
    return keys
