"""Each bug of cookies, carriers and other origins shows in the act described here, and only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from reference_app import defects
from reference_app.defects import DEFECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.reference_app.conftest import Launch, Running

    Act = Callable[[Running], bool]

AREAS = (defects.cookies, defects.transport, defects.cors, defects.csrf)
ACTS: dict[str, Act] = {}
EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
FRONT = "http://127.0.0.1:3000"
LOGIN = b'{"username": "alice", "password": "Alice-correct-horse-1"}'
TEXT = {"Content-Type": "text/plain"}


def shows(name: str) -> Callable[[Act], Act]:
    return lambda act: ACTS.setdefault(name, act)


def line(app: Running, name: str, of: int = 0) -> str:
    """A Set-Cookie line of a login, by the cookie's name without prefix."""
    lines = app.visitor().login().headers.get_list("set-cookie")
    return [each for each in lines if each.partition("=")[0].rpartition("-")[2] == name][of]


def ask(app: Running, headers: dict[str, str], path: str = "/users/me") -> httpx.Response:
    """A request with these headers alone."""
    return app.visitor().get(path, headers=headers)


def granted(app: Running, origin: str) -> bool:
    allowed: str | None = ask(app, {"Origin": origin}).headers.get("access-control-allow-origin")
    return allowed == origin


@shows("cookie-readable")
def _(app: Running) -> bool:
    return "HttpOnly" not in line(app, "access")


@shows("cookie-not-secure")
def _(app: Running) -> bool:
    lines = app.visitor().login().headers.get_list("set-cookie")
    return lines[0].startswith("access=") and "Secure" not in str(lines)


@shows("samesite-none-undeclared")
def _(app: Running) -> bool:
    unproven = app.signed_in().write(proof=False)
    return "Secure; SameSite=None" in line(app, "access") and "SameSite=None" in line(app, "refresh") and not unproven


@shows("host-prefix-with-domain")
def _(app: Running) -> bool:
    return line(app, "access").startswith("__Host-access=") and "Domain=127.0.0.1" in line(app, "access")


@shows("session-cookie-set-twice")
def _(app: Running) -> bool:
    try:
        return line(app, "access", 0) != line(app, "access", 1)
    except IndexError:
        return False


@shows("cookie-unprefixed")
def _(app: Running) -> bool:
    return line(app, "access").startswith("access=") and "Secure" in line(app, "access")


@shows("cookie-domain-wide")
def _(app: Running) -> bool:
    return line(app, "access").startswith("__Secure-access=") and "Domain=site.example" in line(app, "access")


@shows("client-token-twin")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    same = visitor.cookies.get("client_token") == visitor.cookie("access")
    visitor.logout()
    return same and not visitor.cookies and "HttpOnly" not in line(app, "client_token")


@shows("cookie-outlives-token")
def _(app: Running) -> bool:
    return "Max-Age=31536000" in line(app, "access")


@shows("refresh-cookie-path-root")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    return "; Path=/;" in line(app, "refresh") and visitor.refresh().status_code == 200


@shows("route-ignores-carrier")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    return visitor.me() == "alice" and visitor.write() and visitor.get("/notes").status_code == 401


@shows("cookie-fallback")
def _(app: Running) -> bool:
    cookie = {"Cookie": f"token={app.signed_in().access}"}
    return app.visitor().me(headers=cookie) == "alice" and app.visitor().write(headers=EVIL | cookie)


@shows("header-fallback")
def _(app: Running) -> bool:
    return app.visitor().me(headers={"Authorization": f"Bearer {app.signed_in().access}"}) == "alice"


@shows("token-in-query")
def _(app: Running) -> bool:
    return app.visitor().me(params={"token": app.signed_in().access}) == "alice"


@shows("login-redirect-carries-token")
def _(app: Running) -> bool:
    visitor = app.visitor()
    answer = visitor.login()
    return answer.status_code == 303 and answer.headers["location"] == f"/dashboard?token={visitor.access}"


@shows("set-cookie-interpolated")
def _(app: Running) -> bool:
    answer = app.visitor().get("/preferences?theme=x%3B%20Domain=evil.example")
    return "; Domain=evil.example;" in answer.headers.get("set-cookie", "")


@shows("scheme-unchecked")
def _(app: Running) -> bool:
    visitor = app.visitor()
    visitor.login(token_delivery="body")
    forms = ("{0}", "Basic {0}", "Token {0}")
    return [ask(app, {"Authorization": form.format(visitor.access)}).status_code for form in forms] == [200] * 3


@shows("identity-header-trusted")
def _(app: Running) -> bool:
    claims = {"X-User-Id": "1", "X-Forwarded-User": "alice", "X-Auth-Request-Email": "alice@reference.example"}
    return [app.signed_in("bob").me(headers={name: claim}) for name, claim in claims.items()] == ["alice"] * 3


@shows("hsts-missing")
def _(app: Running) -> bool:
    return "strict-transport-security" not in ask(app, {}, "/status").headers


@shows("cors-reflects-any-origin")
def _(app: Running) -> bool:
    return all(granted(app, origin) for origin in ("https://evil.example", "null", FRONT))


@shows("cors-regex-unanchored")
def _(app: Running) -> bool:
    near = ("http://127.0.0.1:3000.evil.example", "http://evil127.0.0.1:3000", "https://127.0.0.1:3000", FRONT)
    return all(granted(app, origin) for origin in near) and not granted(app, "https://evil.example")


def preflight(app: Running, method: str = "POST") -> httpx.Response:
    asking = {"Origin": FRONT, "Access-Control-Request-Method": method}
    return app.visitor().send("OPTIONS", "/users/me", headers=asking)


@shows("cors-auth-before-preflight")
def _(app: Running) -> bool:
    return preflight(app).status_code == 401 and granted(app, FRONT)


@shows("cors-wildcard-headers")
@shows("cors-wildcard-headers-with-cookies")
def _(app: Running) -> bool:
    return preflight(app).headers["access-control-allow-headers"] == "*"


@shows("cors-vary-missing")
def _(app: Running) -> bool:
    answers = [ask(app, headers, "/status") for headers in ({}, {"Origin": FRONT}, EVIL)]
    return not any("vary" in answer.headers for answer in answers) and granted(app, FRONT)


@shows("cors-errors-bare")
def _(app: Running) -> bool:
    served = ask(app, {"Origin": FRONT}, "/status").headers
    bare = ask(app, {"Origin": FRONT}).headers
    return "access-control-allow-origin" in served and "access-control-allow-origin" not in bare


@shows("csrf-unchecked-samesite-none")
def _(app: Running) -> bool:
    visitor, victim = app.signed_in(), app.visitor()
    form = visitor.post("/notes", content=b'{"text": "x"}', headers=EVIL | TEXT, proof=False).status_code
    login = victim.post("/auth/login", content=LOGIN, headers=EVIL | TEXT).status_code
    logout = visitor.post("/auth/logout", headers=EVIL, proof=False).status_code
    return (form, login, logout) == (201, 200, 204) and "SameSite=None" in line(app, "access")


@shows("csrf-check-absent")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    written = visitor.write(proof=False, headers=EVIL)
    login = app.visitor().post("/auth/login", json={"username": "alice"}, headers=EVIL).status_code
    return written and login == 403 and "SameSite=Lax" in line(app, "access")


@shows("csrf-skips-text-plain")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    note = b'{"text": "x"}'
    plain = [visitor.post("/notes", content=note, headers=headers, proof=False).status_code for headers in (TEXT, {})]
    return plain == [201, 201] and not visitor.write(proof=False)


@shows("write-by-get")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    visitor.get("/notes?text=forged")
    return visitor.notes() == ["forged"]


@shows("csrf-token-double-submit-naive")
def _(app: Running) -> bool:
    visitor = app.signed_in()
    visitor.cookies["csrf"] = "chosen"
    return visitor.write() and not visitor.write(proof=False, headers={"X-CSRF-Token": "other"})


@shows("csrf-token-unbound")
def _(app: Running) -> bool:
    foreign = {"X-CSRF-Token": app.signed_in("bob").csrf_token or ""}
    visitor = app.signed_in()
    return visitor.write(proof=False, headers=foreign) and not visitor.write(
        proof=False, headers={"X-CSRF-Token": "x.y"}
    )


@shows("login-cross-site-accepted")
def _(app: Running) -> bool:
    victim = app.visitor()
    victim.post("/auth/login", content=LOGIN, headers=EVIL | TEXT)
    return victim.me() == "alice" and victim.post("/auth/logout", headers=EVIL).status_code == 403


@shows("websocket-origin-unchecked")
def _(app: Running) -> bool:
    headers = {"Cookie": f"access={app.signed_in().access}", **EVIL}
    try:
        with connect(f"ws://127.0.0.1:{app.port}/ws", additional_headers=headers, proxy=None) as socket:
            return "alice" in str(socket.recv(10))
    except InvalidStatus:
        return False


def test_every_defect_has_an_act() -> None:
    assert ACTS.keys() == {defect.name for area in AREAS for defect in area.DEFECTS}


@pytest.mark.parametrize(
    ("name", "architecture"), [(name, each) for name in ACTS for each in DEFECTS[name].architectures]
)
def test_a_defect_shows_when_asked_for(launch: Launch, name: str, architecture: str) -> None:
    settings: dict[str, Any] = {**DEFECTS[name].needs}
    if settings.pop("domain", False):
        settings["tls_names"] = ("127.0.0.1", "app.site.example")
    act = ACTS[name]
    assert not act(launch(architecture, **settings)), "the sound application shows it too"
    broken = launch(architecture, name, **settings)
    assert act(broken)
    assert broken.signed_in("carol").me() == "carol"
