"""Whatever is sent: no 5xx, nothing comes back unescaped, and nobody is sent to a stranger."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_idp.configuration.tenants import check_name
from mock_idp.dialects import DIALECTS
from mock_idp.records import DialectName, Settings
from mock_idp.tokens.pkce import challenge_of
from tests.mock_idp.served import REDIRECT_URI, Served, World
from tests.mock_idp.wire import Reply, Wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MEGABYTE = 1024 * 1024
MARK = "zq'\"><zq onload=zq>"
"""Breaks out of text and attributes alike where it is not escaped."""
STRANGER = "stranger.example"
LONGEST_URL = 30_000
VERIFIER = "A" * 43

# --- what is sent -----------------------------------------------------------------------------------------------------

WORDS = """
response_type client_id client_secret redirect_uri scope state nonce code code_verifier code_challenge
code_challenge_method response_mode prompt login_hint max_age acr_values claims ui_locales display id_token_hint
request request_uri resource audience grant_type refresh_token device_code user_code username password
subject_token subject_token_type actor_token actor_token_type requested_token_type assertion client_assertion
client_assertion_type token token_type_hint access_token post_logout_redirect_uri logout_hint pending account action
fault mock_fault dpop_jkt authorization_details hd access_type include_granted_scopes allow_signup login
"""
NAMES = WORDS.split()

SOUND = {
    "response_type": ["code", "id_token token", "code id_token token", "none"],
    "response_mode": ["query", "fragment", "form_post", "query.jwt"],
    "client_id": ["app", "spa", "stranger"],
    "client_secret": ["app-secret"],
    "redirect_uri": [REDIRECT_URI, "http://localhost:1/x?y=1", "http://[::1]/"],
    "scope": ["openid profile email", "", "offline_access"],
    "state": ["a%2Bb+/=", "x" * 230],
    "prompt": ["none", "login", "consent", "none login", "select_account"],
    "max_age": ["0", "10", "-1"],
    "code_challenge_method": ["S256", "plain"],
    "code_challenge": ["A" * 43],
    "code_verifier": ["A" * 43],
    "claims": ['{"userinfo":{"email":null}}', '{"id_token":{"auth_time":{"essential":true},"sub":{"value":"bob"}}}'],
    "grant_type": [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ],
    "subject_token_type": [
        "urn:ietf:params:oauth:token-type:access_token",
        "urn:ietf:params:oauth:token-type:id_token",
    ],
    "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
    "mock_fault": ["id-token.aud-wrong", "token.http-501"],
    "account": ["alice", "fault:id-token.aud-wrong:bob", "fault:nothing"],
    "action": ["deny", "allow"],
}

HOSTILE = [
    MARK,
    "\r\nzq-injected: 1",
    "\n",
    "\x00",
    "\ud800",
    "\u202e\ufeff😀",
    "%",
    "%zz%0d%0azq-injected:%201",
    "../../../etc/passwd",
    "-1",
    "1e999",
    "NaN",
    "9" * 400,
    "null",
    "[" * 3000,
    '{"a":' * 3000,
    '{"id_token":[],"userinfo":"x"}',
    "a.b.c",
    "....",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJhbGciOiJIUzI1NiIsImtpZCI6WzFdfQ.W10.AAAA",
    "eyJhbGciOiJSUzI1NiJ9.bnVsbA.AAAA",
    "A" * 20_000,
    f"https://{STRANGER}/",
    f"//{STRANGER}/",
    f"http://{STRANGER}\\@127.0.0.1/",
    f"http://{STRANGER}#@127.0.0.1/",
    f"http://127.0.0.1:80@{STRANGER}/",
    f"http://127.0.0.1.{STRANGER}/",
    f"http://127.0.0.1\t.{STRANGER}/",
    f"http:/\\{STRANGER}/",
    f"http://[::1].{STRANGER}/",
    f"http://{STRANGER}%2f@localhost/",
    f"http://{STRANGER}%00.localhost/",
    "http://localhost:99999999/",
    "http://[::1/",
    "http://127.0.0.1:x/",
    "http://127.0.0.1/#",
    f"http://127.0.0.1/?{MARK}",
    "http://127.0.0.1/\r\nzq-injected: 1",
    "javascript:zq()",
    "javascript://127.0.0.1/%0azq()",
    "data:text/html,zq",
    "urn:ietf:params:oauth:request_uri:zq",
    "http://127.0.0.1:1/request.jwt",
    "file:///etc/passwd",
]

HEADERS = [
    b"authorization: Basic",
    b"authorization: Basic " + b"A" * 9000,
    b"authorization: Basic !!!!",
    b"authorization: Basic /////w==",
    b"authorization: Basic \xe9",
    b"authorization: Basic YXBwOmFwcC1zZWNyZXQ=",
    b"authorization: Bearer",
    b"authorization: Bearer \xff\xfe",
    b"authorization: Bearer a.b.c",
    b"authorization: Bearer eyJhbGciOiJub25lIn0.e30.",
    b"authorization: DPoP zq",
    b"authorization: token zq",
    b"authorization: \xe9",
    b"dpop: zq",
    b"dpop: eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.e30.",
    b"cookie: mock_idp_session=zq; ;;=; \xff=\xff",
    b"cookie: " + b"c=d; " * 1500,
    b"content-type: application/json",
    b"content-type: multipart/form-data; boundary=zq",
    b"content-type: application/x-www-form-urlencoded; charset=utf-16",
    b"content-type: \xff",
    b"content-encoding: gzip",
    b"accept: application/json;q=x, \xff",
    b"accept: text/html",
    b"accept-language: " + b"xx," * 2000,
    b"origin: https://" + STRANGER.encode(),
    b"origin: null",
    b"host: " + STRANGER.encode(),
    b"host: \xff'\"><zq",
    b"x-forwarded-host: " + STRANGER.encode(),
    b"x-forwarded-prefix: //" + STRANGER.encode(),
    b"forwarded: host=" + STRANGER.encode(),
    b"x-http-method-override: DELETE",
]

BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"redirect_uris":"x"}',
    b'{"redirect_uris":[null,1,{}]}',
    b'"\\ud800"',
    b"\xff\xfe",
    b"%ff=%ff",
    b"&&&=&=",
]
BODIES += [
    b'{"redirect_uris":["javascript:zq()"],"client_name":"<zq","jwks":[],"grant_types":{}}',
    b'{"redirect_uris":["http://127.0.0.1/"],"jwks_uri":"http://127.0.0.1:1/","request_uris":[1]}',
    b"[" * 100_000,
]


def encoded(pairs: Iterable[tuple[str, str]]) -> bytes:
    """As a form; lone surrogates become the octets that no UTF-8 has."""
    return "&".join(
        f"{quote_plus(n, errors='surrogatepass')}={quote_plus(v, errors='surrogatepass')}" for n, v in pairs
    ).encode()


hostile = st.one_of(st.just(MARK), st.sampled_from(HOSTILE))


def values(name: str) -> st.SearchStrategy[str]:
    sound = st.sampled_from(SOUND[name]) if name in SOUND else st.nothing()
    return st.one_of(sound, sound, hostile, st.text(max_size=30))


pairs = st.one_of(
    st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), values(name))),
    st.tuples(st.text(max_size=12), st.text(max_size=12)),
)
methods = st.sampled_from([b"GET", b"POST", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS", b"TRACE", b"ZQ"])


@dataclass(frozen=True)
class Shot:
    """One request; a value ``REAL code`` is issued when it is sent."""

    method: bytes
    path: str
    query: tuple[tuple[str, str], ...]
    body: tuple[tuple[str, str], ...] | bytes | None
    headers: tuple[bytes, ...]


def paths(dialect: DialectName) -> dict[str, str]:
    """Every endpoint of a make of provider, and its name; one that takes whatever follows gets something."""
    routes = DIALECTS[dialect].routes(Settings(dialect=dialect))
    return {f"{path}zq" if path.endswith("/") else path: endpoint.table.name for path, endpoint in routes.items()}


SECRET = {"client_id": "app", "client_secret": "app-secret"}
PKCE = {"code_challenge": "A" * 43, "code_challenge_method": "S256"}
BACK = {"client_id": "app", "redirect_uri": REDIRECT_URI}
AUTHORIZATION = {**BACK, "response_type": "code", "scope": "openid email", "state": "s", "nonce": "n", **PKCE}
CODE = {**SECRET, **BACK, "grant_type": "authorization_code", "code_verifier": VERIFIER}
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
COMPLETE: dict[str, list[dict[str, str]]] = {
    "authorization": [AUTHORIZATION, {"client_id": "app", "request_uri": "REAL request_uri"}],
    "pushed authorization request": [{**AUTHORIZATION, **SECRET}],
    "sign-in": [
        {"pending": "REAL pending", "account": "alice"},
        {"pending": "REAL pending", "name": "x", "fault": "zq"},
    ],
    "consent": [{"pending": "REAL pending", "scope": "openid"}],
    "sign-out": [{"pending": "REAL pending", "action": "sign-out"}],
    "logout": [{"id_token_hint": "REAL id_token", "state": "s"}],
    "device page": [{"user_code": "REAL user_code", "account": "alice"}],
    "device authorization": [{**SECRET, "scope": "openid"}],
    "introspection": [{**SECRET, "token": f"REAL {kind}"} for kind in ("access_token", "refresh_token", "id_token")],
    "revocation": [{**SECRET, "token": f"REAL {kind}"} for kind in ("access_token", "refresh_token")],
    "userinfo": [{"access_token": "REAL access_token"}],
    "tokeninfo": [{"access_token": "REAL access_token"}, {"id_token": "REAL id_token"}],
    "token": [
        {**CODE, "code": "REAL code"},
        {**SECRET, "grant_type": "refresh_token", "refresh_token": "REAL refresh_token"},
        {**SECRET, "grant_type": "client_credentials", "scope": "a"},
        {**SECRET, "grant_type": DEVICE, "device_code": "REAL device_code"},
        {**SECRET, "grant_type": EXCHANGE, "subject_token": "REAL access_token", "subject_token_type": ACCESS_TOKEN},
        {**SECRET, "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "REAL id_token"},
    ],
}
"""Requests by endpoint that are as they should be, to be spoilt a little."""

MEMBER_WORDS = """
redirect_uris client_name client_uri logo_uri tos_uri policy_uri contacts jwks jwks_uri grant_types response_types scope
token_endpoint_auth_method token_endpoint_auth_signing_alg id_token_signed_response_alg userinfo_signed_response_alg
post_logout_redirect_uris backchannel_logout_uri frontchannel_logout_uri request_uris default_max_age subject_type
require_pushed_authorization_requests dpop_bound_access_tokens sector_identifier_uri application_type access_token
"""
MEMBERS = MEMBER_WORDS.split()
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), hostile, st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
documents = st.dictionaries(st.sampled_from(MEMBERS), json_values, max_size=5).map(
    lambda members: json.dumps({"redirect_uris": [REDIRECT_URI], **members}).encode()
)


def shots(dialect: DialectName) -> st.SearchStrategy[Shot]:
    return st.one_of(spoilt(dialect), wild(dialect), registrations(dialect))


def wild(dialect: DialectName) -> st.SearchStrategy[Shot]:
    """Anything anywhere."""
    several = st.lists(pairs, max_size=8).map(tuple)
    return st.builds(
        Shot,
        methods,
        st.sampled_from(list(paths(dialect))),
        several,
        st.one_of(st.none(), several, st.sampled_from(BODIES)),
        st.lists(st.sampled_from(HEADERS), max_size=3, unique=True).map(tuple),
    )


@st.composite
def spoilt(draw: st.DrawFn, dialect: DialectName) -> Shot:
    """A sound request with some parameters changed, added or sent twice."""
    path, name = draw(st.sampled_from([(path, name) for path, name in paths(dialect).items() if name in COMPLETE]))
    sound = draw(st.sampled_from(COMPLETE[name]))
    changed = draw(st.dictionaries(st.sampled_from(list(sound)), hostile, max_size=2))
    form = (*{**sound, **changed}.items(), *draw(st.lists(pairs, max_size=3)))
    headers = tuple(draw(st.lists(st.sampled_from(HEADERS), max_size=1)))
    if draw(st.booleans()) and len(encoded(form)) < LONGEST_URL:
        return Shot(b"GET", path, form, None, headers)
    return Shot(b"POST", path, (), form, headers)


def registrations(dialect: DialectName) -> st.SearchStrategy[Shot]:
    """JSON for endpoints that take it."""
    takers = [path for path, name in paths(dialect).items() if name in {"registration", "application"}]
    if not takers:
        return st.nothing()
    kind = (b"content-type: application/json", b"authorization: Basic YXBwOmFwcC1zZWNyZXQ=")
    methods = st.sampled_from([b"POST", b"PUT", b"PATCH", b"DELETE"])
    return st.builds(Shot, methods, st.sampled_from(takers), st.just(()), documents, st.just(kind))


# --- what must hold ---------------------------------------------------------------------------------------------------


def judge(reply: Reply, base: str) -> None:
    """The promises.

    HTML has the mark escaped; what is not HTML is not taken for HTML; a redirect stays here or goes to loopback.
    """
    assert reply.status < 500, reply
    assert "zq-injected" not in reply.headers
    kind = reply.headers.get("content-type", "")
    if kind.startswith(("text/html", "image/svg+xml")):
        page = reply.body.decode()
        assert "<zq" not in page
        assert "zq'\"" not in page
        assert not re.search(
            r"""(?:href|src|action)\s*=\s*["']?\s*(?:javascript|data|vbscript):[^"']*zq""", page, re.IGNORECASE
        )
        for target in re.findall(r'action="([^"]*)"', page):
            assert stays(target.replace("&amp;", "&"), base), target
    elif reply.body:
        assert kind.startswith(("application/", "text/plain")), kind
    if "location" in reply.headers:
        assert stays(reply.headers["location"], base), reply.headers["location"]
    if 300 <= reply.status < 400:
        assert "location" in reply.headers


def stays(target: str, base: str) -> bool:
    """Does a browser that follows this stay with the provider, or go to a relying party on loopback?

    Read as browsers read it (WHATWG URL): white space is dropped, and a backslash is a slash.
    """
    read = re.sub(r"[\t\r\n]", "", target.strip()).replace("\\", "/")
    parts = urlsplit(read)
    if not parts.scheme and not parts.netloc:
        return True
    return parts.scheme in {"http", "https"} and (
        read.startswith(base) or (parts.hostname or "") in {"127.0.0.1", "localhost", "::1"}
    )


class Range:
    """Shoots at one tenant, or at none."""

    def __init__(self, runner: asyncio.Runner, served: Served, tenant: str = "", dialect: DialectName = "oidc") -> None:
        self.base = served.base
        self._below = f"/{quote(tenant)}/".encode()
        self._runner = runner
        self._wire = Wire(int(served.base.rpartition(":")[2]))
        self._path = {name: path for path, name in reversed(paths(dialect).items())}

    def at(self, path: str, query: bytes = b"") -> bytes:
        """The target of an endpoint."""
        return self._below + path.encode() + (b"?" + query if query else b"")

    def ask(self, method: bytes, target: bytes, body: bytes | None = None, *headers: bytes) -> Reply:
        """Send one request."""
        try:
            return self._runner.run(self._wire.ask(method, target, body, *headers))
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            raise

    def shoot(self, method: bytes, target: bytes, body: bytes | None = None, *headers: bytes) -> Reply:
        """Send one request, and judge the answer."""
        reply = self.ask(method, target, body, *headers)
        judge(reply, self.base)
        return reply

    def fire(self, shot: Shot) -> Reply:
        """Send a generated request, and judge the answer."""
        body = shot.body if shot.body is None or isinstance(shot.body, bytes) else encoded(self._filled(shot.body))
        return self.shoot(shot.method, self.at(shot.path, encoded(self._filled(shot.query))), body, *shot.headers)

    def _filled(self, form: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name, self.issue(value[5:]) if value.startswith("REAL ") else value) for name, value in form]

    def issue(self, kind: str) -> str:
        """Something real of that kind, fresh; where this make of provider has none, a word."""
        if kind == "code":
            return self._code()
        if kind == "pending":
            found = re.search(rb'name="pending" value="([^"]+)"', self._authorize().body)
            return found[1].decode() if found else "zq"
        if kind in {"device_code", "user_code"}:
            return self._post("device authorization", {**SECRET, "scope": "openid"}).get(kind, "zq")
        if kind == "request_uri":
            return self._post("pushed authorization request", {**AUTHORIZATION, **SECRET}).get(kind, "zq")
        return self._post("token", {**CODE, "code": self._code()}).get(kind, "zq")

    def _authorize(self) -> Reply:
        request = {**AUTHORIZATION, "code_challenge": challenge_of(VERIFIER)}
        return self.ask(b"GET", self.at(self._path["authorization"], encoded(request.items())))

    def _code(self) -> str:
        reply = self._authorize()
        found = re.search(rb'name="pending" value="([^"]+)"', reply.body)
        if found:
            form = encoded([("pending", found[1].decode()), ("account", "alice")])
            reply = self.ask(b"POST", self.at("sign-in"), form)
        return dict(parse_qsl(urlsplit(reply.headers.get("location", "")).query)).get("code", "zq")

    def _post(self, name: str, form: dict[str, str]) -> dict[str, str]:
        if name not in self._path:
            return {}
        reply = self.ask(b"POST", self.at(self._path[name]), encoded(form.items()), b"accept: application/json")
        return reply.json()

    def close(self) -> None:
        """Hang up."""
        self._runner.run(self._wire.close())


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(params=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> DialectName:
    name: DialectName = request.param
    return name


@pytest.fixture(params=["auto-approve", "pages"])
def at(request: pytest.FixtureRequest, served: Served, runner: asyncio.Runner, dialect: DialectName) -> Iterator[Range]:
    """A tenant of each make, one that approves at once and one that shows its pages."""
    chosen: dict[str, Any] = {"auto_approve": "alice" if request.param == "auto-approve" else None}
    world = served.tenant(dialect=dialect, signing_alg="EdDSA", **chosen)
    aim = Range(runner, served, world.name, dialect)
    yield aim
    aim.close()
    world.http.close()
    served.run(served.provider.store.drop(world.name))


def test_generated_requests(at: Range, dialect: DialectName) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(shots(dialect))
    def shoot(shot: Shot) -> None:
        at.fire(shot)

    shoot()


def test_what_is_spoilt_was_sound(served: Served, runner: asyncio.Runner) -> None:
    """Else generated requests would all be refused at the first step."""
    world = served.tenant(signing_alg="EdDSA", auto_approve=None)
    with world.http, contextlib.closing(Range(runner, served, world.name)) as aim:
        for path, name in paths("oidc").items():
            for form in COMPLETE.get(name, ()):
                pairs = tuple(form.items())
                by_get = name == "authorization"
                reply = aim.fire(Shot(b"GET", path, pairs, None, ()) if by_get else Shot(b"POST", path, (), pairs, ()))
                assert reply.status in {200, 201, 303} or reply.json()["error"] == "authorization_pending", (path, form)
    served.run(served.provider.store.drop(world.name))


def test_every_endpoint_takes_every_hostile_value(at: Range, dialect: DialectName) -> None:
    for number, path in enumerate(paths(dialect)):
        for place, value in enumerate(HOSTILE):
            # Not every name with every value, which would be a hundred thousand: each value meets several each time.
            chosen = NAMES[(number + place) % 7 :: 7]
            sound = [(name, good[0]) for name, good in SOUND.items() if name not in chosen]
            form = encoded([*sound, *((name, value) for name in chosen)])
            if (number + place) % 2 and len(form) < LONGEST_URL:
                at.shoot(b"GET", at.at(path, form))
            else:
                at.shoot(b"POST", at.at(path), form)


def test_bodies_of_ten_megabytes_are_refused(at: Range, dialect: DialectName) -> None:
    for path in paths(dialect):
        assert at.ask(b"POST", at.at(path), b"a=" + b"b" * (10 * MEGABYTE)).status in {405, 413}, path
        at.shoot(b"GET", at.at(path))


def test_thousands_of_parameters_are_refused(at: Range, dialect: DialectName) -> None:
    form = b"&".join(b"p%d=v" % number for number in range(5_000))
    for path in paths(dialect):
        at.shoot(b"POST", at.at(path), form)
        at.shoot(b"GET", at.at(path, form))


def test_a_parameter_that_stands_twice_is_refused_where_a_code_or_token_is_at_stake(tenant: World) -> None:
    verifier, sound = (
        "v" * 43,
        {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT_URI, "scope": "openid"},
    )
    for name in (*sound, "state", "nonce", "code_challenge"):
        query = encoded([*sound.items(), (name, sound.get(name, "x")), *([(name, "x")] if name not in sound else [])])
        answer = tenant.http.get(f"{tenant.issuer}/authorize?{query.decode()}")
        assert "code=" not in answer.headers.get("location", ""), name
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT_URI,
        "client_id": "app",
        "client_secret": "app-secret",
    }
    for name in (*form, "code", "code_verifier"):
        complete = {**form, "code": tenant.code(), "code_verifier": verifier}
        body = encoded([*complete.items(), (name, complete[name])])
        answer = tenant.post("token", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
        assert answer.status_code in {400, 401}, name
        assert answer.json()["error"] == "invalid_request", name


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/.",
        "/..",
        "/%2e%2e/authorize",
        "/a/../../authorize",
        "/%00/authorize",
        "/%ff%fe/authorize",
        "/%ED%A0%80/token",
        "/" + "t" * 5000 + "/authorize",
        "/" + "a/" * 3000 + "authorize",
        "/a" + "/" * 60_000 + "authorize",
        "/zq'%22%3E%3Czq%20onload=zq%3E/authorize",
        "/zq'%22%3E%3Czq%3E/github/login/oauth/authorize",
        "/%0d%0azq-injected:%201/authorize",
        "/t%3bx=y/authorize",
        "/😀/authorize".encode().decode("latin-1"),
        "/_/../_control",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/",
        "/.well-known/oauth-authorization-server/zq%3Czq",
        "/.well-known/openid-configuration/a/b/c/d",
        "/t/register/%2e%2e",
        "/t/register/" + "x" * 5000,
        "/t/.well-known/openid-configuration/",
        "*",
        "http://stranger.example/t/authorize",
    ],
)
def test_odd_paths(served: Served, runner: asyncio.Runner, path: str) -> None:
    query = b"?response_type=code&client_id=app&redirect_uri=" + quote(REDIRECT_URI, safe="").encode()
    with contextlib.closing(Range(runner, served)) as aim:
        for method in (b"GET", b"POST", b"OPTIONS"):
            aim.shoot(method, path.encode("latin-1") + query, b"" if method == b"POST" else None)
    # No tenant is made that a dump could not bring back.
    for name in served.run(served.provider.store.names()):
        check_name(name)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /t/token HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /t/token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /t/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\x00" * 100_000,
    ],
)
def test_what_is_no_http_harms_nobody(served: Served, runner: asyncio.Runner, noise: bytes, tenant: World) -> None:
    async def make_noise() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(served.base.rpartition(":")[2]))
        writer.write(noise)
        writer.write_eof()
        try:
            heard = await asyncio.wait_for(reader.read(), 30)
        except ConnectionError:
            heard = b""
        writer.close()
        return heard

    assert not re.match(rb"HTTP/1.1 5", runner.run(make_noise()))
    assert tenant.redeem(tenant.code()).status_code == 200
