"""Faults of UserInfo (OpenID Connect Core 1.0, section 5.3) and of the other dialects' profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.accounts import claims_of
from mock_idp.faults.ingredients import (
    HTML_PAGE,
    UNTIL_GIVEN_UP,
    honest,
    honest_answer,
    html,
    missing,
    seconds,
    stalled,
)
from mock_idp.faults.registry import fault
from mock_idp.protocol import authorization, userinfo
from mock_idp.tokens import forge
from mock_idp.wire.http import NO_STORE, Answer, json_answer, json_bytes, type_json

if TYPE_CHECKING:
    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.userinfo import UserInfo

_DISCARD = "discards the response (OpenID Connect Core 1.0, section 5.3.4)"
_FAIL_CLOSED = "fails closed, or keeps to the identity of the ID Token"
_NO_MATCH = "matches no existing account by it"
_SLOW = 30.0


# --- subject ----------------------------------------------------------------------------------------------------------


@fault("userinfo.sub-mismatch", replaces=userinfo.subject, correct=_DISCARD)
async def subject_mismatch(flow: UserInfo) -> None:
    """The subject is somebody else's."""
    await honest(flow)
    for name in flow.profile:
        flow.profile[name] = _other(flow.profile[name])


def _other(identity: object) -> object:
    return identity + 1 if isinstance(identity, int) else "somebody-else"


@fault("userinfo.sub-missing", replaces=userinfo.subject, correct=_DISCARD)
def subject_missing(_: UserInfo) -> None:
    """The subject is missing."""


@fault("userinfo.sub-array", replaces=userinfo.subject, correct=_DISCARD)
async def subject_array(flow: UserInfo) -> None:
    """The subject is an array that holds it."""
    await honest(flow)
    for name in flow.profile:
        flow.profile[name] = [flow.profile[name], _other(flow.profile[name])]


@fault("userinfo.sub-duplicate-key", replaces=userinfo.send, correct="discards the response, or takes the last one")
async def subject_twice(flow: UserInfo) -> Answer:
    """``sub`` (``id`` in other makes of provider) stands twice, first as somebody else's."""
    answer = await honest_answer(flow)
    if flow.compact is not None and flow.key is not None:
        answer.body = forge.duplicate_claim(forge.Draft(flow.profile, flow.key)).encode()
        return answer
    name = "sub" if "sub" in flow.profile else "id"
    member = json_bytes({name: _other(flow.profile.get(name))})
    answer.body = member[:-1] + b"," + answer.body[1:]
    return answer


# --- failures ---------------------------------------------------------------------------------------------------------


@fault("userinfo.http-401", replaces=userinfo.send, correct=_FAIL_CLOSED)
def unauthorized(_: UserInfo) -> Answer:
    """UserInfo answers 401 and ``invalid_token``."""
    challenge = (b"www-authenticate", b'Bearer error="invalid_token"')
    return json_answer(401, {"error": "invalid_token"}, [*NO_STORE, challenge])


@fault("userinfo.http-403", replaces=userinfo.send, correct=_FAIL_CLOSED)
def forbidden(_: UserInfo) -> Answer:
    """UserInfo answers 403 and ``insufficient_scope``."""
    challenge = (b"www-authenticate", b'Bearer error="insufficient_scope"')
    return json_answer(403, {"error": "insufficient_scope"}, [*NO_STORE, challenge])


@fault("userinfo.http-429", replaces=userinfo.send, correct=_FAIL_CLOSED)
def too_many_requests(_: UserInfo) -> Answer:
    """UserInfo answers 429 with ``Retry-After``."""
    return json_answer(429, {"error": "temporarily_unavailable"}, [*NO_STORE, (b"retry-after", b"1")])


@fault("userinfo.http-500", replaces=userinfo.send, correct=_FAIL_CLOSED)
def internal_error(_: UserInfo) -> Answer:
    """UserInfo answers 500 with an HTML page."""
    return html(500)


@fault("userinfo.html", replaces=userinfo.send, correct=_FAIL_CLOSED)
def html_body(_: UserInfo) -> Answer:
    """UserInfo answers 200 with an HTML page that is declared JSON."""
    return Answer(200, [type_json, *NO_STORE], HTML_PAGE)


@fault("userinfo.empty-object", replaces=userinfo.send, correct=_FAIL_CLOSED)
def empty_object(_: UserInfo) -> Answer:
    """UserInfo answers an empty object."""
    return json_answer(200, {})


@fault("userinfo.slow", replaces=userinfo.send, correct=_FAIL_CLOSED, takes="seconds")
async def slow(flow: UserInfo) -> Answer:
    """UserInfo answers after 30 seconds, or as many as are named."""
    return stalled(await honest_answer(flow), seconds(flow, _SLOW))


@fault("userinfo.hang", replaces=userinfo.send, correct=_FAIL_CLOSED)
async def hang(flow: UserInfo) -> Answer:
    """UserInfo does not answer."""
    return stalled(await honest_answer(flow), UNTIL_GIVEN_UP)


# --- e-mail and user name ---------------------------------------------------------------------------------------------


@fault("userinfo.email-unverified", replaces=userinfo.email, correct=_NO_MATCH)
def email_unverified(flow: UserInfo) -> None:
    """``email_verified`` is false."""
    flow.profile["email_verified"] = False


@fault("userinfo.email-verified-string", replaces=userinfo.email, correct=_NO_MATCH)
def email_verified_text(flow: UserInfo) -> None:
    """``email_verified`` is the text ``false``, which is true in many languages."""
    flow.profile["email_verified"] = "false"


@fault("userinfo.email-missing", replaces=userinfo.email, correct=_NO_MATCH)
def email_missing(flow: UserInfo) -> None:
    """``email`` is missing."""
    flow.profile.pop("email", None)


@fault("userinfo.email-null", replaces=userinfo.email, correct=_NO_MATCH)
def email_null(flow: UserInfo) -> None:
    """``email`` is null."""
    flow.profile["email"] = None


@fault("userinfo.email-of-victim", replaces=userinfo.email, correct=_NO_MATCH, takes="the address")
def email_of_victim(flow: UserInfo) -> None:
    """``email`` is that of another account of this tenant, not verified."""
    own = flow.account.name if flow.account else None
    others = [account for account in flow.tenant.accounts.values() if account.name != own]
    if not (flow.value or others):
        raise missing("for this fault name the address, or let the tenant have a second account")
    flow.profile["email"] = flow.value or claims_of(others[0])["email"]
    flow.profile["email_verified"] = False


@fault("userinfo.email-changed", replaces=userinfo.email, correct="logs in to the same account as before")
def email_changed(flow: UserInfo) -> None:
    """``email`` is a new address of the same person."""
    own = flow.account.name.partition("@")[0] if flow.account else "somebody"
    flow.profile["email"] = f"{own}.moved@example.test"


@fault("userinfo.login-renamed", replaces=userinfo.email, correct="logs in to the same account as before")
def login_renamed(flow: UserInfo) -> None:
    """The user name is a new one of the same person."""
    names = {name for name in ("login", "preferred_username", "nickname") if name in flow.profile}
    for name in names or {"preferred_username"}:
        flow.profile[name] = f"{flow.account.name if flow.account else 'somebody'}-renamed"


@fault("userinfo.login-reassigned", replaces=authorization.make_grant, correct="logs in to a new account")
async def login_reassigned(flow: Authorization) -> None:
    """The user name belongs to a new person: all is as before but for the subject, in tokens and profiles."""
    await honest(flow)
    assert flow.grant is not None  # noqa: S101 # just made
    flow.grant.sub = _reassigned(flow.grant.sub)
    await flow.provider.keep_grant(flow.tenant, flow.grant)


def _reassigned(sub: str) -> str:
    return str(int(sub) + 1) if sub.isdecimal() else f"{sub}-the-second"


# --- more than was asked ----------------------------------------------------------------------------------------------


@fault("userinfo.privilege-claims", replaces=userinfo.claims, correct="ignores them")
async def privileges(flow: UserInfo) -> None:
    """The response has ``role``, ``is_admin``, ``id``, ``hashed_password`` and the like besides."""
    await honest(flow)
    extra = {
        "role": "admin",
        "roles": ["admin"],
        "groups": ["administrators"],
        "is_admin": True,
        "admin": True,
        "hashed_password": "$argon2id$v=19$m=65536,t=3,p=4$bW9jaw$bW9jaw",
    }
    flow.profile = {"id": 1, **flow.profile, **extra}


@fault("userinfo.signed-bad", replaces=userinfo.sign, correct="discards it where it is registered for signed responses")
async def badly_signed(flow: UserInfo) -> None:
    """The response is a JWT (section 5.3.2) whose signature is wrong."""
    await userinfo.SIGNED_USERINFO.walk(flow)
    assert flow.key is not None  # noqa: S101 # the walk chose it
    flow.compact = forge.sig_corrupt(forge.Draft(flow.profile, flow.key))
