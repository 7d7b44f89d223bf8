"""What shows that the faults of the authorization response strike."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.mock_idp.faults.walk import VERIFIER, arm, authorize, disarm, metadata, response_pairs, shows
from tests.mock_idp.served import REDIRECT_URI, answered, claims

if TYPE_CHECKING:
    from tests.mock_idp.served import World

STATE = "the-state"


def values(world: World, fault: str, name: str) -> list[str]:
    """The values of one response parameter; the others are checked to be there and honest."""
    pairs = response_pairs(authorize(world, fault))
    sound = {"state": STATE, "iss": world.issuer}
    for other, value in sound.items():
        assert other == name or (other, value) in pairs
    assert "code" in [name, *(other for other, _ in pairs)]
    assert len(pairs) - len([other for other, _ in pairs if other == name]) == 2
    return [value for other, value in pairs if other == name]


# -- state --


@shows("authorization.state-missing")
def no_state(world: World, fault: str) -> None:
    assert values(world, fault, "state") == []


@shows("authorization.state-empty")
def empty_state(world: World, fault: str) -> None:
    assert values(world, fault, "state") == [""]


@shows("authorization.state-random")
def other_state(world: World, fault: str) -> None:
    (state,) = values(world, fault, "state")
    assert state not in ("", STATE)


@shows("authorization.state-truncated")
def shorter_state(world: World, fault: str) -> None:
    assert values(world, fault, "state") == [STATE[:-1]]
    odd = dict(response_pairs(authorize(world, fault, state="a b+c/é")))
    assert odd["state"] == "a b+c/�"


@shows("authorization.state-suffixed")
def longer_state(world: World, fault: str) -> None:
    assert values(world, fault, "state") == [STATE + "x"]


@shows("authorization.state-other-session")
def state_of_a_waiting_login(world: World, fault: str) -> None:
    world.code(state="state of another/browser")
    assert values(world, fault, "state") == ["state of another/browser"]


@shows("authorization.state-replayed")
def state_of_a_finished_login(world: World, fault: str) -> None:
    world.tokens(state="state+of a finished/login")
    assert values(world, fault, "state") == ["state+of a finished/login"]


@shows("authorization.state-duplicate")
def state_twice(world: World, fault: str) -> None:
    first, second = values(world, fault, "state")
    assert first == STATE != second
    first, second = values(world, f"{fault}=wrong-first", "state")
    assert first != STATE == second


# -- code --


@shows("authorization.code-missing")
def no_code(world: World, fault: str) -> None:
    assert values(world, fault, "code") == []


@shows("authorization.code-empty")
def empty_code(world: World, fault: str) -> None:
    assert values(world, fault, "code") == [""]


@shows("authorization.code-duplicate")
def code_twice(world: World, fault: str) -> None:
    right, wrong = values(world, fault, "code")
    assert world.redeem(wrong, code_verifier=VERIFIER).status_code == 400
    assert world.redeem(right, code_verifier=VERIFIER).status_code == 200
    wrong, right = values(world, f"{fault}=wrong-first", "code")
    assert world.redeem(wrong, code_verifier=VERIFIER).status_code == 400
    assert world.redeem(right, code_verifier=VERIFIER).status_code == 200


@shows("authorization.code-foreign")
def code_of_a_victim(world: World, fault: str) -> None:
    (code,) = values(world, fault, "code")
    refused = world.redeem(code, code_verifier=VERIFIER)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    without_pkce = world.code(mock_fault=f"{fault}=bob", nonce="mine")
    stolen = claims(world.redeem(without_pkce).json()["id_token"])
    assert stolen["sub"] == "bob"
    assert stolen["nonce"] != "mine"


@shows("authorization.code-replayed")
def one_response_in_two_links(world: World, fault: str) -> None:
    first, second = links(world, fault)
    assert first == second
    assert world.redeem(dict(parse_qsl(urlsplit(first).query))["code"], code_verifier=VERIFIER).status_code == 200


# -- errors --


@shows(
    "authorization.error-access-denied",
    "authorization.error-server-error",
    "authorization.error-temporarily-unavailable",
    "authorization.error-login-required",
    "authorization.error-unknown",
)
def an_error(world: World, fault: str) -> None:
    response = answered(authorize(world, fault))
    named = fault.partition(".error-")[2].replace("-", "_")
    assert response["error"] == ("error_of_tomorrow" if named == "unknown" else named)
    assert response.keys() == {"error", "error_description", "state", "iss"}
    assert response["state"] == STATE


@shows("authorization.error-and-code")
def error_and_code(world: World, fault: str) -> None:
    response = answered(authorize(world, fault))
    assert response["error"] == "access_denied"
    assert world.redeem(response["code"], code_verifier=VERIFIER).status_code == 200


@shows("authorization.error-html")
def error_with_a_script(world: World, fault: str) -> None:
    response = answered(authorize(world, fault))
    assert response["error_description"].startswith("<script>")
    assert response["error_uri"].startswith("javascript:")
    assert response.keys() == {"error", "error_description", "error_uri", "state", "iss"}


# -- iss --


@shows("authorization.iss-wrong")
def another_issuer(world: World, fault: str) -> None:
    assert values(world, fault, "iss") == ["https://another-issuer.example.test"]


@shows("authorization.iss-trailing-slash")
def issuer_with_a_slash(world: World, fault: str) -> None:
    assert values(world, fault, "iss") == [world.issuer + "/"]


@shows("authorization.iss-missing")
def no_issuer(world: World, fault: str) -> None:
    assert values(world, fault, "iss") == []
    assert metadata(world)["authorization_response_iss_parameter_supported"] is True


@shows("authorization.iss-unadvertised")
def issuer_not_advertised(world: World, fault: str) -> None:
    arm(world, fault)
    assert metadata(world)["authorization_response_iss_parameter_supported"] is False
    assert answered(authorize(world))["iss"] == world.issuer
    disarm(world)


# -- the way back --


@shows("authorization.extra-params")
def more_parameters(world: World, fault: str) -> None:
    response = answered(authorize(world, fault))
    assert response.keys() - {"code", "state", "iss"} == {
        "scope",
        "authuser",
        "prompt",
        "hd",
        "session_state",
        "parameter_of_tomorrow",
    }
    assert world.redeem(response["code"], code_verifier=VERIFIER).status_code == 200


@shows("authorization.form-post")
def posted(world: World, fault: str) -> None:
    response = authorize(world, fault)
    assert response.status_code == 200
    assert f'action="{REDIRECT_URI}"' in response.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.text))
    assert unescape(fields["iss"]) == world.issuer
    assert world.redeem(fields["code"], code_verifier=VERIFIER).status_code == 200


@shows("authorization.fragment")
def in_the_fragment(world: World, fault: str) -> None:
    location = urlsplit(authorize(world, fault).headers["location"])
    assert location.query == ""
    assert dict(parse_qsl(location.fragment)).keys() == {"code", "state", "iss"}


@shows("authorization.wrong-callback")
def at_another_callback(world: World, fault: str) -> None:
    elsewhere = authorize(world, f"{fault}=/callback/other").headers["location"]
    assert elsewhere.startswith("http://127.0.0.1:9/callback/other?code=")
    away = authorize(world, f"{fault}=//attacker.example.test/")
    assert away.status_code == 400
    other = "http://127.0.0.1:9/callback/registered"
    world.change(lambda tenant: tenant.clients["app"].redirect_uris.append(other))
    assert authorize(world, fault).headers["location"].startswith(f"{other}?code=")


@shows("authorization.mixup-redirect")
def to_the_honest_provider(world: World, fault: str) -> None:
    other = world.served.tenant()
    with other.http:
        location = authorize(world, f"{fault}={other.name}", state="a+b%2Fc").headers["location"]
        assert location.startswith(f"{other.issuer}/authorize?")
        sent = dict(parse_qsl(urlsplit(location).query))
        assert (sent["client_id"], sent["redirect_uri"], sent["state"]) == ("app", REDIRECT_URI, "a+b%2Fc")
        assert "mock_fault" not in sent
        assert answered(world.http.get(location))["iss"] == other.issuer
    assert "name the honest provider" in authorize(world, fault).text


@shows("authorization.unsolicited", "authorization.parallel")
def held_back(world: World, fault: str) -> None:
    (link,) = links(world, fault)
    assert link.startswith(REDIRECT_URI)
    response = dict(parse_qsl(urlsplit(link).query))
    assert response.keys() == {"code", "state", "iss"}
    assert world.redeem(response["code"], code_verifier=VERIFIER).status_code == 200


@shows("authorization.delayed")
def late(world: World, fault: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        authorize(patient(world), f"{fault}=30")
    assert authorize(world).status_code == 303, "another request waited"
    response = answered(authorize(world, f"{fault}=0.01"))
    assert world.redeem(response["code"], code_verifier=VERIFIER).status_code == 200


def patient(world: World, seconds: float = 0.3) -> World:
    """The same tenant, for a client that waits so long."""
    return replace(world, http=httpx.Client(timeout=seconds))


def links(world: World, fault: str) -> list[str]:
    """Where the links of the page lead that comes instead of a response."""
    response = authorize(world, fault)
    assert response.status_code == 200
    return [unescape(link) for link in re.findall(r'<a href="([^"]+)"', response.text) if REDIRECT_URI in link]
