"""Each bug of tokens and of refusals shows in the act described here, and only when it was asked for."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from reference_app import defects
from reference_app.defects import DEFECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.reference_app.conftest import Launch, Running

    Act = Callable[[Running], bool]

AREAS = (defects.tokens, defects.errors)
ACTS: dict[str, Act] = {}
DAY_S = 86400


def shows(name: str) -> Callable[[Act], Act]:
    return lambda act: ACTS.setdefault(name, act)


def at(offset_s: int) -> dict[str, dict[str, str]]:
    return {"headers": {"X-Clock-Offset": str(offset_s)}}


def anonymous(app: Running) -> httpx.Response:
    return app.visitor().get("/users/me")


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def parts(token: str) -> tuple[str, dict[str, Any], str]:
    head, _, signature = token.split(".")
    return head, jwt.decode(token, options={"verify_signature": False}), signature


@shows("jwt-signature-unverified")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    head, claims, signature = parts(visitor.access)
    other = visitor.put_access(f"{head}.{part(claims | {'sub': '2'})}.{signature}").me()
    unsigned = visitor.put_access(f"{part({'alg': 'none'})}.{part(claims)}.").me()
    expired = visitor.put_access(f"{head}.{part(claims)}.{signature}").me(**at(901))
    return (other, unsigned, expired) == ("bob", None, None)


@shows("jwt-alg-from-header")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    head, claims, signature = parts(visitor.access)
    unsigned = [visitor.put_access(f"{part({'alg': alg})}.{part(claims)}.").me() for alg in ("none", "nOnE")]
    forged = visitor.put_access(f"{head}.{part(claims)}.{'A' * len(signature)}").me()
    others = {visitor.put_access(f"{part({'alg': alg})}.{part(claims)}.AA").me() for alg in ("RS256", "ES256", "x", 7)}
    return (unsigned, forged, others) == (["alice", "alice"], None, {None})


@shows("jwt-key-tutorial")
def _(app: Running) -> bool:
    try:
        key = "your-secret-key-change-in-production"
        jwt.decode(app.signed_in().access, key, algorithms=["HS256"], audience="reference-app")
    except jwt.InvalidSignatureError:
        return False
    return True


@shows("jwt-exp-ignored")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    return visitor.me(**at(3600)) == "alice" and visitor.me(**at(8 * DAY_S)) is None


@shows("token-answer-cacheable")
def _(app: Running) -> bool:
    visitor = app.visitor()
    answers = [visitor.login(token_delivery="body"), visitor.refresh()]
    return not any("cache-control" in answer.headers for answer in answers)


@shows("jwt-carries-user-row")
def _(app: Running) -> bool:
    return {"password_hash", "email", "role"} <= parts(app.signed_in().access)[1].keys()


@shows("anonymous-403")
def _(app: Running) -> bool:
    answers = [anonymous(app), app.signed_in().put_access("garbage").get("/users/me")]
    return [(each.status_code, "www-authenticate" in each.headers) for each in answers] == [(403, False)] * 2


@shows("challenge-missing")
def _(app: Running) -> bool:
    answer = anonymous(app)
    return answer.status_code == 401 and "www-authenticate" not in answer.headers


@shows("pyjwt-wrong-exception")
def _(app: Running) -> bool:
    return (
        app.signed_in().put_access("garbage").get("/users/me").status_code == 500 and anonymous(app).status_code == 401
    )


@shows("error-shows-traceback")
def _(app: Running) -> bool:
    answer = app.signed_in().put_access("garbage").get("/users/me")
    return answer.status_code == 401 and "Traceback" in answer.text and "'garbage'" in answer.text


@shows("errors-html-page")
def _(app: Running) -> bool:
    answer = anonymous(app)
    return answer.status_code == 401 and answer.headers["content-type"].startswith("text/html")


def test_every_defect_has_an_act() -> None:
    assert ACTS.keys() == {defect.name for area in AREAS for defect in area.DEFECTS}


@pytest.mark.parametrize(
    ("name", "architecture"), [(name, each) for name in ACTS for each in DEFECTS[name].architectures]
)
def test_a_defect_shows_when_asked_for(launch: Launch, name: str, architecture: str) -> None:
    settings: dict[str, Any] = {**DEFECTS[name].needs, "clock_header": True}
    act = ACTS[name]
    assert not act(launch(architecture, **settings)), "the sound application shows it too"
    broken = launch(architecture, name, **settings)
    assert act(broken)
    assert broken.signed_in("carol").me() == "carol"
