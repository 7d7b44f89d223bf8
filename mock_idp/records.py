"""What the provider keeps: settings, clients, accounts, and what authorizations leave behind.

Standard dataclasses of JSON types only: the memory store keeps the objects, the Redis store their JSON, and pydantic
validates configuration and control requests against the same classes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from mock_idp.keys.ring import KeyRing

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
DialectName = Literal["oidc", "oauth2", "github", "google", "intra42"]
GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "implicit",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
]
AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
Leniency = Literal[
    "any-redirect-uri",
    "any-secret",
    "plain-pkce",
    "verifier-missing",
    "verifier-wrong",
    "verifier-unasked",
    "redirect-uri-not-compared",
    "code-reuse",
    "refresh-token-reuse",
    "userinfo-without-openid",
    "pushed-request-reuse",
    "basic-not-encoded",
    "post-logout-uri-unregistered",
]
"""Mistakes of a client that one may let pass, one by one. The journal says when that happened."""


def unguessable() -> str:
    """256 bits as 43 characters."""
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class Account:
    """Somebody who can sign in.

    Attributes:
        name: what is typed in the sign-in form.
        sub: subject identifier; the name where not given.
        claims: what ID Token, UserInfo and the dialects' profiles say; completed by `profile`.
        password: asked for where set; otherwise none is.

    """

    name: str
    sub: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.sub = self.sub or self.name


@dataclass(slots=True)
class Client:
    """A relying party.

    Attributes:
        secret: None: the client is public, or came by itself.
        name: what pages call it; its id where empty.
        redirect_uris: compared byte for byte (RFC 9700, section 2.1); the port of a loopback address may
            differ for public native clients (RFC 8252, section 7.3).
        post_logout_redirect_uris: where the browser may go after a logout.
        auth_methods: how it may authenticate; empty: by whatever it was registered with.
        grant_types: those it may use; empty: all of the tenant's.
        response_types: those it may use; empty: all of the tenant's.
        registered: False for clients that came by themselves: no secret is known, any loopback redirect URI is theirs.
        lenient: mistakes that are let pass.
        consent: ask on every authorization.
        require_pkce: refuse its authorization requests without a challenge.
        require_pushed_requests: refuse its authorization requests that were not pushed (RFC 9126).
        jwks: its public keys, for assertions and request objects.
        jwks_uri: where its public keys are.
        backchannel_logout_uri: where logout tokens go.
        frontchannel_logout_uri: what the browser loads in a frame at a logout.
        userinfo_signed_alg: its UserInfo comes as a JWT.
        dpop_bound: its tokens are always bound to a key (RFC 9449).

    """

    client_id: str
    secret: str | None = field(default=None, repr=False)
    name: str = ""
    redirect_uris: list[str] = field(default_factory=list)
    post_logout_redirect_uris: list[str] = field(default_factory=list)
    auth_methods: list[AuthMethod] = field(default_factory=list)
    grant_types: list[GrantType] = field(default_factory=list)
    response_types: list[str] = field(default_factory=list)
    registered: bool = True
    lenient: list[Leniency] = field(default_factory=list)
    consent: bool = False
    require_pkce: bool = False
    require_pushed_requests: bool = False
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    backchannel_logout_uri: str | None = None
    frontchannel_logout_uri: str | None = None
    userinfo_signed_alg: Algorithm | None = None
    dpop_bound: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    """What dynamic registration (RFC 7591) was told and the provider only gives back."""
    registration_token: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Lifetimes:
    """Seconds, by the tenant's clock.

    Attributes:
        code: of an authorization code.
        access_token: None: what is usual for the make of provider.
        id_token: of an ID Token.
        refresh_token: of a family of refresh tokens.
        session: of a sign-in at the provider.
        device_code: for which a device may ask (RFC 8628).
        pushed_request: of the URI of a pushed authorization request (RFC 9126).

    """

    code: int = 60
    access_token: int | None = None
    id_token: int = 3600
    refresh_token: int = 30 * 24 * 3600
    session: int = 12 * 3600
    device_code: int = 600
    pushed_request: int = 60


@dataclass(slots=True)
class ClaimMapping:
    """Claims for the tokens of token requests that match; the first mapping that does counts.

    Attributes:
        parameter: of the token request; ``subject`` is the account that signed in.
        match: its value, ``*`` for any, or a regular expression for the whole of it.
        claims: go into ID Token, JWT access token and UserInfo; in their texts ``${name}`` stands for a parameter of
            the request, and ``${subject}`` for the account.
        typ: of the tokens' headers, instead of the usual one.

    """

    parameter: str
    match: str = "*"
    claims: dict[str, Any] = field(default_factory=dict)
    typ: str | None = None


@dataclass(slots=True)
class Settings:
    """How a tenant behaves. Discovery is generated from it.

    Attributes:
        dialect: which make of provider it is.
        issuer: instead of the address under which the provider is reached.
        signing_alg: of all tokens.
        access_token: "opaque", or "jwt" (RFC 9068).
        audience: what ``aud`` of access tokens says where no resource was asked for; empty: the issuer.
        resources: what tokens may be asked for (RFC 8707); empty: any absolute URI.
        dpop_nonce: proofs need a nonce of the provider (RFC 9449, section 8).
        device_interval: seconds between two questions of a device (RFC 8628, section 3.5).
        refresh: "rotate" (each use gives a new one, reuse kills the family), "fixed", or "omit"; None: what is usual
            for the make of provider ("fixed" of Google, else "rotate").
        refresh_grace: seconds in which a used refresh token may be used again, against lost answers.
        refresh_scope: give a refresh token only where ``offline_access`` was granted.
        auto_approve: the account as which every authorization is approved without a page, whatever ``prompt`` says; an
            account that ``login_hint`` names goes before it. No password is asked for.
        strict: only configured clients and accounts; otherwise they are made on first use.
        consent: ask for consent on every authorization.
        require_pkce: refuse authorization requests without a challenge.
        plain_pkce: take challenges that are not hashed.
        require_pushed_requests: refuse authorization requests that were not pushed (RFC 9126).
        id_token_profile, userinfo_profile: put the claims of profile and e-mail there, where the scope grants them.
        userinfo_signed: UserInfo comes as a JWT.
        iss_parameter: authorization responses say who sends them (RFC 9207).
        registration: clients may register themselves (RFC 7591).
        response_types: those that are switched on.
        grant_types: those that are switched on.
        scopes: those that discovery lists.
        acr_values: classes of authentication, the weakest first.
        lifetimes: how long things last.
        endpoints: absolute URLs in discovery, by metadata name, where a client must reach one by another name.
        claim_mappings: further claims of tokens, by what the token request says.
        cors_origins: origins that may read token, UserInfo and metadata; ["*"] is any, without credentials.
        trusted_issuers: JWKS, or ``{"jwks_uri": ...}``, by issuer, for JWT bearer grants (RFC 7523) from elsewhere.
        dialect_options: quirks of the make of provider; paths and field names of the generic one.

    """

    dialect: DialectName = "oidc"
    issuer: str | None = None
    signing_alg: Algorithm = "RS256"
    access_token: Literal["opaque", "jwt"] = "opaque"  # noqa: S105 # a format
    audience: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    dpop_nonce: bool = False
    device_interval: int = 5
    refresh: Literal["rotate", "fixed", "omit"] | None = None
    refresh_grace: int = 0
    refresh_scope: bool = False
    auto_approve: str | None = None
    strict: bool = False
    consent: bool = False
    require_pkce: bool = False
    plain_pkce: bool = False
    require_pushed_requests: bool = False
    id_token_profile: bool = True
    userinfo_profile: bool = True
    userinfo_signed: bool = False
    iss_parameter: bool = True
    registration: bool = True
    response_types: list[str] = field(
        default_factory=lambda: [
            "code",
            "id_token",
            "token",
            "id_token token",
            "code id_token",
            "code token",
            "code id_token token",
        ]
    )
    grant_types: list[GrantType] = field(
        default_factory=lambda: [
            "authorization_code",
            "refresh_token",
            "implicit",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ]
    )
    scopes: list[str] = field(
        default_factory=lambda: ["openid", "profile", "email", "address", "phone", "offline_access"]
    )
    acr_values: list[str] = field(default_factory=lambda: ["0", "1"])
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    endpoints: dict[str, str] = field(default_factory=dict)
    claim_mappings: list[ClaimMapping] = field(default_factory=list)
    cors_origins: list[str] = field(default_factory=lambda: ["*"])
    trusted_issuers: dict[str, dict[str, Any]] = field(default_factory=dict)
    dialect_options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Clock:
    """The tenant's time: the machine's plus an offset, or frozen."""

    offset: float = 0.0
    frozen: float | None = None

    def now(self, wall: float) -> float:
        """Seconds since 1970."""
        return (wall if self.frozen is None else self.frozen) + self.offset


@dataclass(slots=True)
class Match:
    """Which requests an armed fault strikes; what is None is not looked at.

    Attributes:
        endpoint: as the journal names it: "token", "authorization", "userinfo".
        client: who asks.
        account: who signed in.
        grant: the id of a grant, or a grant type.
        state: of the authorization request.
        nth: only the nth (from 1) of the requests that match otherwise.

    """

    endpoint: str | None = None
    client: str | None = None
    account: str | None = None
    grant: str | None = None
    state: str | None = None
    nth: int | None = None


@dataclass(slots=True)
class Armed:
    """A fault that waits in a tenant for a request.

    Attributes:
        fault: its name, with ``=value`` where it takes one.
        times: how often it strikes; None: until removed.
        seen: how many requests matched so far.

    """

    id: str
    fault: str
    match: Match = field(default_factory=Match)
    times: int | None = None
    seen: int = 0


@dataclass(slots=True)
class Tenant:
    """One isolated issuer. `version` grows with each change; what is derived from a tenant is cached by it."""

    name: str
    settings: Settings = field(default_factory=Settings)
    clients: dict[str, Client] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    keys: KeyRing = field(default_factory=KeyRing)
    clock: Clock = field(default_factory=Clock)
    armed: list[Armed] = field(default_factory=list)
    version: int = 0


@dataclass(slots=True)
class Grant:
    """What somebody allowed a client. Tokens point at it; where it is gone they are dead.

    Attributes:
        account: name; None where the client acts for itself.
        sid: the sign-in session (OpenID Connect Session Management).
        claims: the parsed ``claims`` request (OIDC Core 5.5).
        faults: names of the faults bound to the authorization.
        audience: resources (RFC 8707) it may be used at.
        actor: for token exchange (RFC 8693), the claim ``act``.
        mapped: claims by a `ClaimMapping`.
        typ: header of its tokens by a `ClaimMapping`.

    """

    id: str
    client_id: str
    account: str | None
    sub: str
    scope: list[str]
    created_at: float
    issuer: str
    auth_time: int = 0
    acr: str | None = None
    sid: str | None = None
    nonce: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    audience: list[str] = field(default_factory=list)
    state: str | None = None
    actor: dict[str, Any] | None = None
    mapped: dict[str, Any] = field(default_factory=dict)
    typ: str | None = None


@dataclass(slots=True)
class Code:
    """An authorization code, before it is redeemed."""

    grant: Grant
    expires_at: float
    redirect_uri: str | None
    challenge: str | None = None
    challenge_method: str | None = None
    dpop_jkt: str | None = None
    """Thumbprint of the key whose proof the token request has to bring (RFC 9449, section 10)."""


@dataclass(slots=True)
class AccessToken:
    """What an access token stands for, whether it is opaque or a JWT."""

    grant_id: str
    expires_at: float
    scope: list[str]
    audience: list[str]
    issued_at: float
    key_thumbprint: str | None = None


@dataclass(slots=True)
class RefreshToken:
    """One refresh token of a family; the grant is the family, and all of a family end at the same time.

    Attributes:
        successor: what the next one will be; chosen beforehand where a used token may be used again for a while, so
            that both uses get the same one.
        used_at: when it was used; 0 until then.
        key_thumbprint: the DPoP key it is bound to, where its client is public (RFC 9449, section 5).

    """

    grant_id: str
    expires_at: float
    scope: list[str]
    successor: str | None = None
    used_at: float = 0.0
    key_thumbprint: str | None = None


@dataclass(slots=True)
class Session:
    """A browser that has signed in, until it signs out."""

    sid: str
    account: str
    auth_time: float
    expires_at: float
    faults: list[str] = field(default_factory=list)
    acr: str | None = None


@dataclass(slots=True)
class Pending:
    """An authorization request that waits for a person, or was pushed (RFC 9126). Parameters are decoded."""

    client_id: str
    parameters: dict[str, str]
    resources: list[str]
    raw_state: str | None
    expires_at: float
    issuer: str = ""
    sid: str | None = None
    """Of the session in which somebody is asked."""


@dataclass(slots=True)
class DeviceCode:
    """A device that waits (RFC 8628), by its device code. Changed only by the person's decision.

    Attributes:
        issuer: as the device knows it.
        grant: once somebody has allowed it.

    """

    client_id: str
    scope: list[str]
    expires_at: float
    issuer: str
    resources: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    grant: Grant | None = None
    denied: bool = False


@dataclass(slots=True)
class UserCode:
    """Where a user code leads, by the code without its hyphen; spent by the decision."""

    device_code: str
    expires_at: float


@dataclass(slots=True)
class Polling:
    """How a device asks, by its device code. Changed only by the token endpoint.

    Attributes:
        at: of the last time it asked, by the tenant's clock.
        machine_at: the same by the machine's clock.
        interval: seconds it has to wait, as it was told last.

    """

    at: float
    machine_at: float
    interval: int


@dataclass(slots=True)
class Approval:
    """What somebody has allowed a client once and for all, by `approval_key`."""

    scope: list[str]


def approval_key(account: str, client_id: str) -> str:
    """Under which key an approval is kept. A line break is in no client id (RFC 6749, appendix A.1)."""
    return f"{client_id}\n{account}"


@dataclass(slots=True)
class Usage:
    """How often a client asked, for the rate limits of some makes of provider.

    Attributes:
        window: number of the period that is counted.
        count: requests in it so far.

    """

    window: int
    count: int


@dataclass(slots=True)
class Seen:
    """Something that counts once: the ``jti`` of an assertion or of a DPoP proof."""

    expires_at: float


Record = (
    Code
    | Grant
    | AccessToken
    | RefreshToken
    | Session
    | Pending
    | DeviceCode
    | UserCode
    | Polling
    | Approval
    | Usage
    | Seen
)
