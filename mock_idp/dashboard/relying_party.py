"""The dashboard's own relying party: it logs in, shows what it was given, and says what a sound client makes of it."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from mock_idp.dashboard.explained import tokens_in
from mock_idp.dialects import DIALECTS
from mock_idp.keys.ring import jwk
from mock_idp.tokens.jws import TokenRefusedError, verify
from mock_idp.tokens.pkce import challenge_of
from mock_idp.wire.http import FORM, Request

if TYPE_CHECKING:
    from mock_idp.dashboard.explained import Token
    from mock_idp.provider import Provider
    from mock_idp.records import Tenant
    from mock_idp.wire.http import Answer

CLIENT = "dashboard"
MOST_ATTEMPTS = 100
"""Logins that may be under way at once; more are abandoned ones."""


@dataclass(slots=True)
class Attempt:
    """A login that is under way."""

    tenant: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))


@dataclass(slots=True)
class Outcome:
    """What came of a login: the authorization response, the tokens, the profile, and a sentence on it."""

    told: dict[str, str]
    tenant: Tenant | None = None
    tokens: list[Token] = field(default_factory=list)
    token_response: str = ""
    profile: str = ""
    judged: str = ""


class RelyingParty:
    """A client of every tenant of one provider, reached at `base` + ``/_/callback``."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._attempts: dict[str, Attempt] = {}

    def start(self, tenant: Tenant, base: str, fault: str, account: str) -> str:
        """Where to send the browser: the authorization request as a URL."""
        if len(self._attempts) >= MOST_ATTEMPTS:
            self._attempts.clear()
        state, attempt = secrets.token_urlsafe(16), Attempt(tenant.name)
        self._attempts[state] = attempt
        parameters = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": f"{base}/_/callback",
            "scope": "openid profile email" if DIALECTS[tenant.settings.dialect].openid else "",
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
            "mock_fault": fault,
            "login_hint": account,
        }
        query = urlencode({name: value for name, value in parameters.items() if value})
        return f"{self._endpoint(tenant, base, 'authorization_endpoint')}?{query}"

    async def finish(self, told: dict[str, str], base: str) -> Outcome:
        """Redeem the code of an authorization response, and ask for the profile."""
        attempt = self._attempts.pop(told.get("state", ""), None)
        if attempt is None:
            return Outcome(told, judged="a sound client refuses the response: it began no login with this state")
        tenant = await self._provider.store.tenant(attempt.tenant)
        if tenant is None or "code" not in told:
            return Outcome(told, tenant)
        form = {
            "grant_type": "authorization_code",
            "code": told["code"],
            "redirect_uri": f"{base}/_/callback",
            "client_id": CLIENT,
            "code_verifier": attempt.verifier,
        }
        answer = await self._ask(tenant, base, "token_endpoint", body=urlencode(form))
        outcome = Outcome(told, tenant, token_response=_pretty(answer))
        outcome.tokens = tokens_in(outcome.token_response, tenant.clock.now(time.time()))
        given = {token.name: token.text for token in outcome.tokens}
        if "access_token" in given:
            profile = await self._ask(tenant, base, "userinfo_endpoint", bearer=given["access_token"])
            outcome.profile = _pretty(profile)
        if DIALECTS[tenant.settings.dialect].openid:
            outcome.judged = self._judged(tenant, base, attempt, given.get("id_token"))
        return outcome

    def _judged(self, tenant: Tenant, base: str, attempt: Attempt, id_token: str | None) -> str:
        """What a sound client does with the ID Token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        if id_token is None:
            return "a sound client refuses the answer: there is no ID Token"
        issuer = self._provider.addresses.issuer(tenant, base)
        try:
            verified = verify(
                id_token,
                {"keys": [jwk(key) for key in tenant.keys.published()]},
                algs=[tenant.settings.signing_alg],
                now=tenant.clock.now(time.time()),
                aud=CLIENT,
                iss=DIALECTS[tenant.settings.dialect].iss(tenant.settings, issuer),
                require=("sub", "exp", "iat"),
            )
        except TokenRefusedError as error:
            return f"a sound client refuses the ID Token: {error}"
        if verified.claims.get("nonce") != attempt.nonce:
            return "a sound client refuses the ID Token: the nonce is not that of its authorization request"
        return "a sound client accepts the ID Token"

    async def _ask(self, tenant: Tenant, base: str, name: str, *, body: str = "", bearer: str = "") -> Answer:
        """A request of this client to the provider, which answers and journals it like anybody's."""
        headers = [(b"content-type", FORM.encode())] if body else [(b"authorization", f"Bearer {bearer}".encode())]
        headers += [(b"accept", b"application/json"), (b"user-agent", b"mock-provider-dashboard")]
        method, path = ("POST" if body else "GET"), f"/{tenant.name}/{self._path(tenant, name)}"
        return await self._provider.answer(Request(method, base, path, b"", headers, body.encode(), CLIENT))

    def _endpoint(self, tenant: Tenant, base: str, name: str) -> str:
        return self._provider.addresses.endpoint(tenant, base, name, self._path(tenant, name))

    @staticmethod
    def _path(tenant: Tenant, name: str) -> str:
        names = DIALECTS[tenant.settings.dialect].names(tenant.settings)
        return next(path for path, metadata in names.items() if metadata == name)


def _pretty(answer: Answer) -> str:
    text = answer.body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
