"""Claims by what the token request says, as in navikt's mock-oauth2-server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

import mock_idp

if TYPE_CHECKING:
    from pathlib import Path


def said(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def client_credentials(idp: mock_idp.Idp, **form: str) -> dict[str, Any]:
    body = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "any", **form}
    answer = httpx.post(f"{idp.issuer}/token", data=body)
    assert answer.status_code == 200, answer.text
    return said(answer.json()["access_token"])


def test_the_first_mapping_that_matches_counts(idp: mock_idp.Idp) -> None:
    idp.configure(
        access_token="jwt",
        claim_mappings=[
            {"parameter": "scope", "match": "read", "claims": {"role": "reader", "aud": ["files"]}},
            {
                "parameter": "scope",
                "match": "write[0-9]",
                "claims": {"role": "writer-${scope}", "who": ["${clientId}"]},
            },
            {"parameter": "scope", "match": "([", "claims": {"role": "never"}},
            {"parameter": "flavour", "match": "*", "claims": {"role": "${flavour} ${unknown}"}, "typ": "JWT"},
        ],
    )
    assert client_credentials(idp, scope="read")["role"] == "reader"
    assert client_credentials(idp, scope="read")["aud"] == ["files"]
    assert client_credentials(idp, scope="write7")["role"] == "writer-write7"
    assert client_credentials(idp, scope="write7")["who"] == ["app"]
    assert "role" not in client_credentials(idp, scope="write77")
    assert client_credentials(idp, flavour="sour")["role"] == "sour ${unknown}"
    assert "role" not in client_credentials(idp)


def test_id_token_access_token_and_userinfo_agree_on_the_subject(idp: mock_idp.Idp) -> None:
    idp.configure(
        access_token="jwt",
        claim_mappings=[
            {"parameter": "subject", "match": "bob", "claims": {"sub": "user-${subject}", "aud": "api", "role": "x"}}
        ],
    )
    tokens = idp.authorize("bob", exchange=True).tokens
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    about = httpx.get(f"{idp.issuer}/userinfo", headers=headers).json()
    assert said(tokens["id_token"])["sub"] == said(tokens["access_token"])["sub"] == about["sub"] == "user-bob"
    assert (about["role"], "aud" in about) == ("x", False)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "control"}
    again = httpx.post(f"{idp.issuer}/token", data=form).json()
    assert said(again["id_token"])["sub"] == "user-bob"
    other = idp.authorize("alice", exchange=True).tokens
    assert said(other["id_token"])["sub"] == "alice"


@pytest.fixture
def navikt(tmp_path: Path) -> Any:
    callbacks = [
        {
            "issuerId": "issuer1",
            "tokenExpiry": 120,
            "requestMappings": [
                {"requestParam": "code", "match": "*", "claims": {"sub": "subByCode", "aud": ["audByCode"]}}
            ],
        },
        {
            "issuerId": "issuer2",
            "requestMappings": [
                {
                    "requestParam": "someparam",
                    "match": "somevalue",
                    "claims": {"sub": "subBySomeParam", "aud": ["audBySomeParam"]},
                    "typeHeader": "JWT2",
                }
            ],
        },
    ]
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"tokenCallbacks": callbacks}))
    return str(path)


def test_the_example_of_navikts_readme(navikt: str) -> None:
    with mock_idp.start(config=navikt) as provider:
        tokens = provider.tenant("issuer1").authorize(exchange=True).tokens
        for name in ("id_token", "access_token"):
            claims = said(tokens[name])
            assert (claims["sub"], claims["aud"]) == ("subByCode", ["audByCode"])
            assert claims["exp"] - claims["iat"] == 120
            assert claims["iss"] == f"{provider.base}/issuer1"
        issuer2 = provider.tenant("issuer2")
        assert client_credentials(issuer2, someparam="somevalue")["sub"] == "subBySomeParam"
        assert client_credentials(issuer2, someparam="other")["sub"] == "app"
        unnamed = mock_idp.Idp(provider, "default", f"{provider.base}/default")
        assert client_credentials(unnamed)["iss"] == unnamed.issuer
