"""UserInfo (OpenID Connect Core 1.0, section 5.3), and the profile endpoints of the other dialects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.table import Flow, Table
from mock_idp.records import AccessToken, Grant
from mock_idp.wire.http import NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from mock_idp.records import Account


@dataclass(slots=True)
class UserInfo(Flow):
    """A request with an access token.

    Attributes:
        bearer: the token as presented.
        scheme: ``bearer`` or ``dpop``.
        profile: what is answered.

    """

    bearer: str | None = None
    scheme: str = "bearer"
    token: AccessToken | None = None
    account: Account | None = None
    profile: dict[str, Any] = field(default_factory=dict)


def read_access_token(flow: UserInfo) -> None:
    """In the Authorization header, or in the form of a POST; in the URL it is refused (RFC 6750, section 2)."""
    scheme, _, value = (flow.request.header(b"authorization") or "").partition(" ")
    if scheme:
        flow.scheme, flow.bearer = scheme.lower(), value.strip()
    elif flow.request.method == "POST" and flow.request.body:
        flow.bearer = flow.request.form().get("access_token")
    if not flow.bearer or flow.scheme not in flow.dialect.token_schemes:
        raise OAuthError("", "no access token was sent", "RFC 6750, section 3.1", status=401, challenge="Bearer")


async def find_token(flow: UserInfo) -> None:
    """Known, alive, and its grant not revoked."""
    flow.token, flow.grant = await live_token(flow, flow.bearer or "")
    if flow.token is None or flow.grant is None:
        raise OAuthError("invalid_token", "the access token is unknown, expired or revoked", "RFC 6750, section 3.1", status=401)
    flow.entry.client = flow.grant.client_id
    flow.use_grant(flow.grant)


async def live_token(flow: Flow, text: str) -> tuple[AccessToken | None, Grant | None]:
    """What stands behind an access token, where it still stands."""
    store, name = flow.provider.store, flow.tenant.name
    token = await store.get(name, AccessToken, text)
    if token is None or token.expires_at <= flow.now:
        return None, None
    return token, await store.get(name, Grant, token.grant_id)


def check_scope(flow: UserInfo) -> None:
    """UserInfo is for tokens with ``openid`` (section 5.3); plain OAuth dialects have no such scope."""
    assert flow.token is not None  # noqa: S101
    if flow.dialect.openid and "openid" not in flow.token.scope:
        if flow.grant is not None:
            flow.client = flow.provider.client(flow.tenant, flow.grant.client_id)
        if not flow.tolerates("userinfo-without-openid"):
            raise OAuthError(
                "insufficient_scope", "the token was issued without the scope openid", "RFC 6750, section 3.1", status=403
            )


async def find_account(flow: UserInfo) -> None:
    """Whose token it is."""
    assert flow.grant is not None  # noqa: S101
    if flow.grant.account is None:
        raise OAuthError("invalid_token", "the token stands for a client, not for a person", "RFC 6750, section 3.1", status=401)
    flow.account = await flow.provider.account(flow.tenant, flow.grant.account)


def subject(flow: UserInfo) -> None:
    """The same subject as in the ID Token (section 5.3.2)."""
    assert flow.account is not None and flow.grant is not None  # noqa: S101, PT018
    flow.profile.update(flow.dialect.subject(flow.account, flow.grant))


def claims(flow: UserInfo) -> None:
    """What the scopes and the ``claims`` request release."""
    assert flow.account is not None and flow.grant is not None and flow.token is not None  # noqa: S101, PT018
    flow.profile.update(flow.dialect.profile(flow.account, flow.token.scope, flow.grant.claims.get("userinfo"), flow.tenant))


def email(_: UserInfo) -> None:
    """Nothing more; here faults move and unverify the e-mail address."""


def send(flow: UserInfo) -> Answer:
    """JSON."""
    return json_answer(200, flow.profile)


USERINFO: Table[UserInfo] = Table(
    "userinfo", read_access_token, find_token, check_scope, find_account, subject, claims, email, send
)


def refuse(flow: UserInfo, error: OAuthError) -> Answer:
    """RFC 6750, section 3: the challenge says why."""
    scheme = "DPoP" if flow.scheme == "dpop" else "Bearer"
    parts = [f'{name}="{value}"' for name, value in (("error", error.error), ("error_description", error.description)) if value and error.error]
    challenge = error.challenge or f"{scheme} {', '.join(parts)}".strip()
    headers = (*NO_STORE, (b"www-authenticate", challenge.encode("latin-1", "replace")))
    body = {"error": error.error, "error_description": error.description} if error.error else {"error": "invalid_token"}
    return json_answer(error.status, body, headers)
