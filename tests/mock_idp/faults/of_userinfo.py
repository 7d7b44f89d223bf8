"""What shows that the faults of UserInfo strike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.mock_idp.faults.of_authorization import patient
from tests.mock_idp.faults.walk import GONE, changes, id_token, is_rightly_signed, profile, shows, text, token_members
from tests.mock_idp.served import claims

if TYPE_CHECKING:
    from tests.mock_idp.served import World


def changed(world: World, fault: str) -> dict[str, Any]:
    """The members of the profile that the fault changes."""
    response = profile(world, fault)
    assert response.status_code == 200
    return changes(profile(world).json(), response.json(), but=set())


@shows(
    "userinfo.sub-mismatch",
    "userinfo.sub-missing",
    "userinfo.sub-array",
    "userinfo.email-unverified",
    "userinfo.email-verified-string",
    "userinfo.email-missing",
    "userinfo.email-null",
    "userinfo.email-changed",
    "userinfo.login-renamed",
)
def one_member(world: World, fault: str) -> None:
    expected = {
        "userinfo.sub-mismatch": {"sub": "somebody-else"},
        "userinfo.sub-missing": {"sub": GONE},
        "userinfo.sub-array": {"sub": ["alice", "somebody-else"]},
        "userinfo.email-unverified": {"email_verified": False},
        "userinfo.email-verified-string": {"email_verified": "false"},
        "userinfo.email-missing": {"email": GONE},
        "userinfo.email-null": {"email": None},
        "userinfo.email-changed": {"email": "alice.moved@example.test"},
        "userinfo.login-renamed": {"preferred_username": "alice-renamed"},
    }
    assert changed(world, fault) == expected[fault]


@shows("userinfo.sub-duplicate-key")
def subject_twice(world: World, fault: str) -> None:
    response = profile(world, fault)
    assert response.text.startswith('{"sub":"somebody-else",')
    assert response.json() == profile(world).json()


@shows("userinfo.email-of-victim")
def email_of_victim(world: World, fault: str) -> None:
    assert changed(world, fault) == {"email": "bob@example.test", "email_verified": False}
    named = changed(world, f"{fault}=victim@example.test")
    assert named == {"email": "victim@example.test", "email_verified": False}


@shows("userinfo.login-reassigned")
def another_person_of_that_name(world: World, fault: str) -> None:
    members = token_members(world, fault)
    said = claims(members["id_token"])
    assert said["sub"] == "alice-the-second"
    assert said["preferred_username"] == "alice"
    assert world.userinfo(members["access_token"]).json() == {**profile(world).json(), "sub": "alice-the-second"}


@shows("userinfo.privilege-claims")
def privileges(world: World, fault: str) -> None:
    added = changed(world, fault)
    assert added.keys() == {"id", "role", "roles", "groups", "is_admin", "admin", "hashed_password"}


@shows("userinfo.http-401", "userinfo.http-403", "userinfo.http-429", "userinfo.http-500")
def a_status(world: World, fault: str) -> None:
    response = profile(world, fault)
    assert response.status_code == int(fault[-3:])
    assert "sub" not in (text(response) or {})
    assert ("retry-after" in response.headers) == (response.status_code == 429)


@shows("userinfo.html")
def a_page(world: World, fault: str) -> None:
    response = profile(world, fault)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.text.startswith("<!doctype html>")


@shows("userinfo.empty-object")
def nothing(world: World, fault: str) -> None:
    assert profile(world, fault).content == b"{}"


@shows("userinfo.signed-bad")
def badly_signed(world: World, fault: str) -> None:
    response = profile(world, fault)
    assert response.headers["content-type"] == "application/jwt"
    assert claims(response.text)["sub"] == "alice"
    assert not is_rightly_signed(world, response.text)
    assert is_rightly_signed(world, id_token(world))


@shows("userinfo.slow", "userinfo.hang")
def late(world: World, fault: str) -> None:
    token = token_members(world, f"{fault}=30" if fault.endswith("slow") else fault)["access_token"]
    with pytest.raises(httpx.ReadTimeout):
        patient(world).userinfo(token)


@shows("userinfo.reset", "userinfo.cut")
def broken_off(world: World, fault: str) -> None:
    token = token_members(world, fault)["access_token"]
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        world.userinfo(token)


@shows("userinfo.drip")
def byte_by_byte(world: World, fault: str) -> None:
    token = token_members(world, f"{fault}=0.001")["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with world.http.stream("GET", f"{world.issuer}/userinfo", headers=headers) as response:
        pieces = list(response.iter_raw())
    assert len(pieces) > 10
    assert b"".join(pieces) == profile(world).content
