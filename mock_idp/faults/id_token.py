"""Faults of the ID Token (OpenID Connect Core 1.0, section 2; what clients check stands in section 3.1.3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mock_idp.faults.ingredients import REJECT, foreign, honest, missing
from mock_idp.faults.registry import fault
from mock_idp.keys.rotation import rotate, signing_key
from mock_idp.protocol import id_token
from mock_idp.records import Grant, unguessable
from mock_idp.tokens import forge

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.keys.ring import KeyRef
    from mock_idp.protocol.id_token import IdToken

_MINUTE = 60
_HOUR = 3600
_DAY = 24 * _HOUR
_LONG = 1000
"""Characters of a subject; 255 is the most (section 2)."""
_ANOTHER_ISSUER = "https://another-issuer.example.test"


# --- iss --------------------------------------------------------------------------------------------------------------


@fault("id-token.iss-wrong", replaces=id_token.issuer, correct=REJECT)
def issuer_wrong(token: IdToken) -> None:
    """``iss`` names another issuer."""
    token.claims["iss"] = _ANOTHER_ISSUER


@fault("id-token.iss-missing", replaces=id_token.issuer, correct=REJECT)
def issuer_missing(_: IdToken) -> None:
    """``iss`` is missing."""


@fault("id-token.iss-empty", replaces=id_token.issuer, correct=REJECT)
def issuer_empty(token: IdToken) -> None:
    """``iss`` is empty."""
    token.claims["iss"] = ""


@fault("id-token.iss-slash", replaces=id_token.issuer, correct=REJECT)
async def issuer_slash(token: IdToken) -> None:
    """``iss`` has a slash at its end that the issuer does not have."""
    await honest(token)
    token.claims["iss"] += "/"


@fault("id-token.iss-http", replaces=id_token.issuer, correct=REJECT)
async def issuer_scheme(token: IdToken) -> None:
    """``iss`` is the issuer with the other scheme: http for https, and https for http."""
    await honest(token)
    scheme, _, rest = token.claims["iss"].rpartition("://")
    token.claims["iss"] = f"{'http' if scheme == 'https' else 'https'}://{rest}"


@fault("id-token.iss-prefix", replaces=id_token.issuer, correct=REJECT)
async def issuer_prefix(token: IdToken) -> None:
    """``iss`` begins with the issuer and goes on."""
    await honest(token)
    token.claims["iss"] += ".attacker.example.test"


@fault("id-token.iss-array", replaces=id_token.issuer, correct=REJECT)
async def issuer_array(token: IdToken) -> None:
    """``iss`` is an array that holds the issuer."""
    await honest(token)
    token.claims["iss"] = [token.claims["iss"], _ANOTHER_ISSUER]


# --- aud, azp ---------------------------------------------------------------------------------------------------------


@fault("id-token.aud-wrong", replaces=id_token.audience, correct=REJECT)
def audience_wrong(token: IdToken) -> None:
    """``aud`` names another client."""
    token.claims["aud"] = "another-client"


@fault("id-token.aud-missing", replaces=id_token.audience, correct=REJECT)
def audience_missing(_: IdToken) -> None:
    """``aud`` is missing."""


@fault("id-token.aud-empty", replaces=id_token.audience, correct=REJECT)
def audience_empty(token: IdToken) -> None:
    """``aud`` is an empty array."""
    token.claims["aud"] = []


@fault("id-token.aud-substring", replaces=id_token.audience, correct=REJECT)
def audience_substring(token: IdToken) -> None:
    """``aud`` is a text that contains the client's id."""
    token.claims["aud"] = f"not-{token.grant.client_id}-either"


@fault("id-token.aud-array-extra", replaces=id_token.audience, correct=REJECT)
def audience_extra(token: IdToken) -> None:
    """``aud`` is an array of the client and another one that it does not trust (section 3.1.3.7, step 3)."""
    token.claims["aud"] = [token.grant.client_id, "another-client"]


@fault("id-token.aud-array-single", replaces=id_token.audience, correct="accepts it", positive=True)
def audience_array(token: IdToken) -> None:
    """``aud`` is an array of the client alone."""
    token.claims["aud"] = [token.grant.client_id]


@fault("id-token.azp-wrong", replaces=id_token.audience, correct="either: Core advises to ignore azp")
async def authorized_party_wrong(token: IdToken) -> None:
    """``azp`` names another client."""
    await honest(token)
    token.claims["azp"] = "another-client"


# --- times ------------------------------------------------------------------------------------------------------------


@fault("id-token.exp-past", replaces=id_token.expiry, correct=REJECT)
def expired(token: IdToken) -> None:
    """``exp`` is an hour ago."""
    token.claims["exp"] = int(token.flow.now) - _HOUR


@fault("id-token.exp-missing", replaces=id_token.expiry, correct=REJECT)
def expiry_missing(_: IdToken) -> None:
    """``exp`` is missing."""


@fault("id-token.exp-string", replaces=id_token.expiry, correct=REJECT)
async def expiry_text(token: IdToken) -> None:
    """``exp`` is text that says when."""
    await honest(token)
    token.claims["exp"] = str(token.claims["exp"])


@fault("id-token.exp-within-skew", replaces=id_token.expiry, correct="either: a few minutes of leeway are allowed")
def expired_within_skew(token: IdToken) -> None:
    """``exp`` is half a minute ago, within usual leeway."""
    token.claims["exp"] = int(token.flow.now) - _MINUTE // 2


@fault("id-token.iat-missing", replaces=id_token.issue_time, correct=REJECT)
def issue_time_missing(_: IdToken) -> None:
    """``iat`` is missing."""


@fault("id-token.iat-future", replaces=id_token.issue_time, correct="either: Core leaves the range to the client")
def issued_in_future(token: IdToken) -> None:
    """``iat`` is a day ahead, and ``exp`` is not."""
    token.claims["iat"] = int(token.flow.now) + _DAY


@fault("id-token.iat-week-old", replaces=id_token.issue_time, correct="either: Core leaves the range to the client")
def issued_long_ago(token: IdToken) -> None:
    """``iat`` is a week ago."""
    token.claims["iat"] = int(token.flow.now) - 7 * _DAY


@fault("id-token.nbf-future", replaces=id_token.issue_time, correct=REJECT)
async def not_yet_valid(token: IdToken) -> None:
    """``nbf`` is an hour ahead (RFC 7519, section 4.1.5)."""
    await honest(token)
    token.claims["nbf"] = int(token.flow.now) + _HOUR


# --- sub --------------------------------------------------------------------------------------------------------------


@fault("id-token.sub-missing", replaces=id_token.subject, correct=REJECT)
def subject_missing(_: IdToken) -> None:
    """``sub`` is missing."""


@fault("id-token.sub-null", replaces=id_token.subject, correct=REJECT)
def subject_null(token: IdToken) -> None:
    """``sub`` is null."""
    token.claims["sub"] = None


@fault("id-token.sub-empty", replaces=id_token.subject, correct=REJECT)
def subject_empty(token: IdToken) -> None:
    """``sub`` is empty."""
    token.claims["sub"] = ""


@fault("id-token.sub-number", replaces=id_token.subject, correct=REJECT)
def subject_number(token: IdToken) -> None:
    """``sub`` is a number."""
    token.claims["sub"] = int.from_bytes(token.grant.sub.encode()[:4], "big")


@fault("id-token.sub-array", replaces=id_token.subject, correct=REJECT)
def subject_array(token: IdToken) -> None:
    """``sub`` is an array that holds the subject."""
    token.claims["sub"] = [token.grant.sub, "somebody-else"]


@fault("id-token.sub-long", replaces=id_token.subject, correct="refuses the login, or keeps all of it; no crash")
def subject_long(token: IdToken) -> None:
    """``sub`` begins with the subject and is 1000 characters long; 255 are allowed."""
    token.claims["sub"] = token.grant.sub.ljust(_LONG, "x")


@fault("id-token.sub-case", replaces=id_token.subject, correct="takes it for another account: sub is case-sensitive")
def subject_case(token: IdToken) -> None:
    """``sub`` is the subject with upper and lower case exchanged."""
    token.claims["sub"] = token.grant.sub.swapcase()


def _at_refresh(token: IdToken) -> bool:
    return token.refreshed


@fault(
    "id-token.refresh-other-sub",
    replaces=id_token.subject,
    correct="ends the session or keeps the old account",
    when=_at_refresh,
)
def refreshed_subject(token: IdToken) -> None:
    """The ID Token of a refresh is another person's (section 12.2)."""
    token.claims["sub"] = "somebody-else"


@fault(
    "id-token.refresh-other-iss",
    replaces=id_token.issuer,
    correct="ends the session or keeps the old account",
    when=_at_refresh,
)
def refreshed_issuer(token: IdToken) -> None:
    """The ID Token of a refresh is another issuer's (section 12.2)."""
    token.claims["iss"] = _ANOTHER_ISSUER


# --- nonce, hashes, authentication ------------------------------------------------------------------------------------


@fault("id-token.nonce-wrong", replaces=id_token.nonce, correct=REJECT)
def nonce_wrong(token: IdToken) -> None:
    """``nonce`` is a value that nobody sent."""
    token.claims["nonce"] = unguessable()


@fault("id-token.nonce-missing", replaces=id_token.nonce, correct="refuses the login where it sent one")
def nonce_missing(_: IdToken) -> None:
    """``nonce`` is missing."""


@fault("id-token.nonce-from-previous-flow", replaces=id_token.nonce, correct=REJECT)
async def nonce_of_previous(token: IdToken) -> None:
    """``nonce`` is that of an earlier login of this client."""
    own, flow = token.grant, token.flow
    grants = sorted(
        (await flow.provider.store.records(flow.tenant.name, Grant)).values(), key=lambda grant: grant.created_at
    )
    nonces = [
        grant.nonce for grant in grants if grant.client_id == own.client_id and grant.nonce not in (None, own.nonce)
    ]
    if not nonces:
        raise missing("for this fault, first complete a login of this client that sends a nonce")
    token.claims["nonce"] = nonces[-1]


@fault("id-token.nonce-unsolicited", replaces=id_token.nonce, correct="refuses the login, or ignores it")
def nonce_unsolicited(token: IdToken) -> None:
    """``nonce`` is there though the client sent none."""
    if token.grant.nonce is not None:
        raise missing("the client sent a nonce, so none is unsolicited; id-token.nonce-wrong changes it")
    token.claims["nonce"] = unguessable()


@fault("id-token.at-hash-wrong", replaces=id_token.hashes, correct="refuses it in implicit and hybrid flows, else may")
async def access_token_hash_wrong(token: IdToken) -> None:
    """``at_hash`` is that of another access token (section 3.1.3.6)."""
    await honest(token)
    token.claims["at_hash"] = unguessable()[:22]


@fault("id-token.c-hash-wrong", replaces=id_token.hashes, correct="refuses it in hybrid flows")
async def code_hash_wrong(token: IdToken) -> None:
    """``c_hash`` is that of another code (section 3.3.2.11)."""
    await honest(token)
    token.claims["c_hash"] = unguessable()[:22]


@fault("id-token.auth-time-old", replaces=id_token.authentication, correct="refuses the step-up where it sent max_age")
async def authenticated_long_ago(token: IdToken) -> None:
    """``auth_time`` is a month ago."""
    await honest(token)
    token.claims["auth_time"] = int(token.flow.now) - 30 * _DAY


@fault(
    "id-token.auth-time-missing", replaces=id_token.authentication, correct="refuses the step-up where it sent max_age"
)
async def authentication_time_missing(token: IdToken) -> None:
    """``auth_time`` is missing."""
    await honest(token)
    token.claims.pop("auth_time", None)


@fault("id-token.acr-low", replaces=id_token.authentication, correct="refuses the step-up where it asked for an acr")
async def authentication_weak(token: IdToken) -> None:
    """``acr`` is ``0``: no confidence that it is still the same person."""
    await honest(token)
    token.claims["acr"] = "0"


# --- signature, header, shape -----------------------------------------------------------------------------------------


def _declare(name: str, forgery: Callable[[forge.Draft], str], correct: str, *, positive: bool = False) -> None:
    """A fault that signs by a forgery of `mock_idp.tokens.forge`."""

    async def forged(token: IdToken) -> None:
        token.compact = await _forged(token, forgery)

    forged.__doc__ = forgery.__doc__
    forged.__name__ = forgery.__name__
    fault(name, replaces=id_token.sign, correct=correct, positive=positive)(forged)


async def _forged(token: IdToken, forgery: Callable[[forge.Draft], str]) -> str:
    flow, other = token.flow, None
    if forgery is forge.alg_other_es256:
        other = await signing_key(flow.provider.store, flow.tenant, "ES256")
    try:
        return forgery(_draft(token, other))
    except forge.UnforgeableError as error:
        raise missing(str(error)) from None


def _draft(token: IdToken, other: KeyRef | None = None) -> forge.Draft:
    assert token.key is not None  # noqa: S101 # the step before chose it
    flow = token.flow
    presented = cast("str | None", getattr(flow, "secret", None))
    return forge.Draft(
        claims=token.claims,
        ref=token.key,
        header={"typ": "JWT", **token.header},
        secret=(flow.client.secret if flow.client else None) or presented,
        canary=foreign(flow, "keys"),
        other=other,
    )


_SHOULD = "refuses the login where it is registered for another algorithm"
_CORRECT = {
    **dict.fromkeys(
        ("sig-corrupt", "sig-empty", "sig-foreign-key"),
        "refuses the login; in code flow over TLS it may skip the check",
    ),
    **dict.fromkeys(("alg-hs256-secret", "alg-other-es256", "alg-other-ps256", "alg-other-rs384"), _SHOULD),
    **dict.fromkeys(("hdr-jwk", "hdr-x5c"), "ignores the header and refuses the login"),
    **dict.fromkeys(("hdr-jku", "hdr-x5u"), "ignores the header, fetches nothing, and refuses the login"),
    "hdr-kid-unknown": "fetches the keys once more, and refuses the login",
    "hdr-claims": "ignores claims in the header, and refuses the login",
    "duplicate-claim": "refuses the login, or takes the last one consistently",
    **dict.fromkeys(
        (
            "malformed-two-segments",
            "malformed-five-segments",
            "malformed-padding",
            "malformed-non-json",
            "malformed-non-object",
            "malformed-header",
        ),
        "refuses the login with a page, not with an internal error",
    ),
}
_OTHERWISE = {"encrypted", "hdr-kid-missing"}
"""Forgeries that stand under other names below."""

for _name, _forgery in forge.FORGERIES.items():
    if _name not in _OTHERWISE:
        _declare(f"id-token.{_name}", _forgery, _CORRECT.get(_name, REJECT))
_declare("id-token.encrypted-unexpected", forge.encrypted, "refuses the login with a page, not with an internal error")


@fault("id-token.hdr-kid-missing-single", replaces=id_token.sign, correct="accepts it", positive=True)
def key_id_missing(token: IdToken) -> None:
    """The header has no ``kid``; the JWKS has one key for the algorithm (section 10.1)."""
    if len(_keys_for(token)) > 1:
        raise missing(
            "the JWKS has several keys for the algorithm; id-token.hdr-kid-missing-multi is the fault for that"
        )
    token.compact = forge.hdr_kid_missing(_draft(token))


@fault("id-token.hdr-kid-missing-multi", replaces=id_token.sign, correct="either: tries the keys, or refuses the login")
async def key_id_missing_of_several(token: IdToken) -> None:
    """The header has no ``kid``, and the JWKS has several keys for the algorithm; one is announced where it has not."""
    assert token.key is not None  # noqa: S101 # the step before chose it
    if len(_keys_for(token)) == 1:
        await rotate(token.flow.provider.store, token.flow.tenant.name, "announce", token.key.alg)
    token.compact = forge.hdr_kid_missing(_draft(token))


def _keys_for(token: IdToken) -> list[KeyRef]:
    assert token.key is not None  # noqa: S101 # the step before chose it
    return [key for key in token.flow.tenant.keys.published() if key.alg == token.key.alg]


@fault("id-token.typ-logout", replaces=id_token.sign, correct=REJECT)
def logout_token(token: IdToken) -> None:
    """It is a logout token: ``typ`` ``logout+jwt``, with ``events`` and without ``nonce`` (Back-Channel Logout 1.0)."""
    token.claims.pop("nonce", None)
    token.claims["jti"] = unguessable()
    token.claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    token.compact = forge.with_typ(_draft(token), "logout+jwt")
