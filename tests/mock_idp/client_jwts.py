"""JWTs that clients make: assertions and DPoP proofs, by PyJWT, which the provider does not sign with."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from mock_idp.keys.thumbprint import thumbprint

BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ClientKey:
    """A key pair of a client."""

    def __init__(self, alg: str = "ES256") -> None:
        self.alg = alg
        self.private: Any
        if alg == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
            self.jwk = json.loads(OKPAlgorithm.to_jwk(self.private.public_key()))
        elif alg == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            self.jwk = json.loads(ECAlgorithm.to_jwk(self.private.public_key()))
        else:
            self.private = rsa.generate_private_key(65537, 2048)
            self.jwk = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        self.jwk = {name: value for name, value in self.jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
        self.thumbprint = thumbprint(self.jwk)

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**self.jwk, "kid": self.thumbprint}]}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(_present(claims), self.private, self.alg, headers=_present(header))

    def assertion(self, client_id: str, audience: str, **claims: Any) -> str:
        """A client assertion (RFC 7523, section 3); None leaves a claim out."""
        return self.sign({**assertion_claims(client_id, audience), **claims})

    def proof(self, method: str, uri: str, *, access_token: str | None = None, **claims: Any) -> str:
        """A DPoP proof (RFC 9449, section 4.2); None leaves a claim out."""
        usual: dict[str, Any] = {"jti": secrets.token_hex(8), "htm": method, "htu": uri, "iat": int(time.time())}
        if access_token is not None:
            digest = hashlib.sha256(access_token.encode()).digest()
            usual["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return self.sign({**usual, **claims}, typ="dpop+jwt", jwk=self.jwk)


def secret_assertion(client_id: str, secret: str, audience: str, **claims: Any) -> str:
    """A client assertion by secret (OpenID Connect Core 1.0, section 9)."""
    return jwt.encode(_present({**assertion_claims(client_id, audience), **claims}), secret, "HS256")


def assertion_claims(client_id: str, audience: str) -> dict[str, Any]:
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": int(time.time()) + 60,
        "iat": int(time.time()),
        "jti": secrets.token_hex(8),
    }


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
