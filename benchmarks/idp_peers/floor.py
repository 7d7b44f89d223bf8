"""The floor: the least that an OpenID provider in Python can do, to know how much of the time is ours to save.

A bare ASGI application under uvicorn with uvloop and httptools. It checks code, PKCE, client secret and redirect URI,
signs one id_token with a prepared key object and hands out opaque access tokens. No tenants, no journal, no faults, no
errors worth the name. ``python floor.py --port 8080 --alg RS256 --key KEY.der``, where the key is unencrypted PKCS#8.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections import deque
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Reply = tuple[int, list[tuple[bytes, bytes]], bytes]

CLIENT_ID, CLIENT_SECRET, REDIRECT_URI = "bench", "bench-secret", "http://127.0.0.1:9/callback"
JSON = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")
LIVE_TOKENS = 10_000
"""So many access tokens live; the oldest leaves for a new one, hence memory stays flat."""


def b64(raw: bytes) -> bytes:
    """Base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=")


class Signer:
    """Signs claims with one prepared key object."""

    def __init__(self, alg: str, key: Path) -> None:
        loaded = load_der_private_key(key.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(loaded, (RSAPrivateKey, Ed25519PrivateKey))
        self._key = loaded
        self._scheme, self._hash = padding.PKCS1v15(), hashes.SHA256()
        self._head = b64(json.dumps({"alg": alg, "kid": "floor", "typ": "JWT"}).encode())
        self.jwk = {"kid": "floor", "use": "sig", "alg": alg, **self._public()}

    def _public(self) -> dict[str, str]:
        public = self._key.public_key()
        if isinstance(self._key, Ed25519PrivateKey):
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw).decode()}
        numbers = self._key.public_key().public_numbers()
        n, e = (b64(value.to_bytes((value.bit_length() + 7) // 8)).decode() for value in (numbers.n, numbers.e))
        return {"kty": "RSA", "n": n, "e": e}

    def __call__(self, claims: dict[str, Any]) -> str:
        """A compact JWS of the claims."""
        signed = self._head + b"." + b64(json.dumps(claims).encode())
        if isinstance(self._key, Ed25519PrivateKey):
            signature = self._key.sign(signed)
        else:
            signature = self._key.sign(signed, self._scheme, self._hash)
        return (signed + b"." + b64(signature)).decode()


class Floor:
    """The application."""

    def __init__(self, issuer: str, alg: str, key: Path) -> None:
        self._issuer = issuer
        self._sign = Signer(alg, key)
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, str] = {}
        self._oldest: deque[str] = deque()
        self._metadata = json.dumps(self._describe(alg)).encode()
        self._jwks = json.dumps({"keys": [self._sign.jwk]}).encode()

    def _describe(self, alg: str) -> dict[str, Any]:
        return {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "userinfo_endpoint": f"{self._issuer}/userinfo",
            "jwks_uri": f"{self._issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [alg],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        status, headers, body = await self._answer(scope, receive)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> Reply:
        path = scope["path"]
        if path == "/authorize":
            return self._authorize(dict(parse_qsl(scope["query_string"].decode())))
        if path == "/token":
            body = (await receive())["body"]
            return self._token(dict(parse_qsl(body.decode())), dict(scope["headers"]).get(b"authorization", b""))
        if path == "/userinfo":
            return self._userinfo(dict(scope["headers"]).get(b"authorization", b""))
        if path == "/.well-known/openid-configuration":
            return 200, [JSON], self._metadata
        if path == "/jwks":
            return 200, [JSON], self._jwks
        return 404, [], b""

    def _authorize(self, asked: dict[str, str]) -> Reply:
        if (asked["client_id"], asked["redirect_uri"]) != (CLIENT_ID, REDIRECT_URI):
            return 400, [], b"unknown client or redirect URI"
        code = secrets.token_urlsafe(32)
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"], "iss": self._issuer})
        return 302, [(b"location", f"{REDIRECT_URI}?{query}".encode())], b""

    def _token(self, form: dict[str, str], credentials: bytes) -> Reply:
        if b64decode(credentials[6:]).decode() != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return 401, [JSON], b'{"error": "invalid_client"}'
        now = int(time.time())
        claims = {"iss": self._issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "sub": CLIENT_ID}
        if form["grant_type"] == "client_credentials":
            issued = {"access_token": self._sign(claims), "token_type": "Bearer", "expires_in": 3600}
            return 200, [JSON, NO_STORE], json.dumps(issued).encode()
        asked = self._codes.pop(form["code"], None)
        if (
            asked is None
            or b64(sha256(form["code_verifier"].encode()).digest()).decode() != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return 400, [JSON], b'{"error": "invalid_grant"}'
        issued = {
            "access_token": self._opaque("alice"),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": asked["scope"],
            "id_token": self._sign(claims | {"sub": "alice", "nonce": asked["nonce"], "auth_time": now}),
        }
        return 200, [JSON, NO_STORE], json.dumps(issued).encode()

    def _opaque(self, subject: str) -> str:
        token = secrets.token_urlsafe(32)
        self._tokens[token] = subject
        self._oldest.append(token)
        if len(self._oldest) > LIVE_TOKENS:
            del self._tokens[self._oldest.popleft()]
        return token

    def _userinfo(self, credentials: bytes) -> Reply:
        subject = self._tokens.get(credentials[7:].decode())
        if subject is None:
            return 401, [(b"www-authenticate", b'Bearer error="invalid_token"')], b""
        return 200, [JSON], json.dumps({"sub": subject, "name": "Alice", "email": "alice@example.test"}).encode()


def main() -> None:
    """Listen on 127.0.0.1 until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--alg", choices=["RS256", "EdDSA"], required=True)
    parser.add_argument("--key", type=Path, required=True)
    asked = parser.parse_args()
    application = Floor(f"http://127.0.0.1:{asked.port}", asked.alg, asked.key)
    uvicorn.run(
        application,
        port=asked.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
