"""Many relying parties at once: flows as coroutines, over real sockets."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.mock_idp.served import REDIRECT_URI, answered, challenge

APP = ("app", "app-secret")
_WAIT_S = 30.0


def client(connections: int = 32) -> httpx.AsyncClient:
    """A client that keeps no more connections than that, and no cookies to speak of."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(timeout=_WAIT_S, limits=limits, trust_env=False)


@dataclass
class RelyingParty:
    """One client of one tenant. What it was answered, it remembers.

    Attributes:
        issuer: where the tenant is.
        state, verifier: of its one flow.

    """

    http: httpx.AsyncClient
    issuer: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(8))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(8))
    verifier: str = ""

    async def authorize(self, **parameters: Any) -> httpx.Response:
        """An authorization request with PKCE, state and nonce."""
        self.verifier, pkce = challenge()
        sound = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid email",
            "state": self.state,
            "nonce": self.nonce,
            **pkce,
        }
        return await self.http.get(f"{self.issuer}/authorize", params={**sound, **parameters})

    async def code(self, **parameters: Any) -> str:
        """A fresh authorization code."""
        return answered(await self.authorize(**parameters))["code"]

    async def redeem(self, code: str, issuer: str | None = None, **parameters: Any) -> httpx.Response:
        """A token request for a code, perhaps at another address."""
        sound = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        form = {**sound, "code_verifier": self.verifier, **parameters}
        return await self.http.post(f"{issuer or self.issuer}/token", data=form, auth=APP)

    async def refresh(self, token: str, issuer: str | None = None) -> httpx.Response:
        """A token request for a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.http.post(f"{issuer or self.issuer}/token", data=form, auth=APP)

    async def userinfo(self, access_token: str, issuer: str | None = None) -> httpx.Response:
        """UserInfo."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return await self.http.get(f"{issuer or self.issuer}/userinfo", headers=headers)
