"""Makes ``pool.json`` anew: ``python -m mock_idp.keys.make_pool``.

The pool exists because an RSA key costs some 70 ms to generate and a tenant has to be there in under one. Making it
anew changes the keys of every named tenant, so it is done only when the format changes.
"""

from __future__ import annotations

import base64
import json
import sys

# Imported here at the top: nothing that the server loads at start imports this module.
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mock_idp.keys.pool import POOL_FILE, POOL_SIZE
from mock_idp.keys.thumbprint import thumbprint

_PURPOSE = "test keys of a mock identity provider, published with its source; worthless as secrets"


def main() -> int:
    """Write the pool: one key a slot, and a last one that no tenant gets, the forger's."""
    document = {"purpose": _PURPOSE, "keys": [_entry() for _ in range(POOL_SIZE + 1)]}
    POOL_FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    sys.stdout.write(f"{POOL_FILE.name}: {POOL_SIZE} keys for tenants and one for forgeries\n")
    return 0


def _entry() -> dict[str, object]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": _base64url(numbers.n), "e": _base64url(numbers.e)}
    return {"jwk": {**jwk, "kid": thumbprint(jwk)}, "pkcs8": base64.b64encode(der).decode()}


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


if __name__ == "__main__":
    sys.exit(main())
