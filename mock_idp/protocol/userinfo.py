"""UserInfo (OpenID Connect Core 1.0, section 5.3), and the profile endpoints of the other dialects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.keys.rotation import signing_key
from mock_idp.protocol import dpop
from mock_idp.protocol.access_token import live_token
from mock_idp.protocol.errors import OAuthError, sayable
from mock_idp.protocol.mapped_claims import OF_TOKENS
from mock_idp.protocol.table import Flow, Table
from mock_idp.protocol.vocabulary import ASYMMETRIC
from mock_idp.tokens import jws
from mock_idp.wire.http import FORM, NO_STORE, Answer, json_answer

if TYPE_CHECKING:
    from mock_idp.keys.ring import KeyRef
    from mock_idp.records import AccessToken, Account

_SCHEMES = {"bearer": "Bearer", "token": "Bearer", "dpop": "DPoP"}
_FORBIDDEN = 403


@dataclass(slots=True)
class UserInfo(Flow):
    """A request with an access token.

    Attributes:
        bearer: the token as presented.
        scheme: ``bearer`` or ``dpop``.
        profile: what is answered.
        key: that it is signed with, where it is.
        compact: the same as a JWT, where it is signed.

    """

    bearer: str | None = None
    scheme: str = "bearer"
    token: AccessToken | None = None
    account: Account | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    key: KeyRef | None = None
    compact: str | None = None


def read_access_token(flow: UserInfo) -> None:
    """In the Authorization header, or in the form of a POST; in the URL it is refused (RFC 6750, section 2)."""
    scheme, _, value = (flow.request.header(b"authorization") or "").partition(" ")
    if scheme and flow.request.media_type == FORM and "access_token" in flow.request.form():
        raise OAuthError("invalid_request", "the access token was sent in two ways at once", "RFC 6750, section 2")
    if scheme:
        flow.scheme, flow.bearer = scheme.lower(), value.strip()
    elif flow.request.method == "POST" and flow.request.body:
        flow.bearer = flow.request.form().get("access_token")
    if not flow.bearer or flow.scheme not in flow.dialect.token_schemes:
        raise OAuthError("", "no access token was sent", "RFC 6750, section 3.1", status=401)


async def find_token(flow: UserInfo) -> None:
    """Known, alive, and its grant not revoked."""
    flow.token, flow.grant = await live_token(flow, flow.bearer or "")
    if flow.token is None or flow.grant is None:
        raise OAuthError(
            "invalid_token", "the access token is unknown, expired or revoked", "RFC 6750, section 3.1", status=401
        )
    flow.entry.client = flow.grant.client_id
    flow.use_grant(flow.grant)


async def check_binding(flow: UserInfo) -> None:
    """A token that is bound to a key comes with proof of it, and no other comes as DPoP (RFC 9449, section 7)."""
    assert flow.token is not None and flow.bearer is not None  # noqa: S101, PT018 # the step before found it
    bound = flow.token.key_thumbprint
    if flow.scheme != "dpop":
        if bound is not None:
            raise OAuthError(
                "invalid_token",
                "the access token is bound to a key, and was sent as Bearer",
                "RFC 9449, section 7.2",
                status=401,
            )
        return
    proved = await dpop.prove(flow, "userinfo_endpoint", flow.bearer)
    if proved != bound:
        raise OAuthError(
            "invalid_token",
            "the access token is not bound to the key of the DPoP proof",
            "RFC 9449, section 7.1",
            status=401,
        )


def check_scope(flow: UserInfo) -> None:
    """UserInfo is for tokens with ``openid`` (section 5.3); plain OAuth dialects have no such scope."""
    assert flow.token is not None  # noqa: S101
    if flow.dialect.openid and "openid" not in flow.token.scope:
        if flow.grant is not None:
            flow.client = flow.provider.client(flow.tenant, flow.grant.client_id)
        if not flow.tolerates("userinfo-without-openid"):
            raise OAuthError(
                "insufficient_scope",
                "the token was issued without the scope openid",
                "RFC 6750, section 3.1",
                status=403,
            )


async def find_account(flow: UserInfo) -> None:
    """Whose token it is."""
    assert flow.grant is not None  # noqa: S101
    if flow.grant.account is None:
        raise OAuthError(
            "invalid_token", "the token stands for a client, not for a person", "RFC 6750, section 3.1", status=401
        )
    flow.account = await flow.provider.account(flow.tenant, flow.grant.account)


def subject(flow: UserInfo) -> None:
    """The same subject as in the ID Token (section 5.3.2)."""
    assert flow.account is not None and flow.grant is not None  # noqa: S101, PT018
    flow.profile.update(flow.dialect.subject(flow.account, flow.grant, flow.tenant.settings))


def claims(flow: UserInfo) -> None:
    """What the scopes and the ``claims`` request release."""
    assert flow.account is not None and flow.grant is not None and flow.token is not None  # noqa: S101, PT018
    flow.profile.update(
        flow.dialect.profile(flow.account, flow.token.scope, flow.grant.claims.get("userinfo"), flow.tenant)
    )
    flow.profile.update((name, value) for name, value in flow.grant.mapped.items() if name not in OF_TOKENS)


def email(_: UserInfo) -> None:
    """Nothing more; here faults move and unverify the e-mail address."""


async def sign(flow: UserInfo) -> None:
    """A JWT instead of JSON, where the tenant or the client's registration wants it (section 5.3.2)."""
    client = flow.tenant.clients.get(flow.grant.client_id) if flow.grant else None
    if flow.tenant.settings.userinfo_signed or (client is not None and client.userinfo_signed_alg is not None):
        flow.client = client or flow.client
        await SIGNED_USERINFO.walk(flow)


def send(flow: UserInfo) -> Answer:
    """JSON, or the JWT (section 5.3.2)."""
    if flow.compact is not None:
        answer = Answer(200, [(b"content-type", b"application/jwt"), *NO_STORE], flow.compact.encode())
    else:
        answer = json_answer(200, flow.profile)
    if flow.scheme == "dpop":
        answer.headers += dpop.nonce_headers(flow)
    return answer


USERINFO: Table[UserInfo] = Table(
    "userinfo",
    read_access_token,
    find_token,
    check_binding,
    check_scope,
    find_account,
    subject,
    claims,
    email,
    sign,
    send,
)


# --- signed -----------------------------------------------------------------------------------------------------------


def signed_issuer(flow: UserInfo) -> None:
    """``iss``: as in the ID Token (section 5.3.2)."""
    assert flow.grant is not None  # noqa: S101
    flow.profile["iss"] = flow.dialect.iss(flow.tenant.settings, flow.grant.issuer)


def signed_audience(flow: UserInfo) -> None:
    """``aud``: the client (section 5.3.2)."""
    assert flow.grant is not None  # noqa: S101
    flow.profile["aud"] = flow.grant.client_id


async def choose_key(flow: UserInfo) -> None:
    """A key of the algorithm that the client is registered with, or else the tenant's usual one."""
    wanted = flow.client.userinfo_signed_alg if flow.client else None
    flow.key = await signing_key(flow.provider.store, flow.tenant, wanted or flow.tenant.settings.signing_alg)


def signature(flow: UserInfo) -> None:
    """A compact JWS (RFC 7515)."""
    assert flow.key is not None  # noqa: S101 # the step before chose it
    flow.compact = jws.sign(flow.profile, flow.key)


SIGNED_USERINFO: Table[UserInfo] = Table("signed UserInfo", signed_issuer, signed_audience, choose_key, signature)


def refuse(flow: UserInfo, error: OAuthError) -> Answer:
    """The challenge says why (RFC 6750, section 3; RFC 9449, section 7.1)."""
    answer = json_answer(
        error.status, {"error": error.error or "invalid_token", "error_description": error.description}
    )
    answer.headers += error.headers
    if error.challenge is not None:
        challenges = [error.challenge]
    elif not error.error:  # no token was sent: no more than how to send one (RFC 6750, section 3.1)
        challenges = [_challenge(flow, scheme, {}) for scheme in flow.dialect.token_schemes]
    else:
        told = {"error": error.error, "error_description": error.description}
        challenges = [
            _challenge(flow, flow.scheme, {**told, **({"scope": "openid"} if error.status == _FORBIDDEN else {})})
        ]
    answer.headers += [(b"www-authenticate", challenge.encode("latin-1", "replace")) for challenge in challenges]
    return answer


def _challenge(flow: UserInfo, scheme: str, attributes: dict[str, str]) -> str:
    name = _SCHEMES.get(scheme, _SCHEMES["bearer"])
    told = {"realm": sayable(flow.tenant.name), **attributes}
    if name == "DPoP":
        told["algs"] = " ".join(ASYMMETRIC)
    return f"{name} " + ", ".join(f'{key}="{value}"' for key, value in told.items())
