"""A request as the Fetch Standard knows it: who asks, how, through which redirects; and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from harness.user_agent.cookie_rules import Context, navigation_context, subresource_context
from harness.user_agent.sites import Origin, same_origin, same_site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.user_agent.bodies import Body
    from harness.user_agent.cors import Credentials
    from harness.user_agent.urls import Url

Pair = tuple[str, str]
Purpose = Literal["navigate", "submit", "fetch", "preflight", "send"]
Mode = Literal["navigate", "cors", "no-cors", "same-origin", "plain"]

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BODY_HEADERS: Final = frozenset({"content-encoding", "content-language", "content-location", "content-type"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request and all that led to it. ``urls`` is the redirect chain, the current URL last.

    ``initiator`` and ``page`` are the origin and the URL of the page that causes it; both are None when the user typed
    it. Mode ``plain`` knows no rules: ``cookies``, ``keeps`` (those that come back) and ``target`` are its choice.
    """

    purpose: Purpose
    method: str
    urls: tuple[Url, ...] = field(repr=False)
    headers: tuple[Pair, ...] = field(default=(), repr=False)
    body: Body | None = field(default=None, repr=False)
    initiator: Origin | None = None
    page: Url | None = field(default=None, repr=False)
    mode: Mode = "navigate"
    credentials: Credentials = "include"
    referrer: str | None = field(default=None, repr=False)
    cookies: Literal["store", "none"] | Mapping[str, str] = field(default="store", repr=False)
    keeps: bool = True
    target: str | None = field(default=None, repr=False)

    @property
    def url(self) -> Url:
        """Where it goes now."""
        return self.urls[-1]

    @property
    def origin(self) -> Origin:
        """Of where it goes now."""
        return Origin.of(self.url)

    @property
    def is_navigation(self) -> bool:
        """True at top level: what comes back becomes the page."""
        return self.mode == "navigate"

    @property
    def is_plain(self) -> bool:
        """True for a plain client."""
        return self.mode == "plain"

    @property
    def tainting(self) -> Literal["basic", "cors", "opaque"]:
        """How much of the answer a script may see; once it left its origin, a request never counts as at home again."""
        foreign = self.initiator is not None and any(not same_origin(self.initiator, Origin.of(u)) for u in self.urls)
        if not foreign or self.mode not in {"cors", "no-cors"}:
            return "basic"
        return "cors" if self.mode == "cors" else "opaque"

    @property
    def includes_credentials(self) -> bool:
        """True when cookies are sent and stored."""
        return self.credentials == "include" or (self.credentials == "same-origin" and self.tainting == "basic")

    @property
    def serialised_origin(self) -> str:
        """``null`` once a redirect led from one foreign origin to another ("redirect-tainted origin")."""
        return "null" if self._is_tainted else str(self.initiator)

    @property
    def _is_tainted(self) -> bool:
        origins = [Origin.of(url) for url in self.urls]
        return any(before not in (after, self.initiator) for before, after in pairwise(origins))

    @property
    def context(self) -> Context:
        """What the cookie rules need to know."""
        if self.is_plain or self.initiator is None:
            return Context(method=self.method)
        if self.is_navigation:
            return navigation_context(self.url, self.initiator, self.method)
        return subresource_context(self.url, self.initiator, self.method)

    def browser_headers(self) -> list[Pair]:
        """Origin, Referer and Sec-Fetch-*: what no page can forge."""
        if self.is_plain:
            return []
        pairs = [("Origin", self._origin_header()), ("Referer", self._referer()), *self._fetch_metadata()]
        return [(name, value) for name, value in pairs if value]

    def _origin_header(self) -> str:
        if self.initiator is None:
            return ""
        if self.tainting == "cors":
            return self.serialised_origin
        if self.method in {"GET", "HEAD"}:
            return ""
        # Referrer policy strict-origin-when-cross-origin: nothing of a secure page goes to an insecure URL.
        downgrade = self.initiator.scheme == "https" and self.url.scheme != "https"
        return "null" if downgrade else self.serialised_origin

    def _referer(self) -> str:
        if self.referrer is not None:
            return self.referrer
        if self.page is None or self.initiator is None or self.initiator.is_opaque:
            return ""
        if self.initiator.is_potentially_trustworthy and not self.origin.is_potentially_trustworthy:
            return ""
        if same_origin(self.initiator, self.origin):
            return str(replace(self.page, fragment=None, userinfo=""))
        return f"{self.initiator}/"

    def _fetch_metadata(self) -> list[Pair]:
        """Fetch Metadata Request Headers; sent to potentially trustworthy URLs only."""
        if not self.origin.is_potentially_trustworthy:
            return []
        dest = "document" if self.is_navigation else "empty"
        typed = self.is_navigation and self.initiator is None
        return [
            ("Sec-Fetch-Site", self._fetch_site()),
            ("Sec-Fetch-Mode", self.mode),
            ("Sec-Fetch-User", "?1" if typed else ""),
            ("Sec-Fetch-Dest", dest),
        ]

    def _fetch_site(self) -> str:
        if self.initiator is None:
            return "none"
        found = "same-origin"
        for origin in map(Origin.of, self.urls):
            if same_origin(self.initiator, origin):
                continue
            if not same_site(self.initiator, origin):
                return "cross-site"
            found = "same-site"
        return found

    def redirected(self, status: int, url: Url) -> Request:
        """The request that follows a redirect of ``status`` to ``url`` (Fetch, "HTTP-redirect fetch")."""
        url = url if url.fragment is not None else replace(url, fragment=self.url.fragment)
        to_get = (status in {301, 302} and self.method == "POST") or (
            status == 303 and self.method not in {"GET", "HEAD"}  # noqa: PLR2004 - See Other
        )
        dropped = set(_BODY_HEADERS) if to_get else set()
        leaves = not same_origin(self.origin, Origin.of(url))
        if leaves:
            dropped |= {"authorization", "host", "cookie"}
        carried = self.cookies if self.cookies in ("store", "none") or not leaves else "none"
        return replace(
            self,
            method="GET" if to_get else self.method,
            urls=(*self.urls, url),
            headers=tuple(pair for pair in self.headers if pair[0].lower() not in dropped),
            body=None if to_get else self.body,
            cookies=carried,
            target=None,
        )
