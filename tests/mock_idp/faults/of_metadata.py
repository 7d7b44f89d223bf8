"""What shows that the faults of discovery and keys strike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from mock_idp.tokens.forge import forger_key
from tests.mock_idp.faults.of_authorization import patient
from tests.mock_idp.faults.walk import (
    GONE,
    arm,
    changes,
    disarm,
    id_token,
    is_rightly_signed,
    jwks,
    metadata,
    shows,
    text,
)
from tests.mock_idp.served import header

if TYPE_CHECKING:
    from tests.mock_idp.served import World

DOCUMENTS = {"discovery": ".well-known/openid-configuration", "jwks": "jwks"}


def document(world: World, fault: str) -> httpx.Response:
    """The document of the fault's area, with the fault armed."""
    arm(world, fault)
    try:
        return world.get(DOCUMENTS[fault.partition(".")[0]])
    finally:
        disarm(world)


@shows(
    "discovery.issuer-mismatch", "discovery.issuer-trailing-slash", "discovery.no-pkce", "discovery.endpoint-foreign"
)
def some_members(world: World, fault: str) -> None:
    honest = metadata(world)
    changed = changes(honest, document(world, fault).json())
    canary = world.issuer.replace("127.0.0.1", "localhost") + "/canary"
    expected = {
        "discovery.issuer-mismatch": {"issuer": "https://another-issuer.example.test"},
        "discovery.issuer-trailing-slash": {"issuer": world.issuer + "/"},
        "discovery.no-pkce": {"code_challenge_methods_supported": GONE},
        "discovery.endpoint-foreign": {"token_endpoint": f"{canary}/token", "userinfo_endpoint": f"{canary}/userinfo"},
    }
    assert changed == expected[fault]
    if fault.endswith("foreign"):
        one = changes(honest, document(world, f"{fault}=token_endpoint").json())
        assert one == {"token_endpoint": f"{canary}/token"}


@shows("discovery.endpoint-http")
def far_away(world: World, fault: str) -> None:
    changed = changes(metadata(world), document(world, fault).json())
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} <= changed.keys()
    assert "issuer" not in changed
    for value in changed.values():
        assert (urlsplit(value).scheme, urlsplit(value).netloc) == ("http", "idp.example.test")


@shows("discovery.unavailable", "jwks.unavailable")
def unavailable(world: World, fault: str) -> None:
    assert document(world, fault).status_code == 503


@shows("discovery.garbage")
def garbage(world: World, fault: str) -> None:
    response = document(world, fault)
    assert response.status_code == 200
    assert text(response) is None


@shows("discovery.reset", "discovery.cut", "jwks.reset", "jwks.cut")
def broken_off(world: World, fault: str) -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        document(world, fault)


@shows("discovery.drip", "jwks.drip")
def byte_by_byte(world: World, fault: str) -> None:
    arm(world, f"{fault}=0.0001")
    path = DOCUMENTS[fault.partition(".")[0]]
    with world.http.stream("GET", f"{world.issuer}/{path}") as response:
        pieces = list(response.iter_raw())
    disarm(world)
    assert len(pieces) > 10
    assert b"".join(pieces) == world.get(path).content


@shows("discovery.slow", "discovery.hang", "jwks.slow", "jwks.hang")
def late(world: World, fault: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        document(patient(world), fault)


# -- keys --


@shows("jwks.rotate")
def swapped(world: World, fault: str) -> None:
    old = [key["kid"] for key in jwks(world)]
    token = id_token(world, fault)
    assert header(token)["kid"] not in old
    assert is_rightly_signed(world, token)
    assert [key["kid"] for key in jwks(world)] == [header(token)["kid"]]


@shows("jwks.rotate-before-sign")
def rotated_in_time(world: World, fault: str) -> None:
    old = [key["kid"] for key in jwks(world)]
    token = id_token(world, fault)
    assert header(token)["kid"] not in old
    assert is_rightly_signed(world, token)
    assert {key["kid"] for key in jwks(world)} == {*old, header(token)["kid"]}


@shows("jwks.flood")
def flood(world: World, fault: str) -> None:
    arm(world, fault)
    named = {header(id_token(world))["kid"] for _ in range(3)}
    disarm(world)
    assert len(named) == 3
    assert not named & {key["kid"] for key in jwks(world)}


@shows("jwks.empty")
def empty(world: World, fault: str) -> None:
    assert document(world, fault).json() == {"keys": []}


@shows("jwks.malformed")
def malformed(world: World, fault: str) -> None:
    assert document(world, fault).json() == {"keys": "none today"}


@shows("jwks.wrong-use", "jwks.wrong-alg")
def unfit(world: World, fault: str) -> None:
    expected = {"jwks.wrong-use": {"use": "enc"}, "jwks.wrong-alg": {"alg": "RS512"}}
    (honest,), (faulty,) = jwks(world), document(world, fault).json()["keys"]
    assert changes(honest, faulty) == expected[fault]


@shows("jwks.oct-key")
def symmetric(world: World, fault: str) -> None:
    (honest,), (faulty,) = jwks(world), document(world, fault).json()["keys"]
    assert (faulty["kty"], faulty["kid"]) == ("oct", honest["kid"])


@shows("jwks.duplicate-kid")
def same_key_id(world: World, fault: str) -> None:
    honest, (foreign, own) = jwks(world), document(world, fault).json()["keys"]
    assert [own] == honest
    assert foreign["kid"] == own["kid"]
    assert foreign["n"] != own["n"]
    assert forger_key("RS256").kid not in (foreign["kid"], own["kid"])
