"""What shows that the faults of logout strike. The client's logout address is a canary of the provider itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import ANY
from urllib.parse import parse_qsl, urlsplit

from tests.mock_idp.faults.walk import GONE, changes, id_token, is_rightly_signed, shows
from tests.mock_idp.served import claims, header

if TYPE_CHECKING:
    from tests.mock_idp.served import World

RETURN = "http://127.0.0.1:9/signed-out"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def signed_out(world: World, fault: str | None) -> dict[str, str]:
    """Sign in with the fault, sign out, and give the parameters with which the browser comes back."""
    address = f"{world.issuer}/canary/logout"

    def edit(tenant: Any) -> None:
        tenant.clients["app"].backchannel_logout_uri = address
        tenant.clients["app"].post_logout_redirect_uris = [RETURN]

    world.change(edit)
    asked = {"id_token_hint": id_token(world, fault), "post_logout_redirect_uri": RETURN, "state": "a+b/c"}
    response = world.get("logout", params=asked)
    assert response.status_code == 303, response.text
    assert response.headers["location"].startswith(RETURN)
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def logout_tokens(world: World, fault: str | None = None) -> list[str]:
    """The logout tokens that the client gets when somebody signs out who signed in with the fault."""
    before = len(world.journal())
    assert signed_out(world, fault) == {"state": "a+b/c"}
    visits = [entry for entry in world.journal()[before:] if entry.endpoint == "canary"]
    return [dict(parse_qsl(entry.request_body.decode()))["logout_token"] for entry in visits]


def changed(world: World, token: str) -> dict[str, Any]:
    """The claims of a logout token that an honest one of the same second does not have so."""
    (honest,) = logout_tokens(world)
    assert is_rightly_signed(world, honest)
    return changes(claims(honest), claims(token), but={"jti"} | ({"sid"} if "sid" in claims(token) else set()))


@shows(
    "logout-token.valid-sub",
    "logout-token.valid-sid",
    "logout-token.wrong-iss",
    "logout-token.wrong-aud",
    "logout-token.expired",
    "logout-token.no-iat",
    "logout-token.no-sub-no-sid",
    "logout-token.no-events",
    "logout-token.wrong-event",
    "logout-token.with-nonce",
    "logout-token.id-token-as-logout",
)
def some_claims(world: World, fault: str) -> None:
    (token,) = logout_tokens(world, fault)
    now = world.change(lambda tenant: int(tenant.clock.frozen or 0))
    expected: dict[str, dict[str, Any]] = {
        "logout-token.valid-sub": {"sid": GONE},
        "logout-token.valid-sid": {"sub": GONE},
        "logout-token.wrong-iss": {"iss": "https://another-issuer.example.test"},
        "logout-token.wrong-aud": {"aud": "another-client"},
        "logout-token.expired": {"exp": now - 3600},
        "logout-token.no-iat": {"iat": GONE},
        "logout-token.no-sub-no-sid": {"sub": GONE, "sid": GONE},
        "logout-token.no-events": {"events": GONE},
        "logout-token.wrong-event": {"events": ANY},
        "logout-token.with-nonce": {"nonce": ANY},
        "logout-token.id-token-as-logout": {"events": GONE, "nonce": ANY, "auth_time": now},
    }
    assert changed(world, token) == expected[fault]
    assert EVENT not in claims(token).get("events", {}) or "event" not in fault
    assert is_rightly_signed(world, token)
    assert header(token)["typ"] == ("JWT" if "id-token" in fault else "logout+jwt")


@shows("logout-token.alg-none", "logout-token.wrong-sig", "logout-token.wrong-alg", "logout-token.typ-wrong")
def signature_and_header(world: World, fault: str) -> None:
    (token,) = logout_tokens(world, fault)
    assert changed(world, token) == {}
    assert header(token)["alg"] == {"alg-none": "none", "wrong-alg": "ES256"}.get(fault[13:], "RS256")
    assert header(token)["typ"] == ("JWT" if fault.endswith("typ-wrong") else "logout+jwt")
    assert fault.endswith("alg-none") or is_rightly_signed(world, token) == (not fault.endswith("sig"))


@shows("logout-token.jti-replay")
def twice(world: World, fault: str) -> None:
    first, second = logout_tokens(world, fault)
    assert first == second


@shows(
    "logout-token.post-logout-state-missing",
    "logout-token.post-logout-state-wrong",
    "logout-token.post-logout-state-extra",
)
def back_with_another_state(world: World, fault: str) -> None:
    expected: dict[str, dict[str, Any]] = {
        "missing": {},
        "wrong": {"state": ANY},
        "extra": {"state": "a+b/c", "next": "https://attacker.example.test/", "error": "none"},
    }
    came = signed_out(world, fault)
    assert came == expected[fault.rpartition("-")[2]]
    assert came.get("state") != "a+b/c" or fault.endswith("extra")
    assert signed_out(world, None) == {"state": "a+b/c"}
