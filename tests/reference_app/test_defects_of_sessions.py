"""Each bug of passwords and sessions shows in the act described here, and only when it was asked for."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from reference_app import defects
from reference_app.defects import DEFECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.reference_app.conftest import Launch, Running, Visitor

    Act = Callable[[Running], bool]

AREAS = (defects.login, defects.session, defects.refresh, defects.logout)
ACTS: dict[str, Act] = {}
LAUNCHED_OTHERWISE = {"plain-http-served"}
DAY_S = 86400


def shows(name: str) -> Callable[[Act], Act]:
    return lambda act: ACTS.setdefault(name, act)


def at(offset_s: int) -> dict[str, dict[str, str]]:
    return {"headers": {"X-Clock-Offset": str(offset_s)}}


def renewed(visitor: Visitor, offset_s: int) -> bool:
    body = {"json": {"refresh_token": visitor.tokens["refresh_token"]}} if visitor.tokens else {}
    return visitor.post("/auth/refresh", **at(offset_s), **body).status_code == 200


@shows("login-issues-nothing")
def _(app: Running) -> bool:
    visitor = app.visitor()
    return visitor.login().status_code == 200 and visitor.me() is None


@shows("null-password-accepted")
def _(app: Running) -> bool:
    visitors = []
    nothing: tuple[object, ...] = (None, [], {})
    for password in nothing:
        visitors.append(app.visitor())
        visitors[-1].post("/auth/login", json={"username": "alice", "password": password})
    return [visitor.me() for visitor in visitors] == ["alice"] * 3


@shows("password-case-folded")
def _(app: Running) -> bool:
    visitor = app.visitor()
    visitor.login(password="ALICE-CORRECT-HORSE-1")
    return visitor.me() == "alice"


@shows("unknown-user-404")
def _(app: Running) -> bool:
    return app.visitor().login("zoe", "x").status_code == 404


@shows("login-unthrottled")
def _(app: Running) -> bool:
    return [app.visitor().login("bob", "guess").status_code for _ in range(12)] == [401] * 12


@shows("login-by-get")
def _(app: Running) -> bool:
    visitor = app.visitor()
    visitor.get("/auth/login?username=alice&password=Alice-correct-horse-1")
    return visitor.me() == "alice"


@shows("login-redirect-307")
def _(app: Running) -> bool:
    answer = app.visitor().login()
    return answer.status_code == 307 and answer.headers["location"].startswith(app.settings.front)


@shows("open-redirect-prefix")
def _(app: Running) -> bool:
    return app.signed_in().get("/login?next=//evil.example").headers["location"] == "//evil.example"


@shows("session-fixation")
def _(app: Running) -> bool:
    victim, attacker = app.visitor(), app.visitor()
    victim.cookies = {"access": "chosen"}
    victim.login()
    attacker.cookies = {"access": "chosen"}
    return attacker.me() == "alice"


@shows("relogin-keeps-old-session")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    before = visitor.twin()
    visitor.login()
    return before.me() == "alice"


@shows("session-id-sequential")
def _(app: Running) -> bool:
    values = [base64.urlsafe_b64decode(app.signed_in().access + "===") for _ in range(2)]
    return all(value.isdigit() for value in values) and int(values[1]) == int(values[0]) + 1


@shows("session-in-query")
def _(app: Running) -> bool:
    return app.visitor().me(params={"session": app.signed_in().access}) == "alice"


@shows("me-cacheable")
def _(app: Running) -> bool:
    return app.signed_in().get("/users/me").headers["cache-control"] == "public, max-age=60"


@shows("user-in-module-global")
def _(app: Running) -> bool:
    visitors = {name: app.signed_in(name) for name in ("alice", "bob")}
    with ThreadPoolExecutor(8) as pool:
        seen = [(name, pool.submit(visitors[name].twin().me)) for name in ["alice", "bob"] * 30]
    return any(future.result() != name for name, future in seen)


@shows("session-never-expires")
def _(app: Running) -> bool:
    idle, old = app.signed_in(), app.signed_in()
    kept_busy = [renewed(old, day * DAY_S) for day in (3, 6, 8)] == [True] * 3
    return renewed(idle, 5 * DAY_S) and kept_busy and old.me(**at(8 * DAY_S)) == "alice"


@shows("password-change-keeps-sessions")
def _(app: Running) -> bool:
    here, elsewhere = app.signed_in(), app.signed_in()
    change = {"current_password": "Alice-correct-horse-1", "new_password": "Alice-another-horse-1"}
    return here.post("/auth/password", json=change).status_code == 204 and elsewhere.me() == "alice"


@shows("refresh-issues-nothing")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    before = visitor.twin()
    return visitor.refresh().status_code == 200 and (visitor.cookies, visitor.tokens) == (before.cookies, before.tokens)


@shows("refresh-unverified")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    signed, _, signature = visitor.refresh_value.rpartition(".")
    tampered = f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    return visitor.put_refresh(tampered).refresh().status_code == 200


@shows("refresh-accepts-access")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    other = visitor.put_refresh(visitor.access)
    return other.refresh().status_code == 200 and other.me() == "alice"


@shows("api-accepts-refresh")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    return visitor.put_access(visitor.refresh_value).me() == "alice"


@shows("refresh-not-rotated")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    before = visitor.twin()
    renewals = [visitor.refresh().status_code for _ in range(3)]
    return renewals == [200] * 3 and visitor.refresh_value == before.refresh_value and visitor.access != before.access


@shows("refresh-reuse-undetected")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    before = visitor.twin()
    visitor.refresh()
    return visitor.refresh_value != before.refresh_value and before.refresh().status_code == 200


@shows("refresh-extends-lifetime")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    return [renewed(visitor, day * DAY_S) for day in (3, 6, 9, 12)] == [True] * 4


@shows("refresh-race")
def _(app: Running) -> bool:
    visitors = [app.signed_in()]
    visitors += [visitors[0].twin(), visitors[0].twin()]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: each.refresh().status_code, visitors[:2]))
    both = answers == [200, 200] and visitors[0].refresh_value != visitors[1].refresh_value
    return both and visitors[0].refresh().status_code == 200 and visitors[2].refresh().status_code == 401


@shows("logout-clears-wrong-path")
def _(app: Running) -> bool:
    return "access=; Path=/auth;" in str(app.signed_in().logout().headers.get_list("set-cookie"))


@shows("logout-only-clears-cookies")
def _(app: Running) -> bool:
    return after_logout(app) == ("alice", 200)


@shows("logout-keeps-access")
def _(app: Running) -> bool:
    return after_logout(app) == ("alice", 401)


@shows("logout-keeps-refresh")
def _(app: Running) -> bool:
    return after_logout(app) == (None, 200)


def after_logout(app: Running) -> tuple[str | None, int]:
    visitor = app.signed_in()
    captured = visitor.twin()
    assert visitor.logout().status_code == 204
    return captured.me(), captured.refresh().status_code


@shows("logout-by-get")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    captured = visitor.twin()
    visitor.get("/auth/logout", headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    return captured.me() is None


@shows("logout-anonymous-500")
def _(app: Running) -> bool:
    return app.visitor().logout().status_code == 500 and app.signed_in().logout().status_code == 204


def test_every_defect_has_an_act() -> None:
    assert ACTS.keys() | LAUNCHED_OTHERWISE == {defect.name for area in AREAS for defect in area.DEFECTS}


@pytest.mark.parametrize(
    ("name", "architecture"), [(name, each) for name in ACTS for each in DEFECTS[name].architectures]
)
def test_a_defect_shows_when_asked_for(launch: Launch, name: str, architecture: str) -> None:
    settings: dict[str, Any] = {**DEFECTS[name].needs, "clock_header": True, "idle_timeout_s": 4 * DAY_S}
    act = ACTS[name]
    assert not act(launch(architecture, **settings)), "the sound application shows it too"
    broken = launch(architecture, name, **settings)
    assert act(broken)
    assert name == "login-issues-nothing" or broken.signed_in("carol").me() == "carol"


def test_what_a_defect_needs_is_set(launch: Launch) -> None:
    assert launch("cookie", "session-fixation").settings.tokens == "opaque"
