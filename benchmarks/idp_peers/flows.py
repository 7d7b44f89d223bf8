"""What the visitors do: whole authorization-code flows, and single requests; and one flow looked at closely."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import secrets
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.idp_peers.load import Answer, Trouble, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLIENT_ID = "bench"
CLIENT_SECRET = "bench-secret"  # the benchmark's own client, on every server
REDIRECT_URI = "http://127.0.0.1:9/callback"

Page = Generator[bytes, Answer, Answer]
"""A part of a visit that ends with an answer."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server wants to be spoken to."""

    scope: str = "openid email profile"
    login: str = "none"
    """``none`` (redirects at once), ``google`` (a page whose form is posted to its action), ``subject`` (a form with
    the one field ``sub``, posted to the same URL) or ``cookies`` (redirects that need their cookies)."""
    client_in_body: bool = False
    """Client id and secret as form fields instead of HTTP Basic."""
    api_tokens: tuple[str, ...] = ()
    """Sent in turn as bearer tokens with requests that need none, for a server that counts anonymous callers."""


class Site:
    """A server under load, as its metadata describes it; all constant parts of requests are put together once.

    Args:
        metadata: its discovery document.
        manners: how it wants to be spoken to.
        discovery_path: where that document lies.
    """

    def __init__(self, metadata: dict[str, Any], manners: Manners, discovery_path: str) -> None:
        self.metadata = metadata
        self.manners = manners
        self._host = urlsplit(metadata["token_endpoint"]).netloc
        fixed = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": manners.scope,
            "code_challenge_method": "S256",
        }
        self._authorize = self._path("authorization_endpoint") + "?" + urlencode(fixed)
        self._lines = f" HTTP/1.1\r\nHost: {self._host}\r\n".encode()
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        client = f"&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}" if manners.client_in_body else ""
        self._credentials = b"" if manners.client_in_body else f"Authorization: Basic {basic}\r\n".encode()
        self._exchange = f"grant_type=authorization_code&redirect_uri={quote(REDIRECT_URI, '')}{client}".encode()
        self._grant = f"grant_type=client_credentials{client}".encode()
        self._token = self._path("token_endpoint").encode()
        self._userinfo = b"GET " + self._path("userinfo_endpoint").encode() + self._lines + b"Authorization: Bearer "
        self._discovery = discovery_path.encode()
        self._login = LOGINS[manners.login]
        self._callers: Iterator[bytes] = itertools.cycle(
            [f"Authorization: Bearer {token}\r\n".encode() for token in manners.api_tokens] or [b""]
        )

    def _path(self, name: str) -> str:
        url = urlsplit(str(self.metadata[name]))
        return url.path + (f"?{url.query}" if url.query else "")

    def get(self, target: bytes, lines: bytes = b"") -> bytes:
        """A GET request for a path."""
        return b"GET " + target + self._lines + next(self._callers) + lines + b"\r\n"

    def post(self, target: bytes, body: bytes, lines: bytes = b"") -> bytes:
        """A POST request of a form."""
        return b"POST %b%b%b%bContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b" % (
            target,
            self._lines,
            next(self._callers),
            lines,
            len(body),
            body,
        )

    def flow(self, keep: dict[str, Any] | None = None) -> Visit:
        """Authorization request, login, token request, UserInfo.

        Args:
            keep: filled with nonce, tokens and UserInfo, for whoever wants to look at them.

        Raises:
            Trouble: an answer was not what an honest provider gives.
        """
        verifier = secrets.token_urlsafe(32).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        state, nonce = os.urandom(16).hex(), os.urandom(16).hex()
        target = f"{self._authorize}&state={state}&nonce={nonce}&code_challenge={challenge}".encode()
        location = (yield from self._login(self, target)).header(b"location")
        if not location.startswith(REDIRECT_URI.encode()) or state.encode() not in location:
            raise Trouble(f"no redirect to the callback with our state but {location[:200]!r}")
        code = parameter(location, b"code=")
        body = b"%b&code=%b&code_verifier=%b" % (self._exchange, code, verifier)
        answer = yield self.post(self._token, body, self._credentials)
        tokens = expect(answer, "token endpoint")
        access_token = tokens["access_token"].encode()
        answer = yield self._userinfo + access_token + b"\r\n\r\n"
        if answer.status != 200 or b'"sub"' not in answer.body:
            raise Trouble(f"UserInfo answered {answer.status} {answer.body[:200]!r}")
        if not tokens["id_token"]:
            raise Trouble("no id_token")
        if keep is not None:
            keep.update(nonce=nonce, tokens=tokens, userinfo=json.loads(answer.body))

    def client_credentials(self, keep: dict[str, Any] | None = None) -> Visit:
        """One client-credentials grant; `keep` is filled with what it gave."""
        tokens = expect((yield self.post(self._token, self._grant, self._credentials)), "token endpoint")
        if not tokens["access_token"]:
            raise Trouble("no access_token")
        if keep is not None:
            keep.update(tokens)

    def read_metadata(self) -> Visit:
        """One discovery document."""
        answer = yield self.get(self._discovery)
        if answer.status != 200:
            raise Trouble(f"discovery answered {answer.status}")

    def read_jwks(self, answers: list[Answer]) -> Visit:
        """The key set; its answer is appended to the list."""
        answers.append((yield self.get(self._path("jwks_uri").encode())))


def expect(answer: Answer, where: str) -> dict[str, Any]:
    """The JSON object of a successful answer."""
    if answer.status != 200:
        raise Trouble(f"{where} answered {answer.status} {answer.body[:200]!r}")
    members: dict[str, Any] = json.loads(answer.body)
    return members


def is_signed(token: str) -> bool:
    """Is it a JWT, not an opaque token?"""
    return token.count(".") == 2


def parameter(url: bytes, name: bytes) -> bytes:
    """A query parameter's raw value; the name is given with its equals sign."""
    for mark in (b"?", b"&"):
        start = url.find(mark + name)
        if start >= 0:
            start += 1 + len(name)
            end = url.find(b"&", start)
            return url[start : end if end >= 0 else len(url)]
    raise Trouble(f"no {name.decode()} in {url[:200]!r}")


def _at_once(site: Site, target: bytes) -> Page:
    return (yield site.get(target))


def _google_form(site: Site, target: bytes) -> Page:
    """The page's hidden fields are what was sent, so the form is put together from the request, as a browser would."""
    page = yield site.get(target)
    if page.status != 200:
        raise Trouble(f"sign-in page answered {page.status} {page.body[:200]!r}")
    wanted = (b"redirect_uri", b"scope", b"state", b"nonce", b"client_id", b"code_challenge", b"code_challenge_method")
    sent = target.split(b"?", 1)[1].split(b"&")
    form = b"&".join([b"email=alice%40example.test", *(pair for pair in sent if pair.split(b"=")[0] in wanted)])
    return (yield site.post(b"/o/oauth2/v2/auth/callback", form))


def _subject_form(site: Site, target: bytes) -> Page:
    page = yield site.get(target)
    if page.status != 200:
        raise Trouble(f"sign-in page answered {page.status} {page.body[:200]!r}")
    return (yield site.post(target, b"sub=alice"))


def _with_cookies(site: Site, target: bytes) -> Page:
    """Follows redirects inside the server with a fresh browser's cookies."""
    cookies: dict[bytes, bytes] = {}
    for _ in range(6):
        pairs = b"; ".join(name + b"=" + value for name, value in cookies.items())
        answer = yield site.get(target, b"Cookie: " + pairs + b"\r\n" if pairs else b"")
        location = answer.header(b"location")
        if answer.status not in (302, 303) or location.startswith(REDIRECT_URI.encode()):
            return answer
        for cookie in answer.cookies():
            name, _, value = cookie.partition(b"=")
            cookies[name] = value
        cookies = {name: value for name, value in cookies.items() if value}
        path = urlsplit(location)
        target = path.path + (b"?" + path.query if path.query else b"")
    raise Trouble("more than six redirects before the callback")


LOGINS: dict[str, Callable[[Site, bytes], Page]] = {
    "none": _at_once,
    "google": _google_form,
    "subject": _subject_form,
    "cookies": _with_cookies,
}


def verify(kept: dict[str, Any], metadata: dict[str, Any], jwks: dict[str, Any], alg: str) -> None:
    """Check one flow's id_token in full: signature from the JWKS, alg, iss, aud, exp, iat, nonce, and UserInfo's sub.

    Raises:
        Trouble: something is wrong with it.
    """
    import jwt  # noqa: PLC0415 - once a server, not in the measured part

    token = kept["tokens"]["id_token"]
    try:
        header = jwt.get_unverified_header(token)
        keys = jwt.PyJWKSet.from_dict(jwks)
        key = next(one for one in keys.keys if header.get("kid") in (None, one.key_id))
        claims = jwt.decode(
            token,
            key.key,
            algorithms=[alg],
            audience=CLIENT_ID,
            issuer=metadata["issuer"],
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
    except (jwt.PyJWTError, StopIteration) as why:
        raise Trouble(f"the id_token does not verify: {why or 'its key is not in the JWKS'}") from why
    if claims.get("nonce") != kept["nonce"]:
        raise Trouble("the id_token's nonce is not ours")
    if kept["userinfo"]["sub"] != claims["sub"]:
        raise Trouble("UserInfo speaks of another sub than the id_token")
