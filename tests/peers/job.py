"""What a client is asked to do, and what came of it."""

from __future__ import annotations

import re
import traceback
import warnings
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self
from urllib.parse import urldefrag

import httpx

from tests.mock_idp.served import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = Literal["accepts", "refuses", "stumbles", "leaks", "unanswered"]
"""Went to the end; refused by an error of the client's own; ended in an error of its language, so by luck; went, or
sent the browser, to a host that it had no reason to trust; or the provider never sent the browser back."""

LOGGED_OUT_URI = "http://127.0.0.1:9/logged-out"
TIMEOUT_S = 5.0
MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One login and what follows.

    Attributes:
        driver: which client.
        signing_alg: which the client is registered for.
        userinfo_alg: which it is registered for; None: UserInfo is plain JSON.
        parameters: further ones of the authorization request.
        nonce: send one.
        pushed: push the authorization request (RFC 9126).
        dpop: bind tokens to a key for this algorithm (RFC 9449).
        signatures: verify the ID Token's signature, though it came over a direct connection.
        then: what follows the login, out of userinfo, refresh, introspect, revoke, logout; each where the client can.
        provider: which make, for clients that have several.
        grant: which one, for drivers of grants without a browser.
        subject_token: what is exchanged.
        request_object: sign the authorization request with `private_key` (RFC 9101).
        register: let the client register itself first (RFC 7591).

    """

    driver: str
    issuer: str
    client_id: str = "app"
    client_secret: str | None = "app-secret"
    auth: str = "client_secret_basic"
    private_key: dict[str, Any] | None = field(default=None, repr=False)
    redirect_uri: str = REDIRECT_URI
    post_logout_redirect_uri: str = LOGGED_OUT_URI
    scope: str = "openid profile email offline_access"
    signing_alg: str = "RS256"
    userinfo_alg: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    response_type: str = "code"
    nonce: bool = True
    pushed: bool = False
    dpop: str | None = None
    signatures: bool = True
    then: tuple[str, ...] = ("userinfo", "refresh")
    timeout_s: float = TIMEOUT_S
    provider: str = "oidc"
    grant: str = ""
    subject_token: str | None = field(default=None, repr=False)
    request_object: bool = False
    register: bool = False


class Places(NamedTuple):
    """Where a make of provider has its endpoints, below the tenant, and what is asked for there."""

    authorize: str
    token: str
    profile: str
    scope: str


PLACES = {
    "github": Places("login/oauth/authorize", "login/oauth/access_token", "user", "user:email"),
    "intra42": Places("oauth/authorize", "oauth/token", "v2/me", "public"),
}
"""For makes that have no metadata."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job.

    Attributes:
        stage: where it ended: discovery, authorization, token, userinfo, refresh, introspect, revoke, logout.
        error: in the client's words.
        seen: what the client believes.

    """

    outcome: Outcome
    stage: str
    error: str
    seen: dict[str, Any]


class NotSentBackError(Exception):
    """The provider showed a page where it should have sent the browser back."""


class StrayedError(Exception):
    """The client sent the browser to a host that is not the provider's."""


class DeclinedError(Exception):
    """The application refuses, in what its client's documentation leaves to it."""


@dataclass
class Progress:
    """How far a driver in Python has come."""

    stage: str = "start"
    seen: dict[str, Any] = field(default_factory=dict)


def attempt(job: Job, drive: Callable[[Job, Progress], None], own: tuple[type[Exception], ...]) -> Result:
    """Run a driver in Python; `own` are the errors by which its client refuses."""
    progress = Progress()
    refusals: tuple[type[Exception], ...] = (*own, DeclinedError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a client is warned of by its own libraries is not ours to mend
            drive(job, progress)
    except NotSentBackError as error:
        return Result("unanswered", progress.stage, str(error), progress.seen)
    except StrayedError as error:
        return Result("leaks", progress.stage, str(error), progress.seen)
    except refusals as error:
        return Result("refuses", progress.stage, f"{type(error).__name__}: {error}", progress.seen)
    except Exception as error:  # noqa: BLE001 # whatever a client did not think of is what we want to know
        return Result(
            "refuses" if _is_raised(error) else "stumbles",
            progress.stage,
            f"{type(error).__name__}: {error}",
            progress.seen,
        )
    return Result("accepts", progress.stage, "", progress.seen)


def _is_raised(error: Exception) -> bool:
    """Did somebody write ``raise``, if only with an error of the language, or did an operation fail?"""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (last.line or "").startswith("raise ")


@dataclass(frozen=True, slots=True)
class Callback:
    """What a browser brings to the relying party's server.

    Attributes:
        url: without the fragment, which servers never see.
        form: of a POST; None where it is a GET.

    """

    url: str
    form: dict[str, str] | None = None


class Browser:
    """The browser of one login. It keeps cookies."""

    def __init__(self) -> None:
        self._http = httpx.Client(timeout=TIMEOUT_S, verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def visit(self, url: str, until: str) -> Callback:
        """Ask the provider, and go where it sends until that is the relying party, at `until`."""
        for _ in range(MOST_HOPS):
            try:
                response = self._http.get(url)
            except httpx.TransportError as error:
                raise StrayedError(f"the browser was sent to {url}: {error}") from error
            url = response.headers.get("location", "")
            if not url:
                return _posted(response)
            if url.startswith(until):
                return Callback(urldefrag(url).url)
        raise NotSentBackError(f"the provider never sent the browser to {until}, at last to {url}")


def _posted(response: httpx.Response) -> Callback:
    action = re.search(r'<form[^>]* action="(http[^"]*)"', response.text)
    if action is None:
        text = " ".join(re.sub(r"<style.*?</style>|<[^>]*>", " ", response.text, flags=re.DOTALL).split())
        raise NotSentBackError(f"the provider showed a page ({response.status_code}): {text[:400]}")
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', response.text)
    return Callback(unescape(action[1]), {unescape(name): unescape(value) for name, value in fields})
