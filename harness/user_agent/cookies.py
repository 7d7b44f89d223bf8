"""The cookie store: RFC 6265bis sections 5.7 and 5.8, told in explanations."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING, Final, Literal

from harness.user_agent.cookie_rules import (
    Context,
    Cookie,
    Refused,
    Withheld,
    admit,
    declared_cookie,
    is_secure_connection,
    overlays_secure,
    why_withheld,
)
from harness.user_agent.set_cookie import ParsedSetCookie, parse_set_cookie
from harness.user_agent.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.user_agent.urls import Url

# Chromium's bounds; RFC 6265bis section 6.1 asks for at least 50 and 3000.
MAX_PER_DOMAIN: Final = 180
MAX_TOTAL: Final = 3300

_Key = tuple[str, str, bool, str, str | None]


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One Set-Cookie line and what became of it.

    ``cookie`` is what the line says, also when it is refused; None when there is nothing in it to make a cookie of.
    ``why`` is one sentence in every case.
    """

    line: str = field(repr=False)
    parsed: ParsedSetCookie
    cookie: Cookie | None
    effect: Literal["stored", "replaced", "deleted", "refused"]
    why: str

    @property
    def accepted(self) -> bool:
        """True when a browser acts on the line; a deletion counts."""
        return self.effect != "refused"


@dataclass(frozen=True, slots=True)
class Selection:
    """The cookies for one request, in the order of the header, and those that stay behind."""

    sent: tuple[Cookie, ...]
    withheld: tuple[Withheld, ...]

    @property
    def header(self) -> str:
        """The value of the Cookie header; empty when there is none to send."""
        return "; ".join(cookie.pair for cookie in self.sent)


class CookieStore:
    """A user agent's cookies. ``clock`` returns seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        # Insertion order is creation order: the tie-break of section 5.8.3, finer than any clock.
        self._cookies: dict[_Key, Cookie] = {}
        self._last_access: dict[_Key, float] = {}
        self._lock = RLock()

    def __iter__(self) -> Iterator[Cookie]:
        with self._lock:
            self._evict_expired()
            return iter(list(self._cookies.values()))

    def __len__(self) -> int:
        return len(self.all())

    def __repr__(self) -> str:
        return f"<CookieStore {[cookie.name for cookie in self]}>"

    def receive(self, url: str | Url, line: str, context: Context | None = None) -> SetCookie:
        """Treat ``line`` as a Set-Cookie field value received from ``url``.

        The default context is a navigation the user typed. Plants cookies, too: nothing else knows whence a line came.
        """
        source = parse_url(url) if isinstance(url, str) else url
        parsed = parse_set_cookie(line)
        with self._lock:
            self._evict_expired()
            if parsed.ignored is not None:
                return SetCookie(line, parsed, None, "refused", parsed.ignored)
            context = context or Context()
            declared = declared_cookie(parsed, source, context, self._clock())
            try:
                cookie = self._admit(declared, parsed, source, context)
            except Refused as refusal:
                return SetCookie(line, parsed, declared, "refused", str(refusal))
            return self._store(cookie, parsed)

    def ignore(self, url: str | Url, line: str, why: str) -> SetCookie:
        """What ``line`` says, nothing of it stored, for a reason that lies outside the cookie rules."""
        source = parse_url(url) if isinstance(url, str) else url
        parsed = parse_set_cookie(line)
        declared = None if parsed.ignored else declared_cookie(parsed, source, Context(), self._clock())
        return SetCookie(line, parsed, declared, "refused", why)

    def for_request(self, url: str | Url, context: Context | None = None) -> Selection:
        """Which cookies a request to ``url`` carries, and why the others do not."""
        target = parse_url(url) if isinstance(url, str) else url
        with self._lock:
            self._evict_expired()
            now = self._clock()
            sent, withheld = [], []
            for key, cookie in self._cookies.items():
                if (reason := why_withheld(cookie, target, context or Context(), now)) is not None:
                    withheld.append(reason)
                else:
                    sent.append(cookie)
                    self._last_access[key] = now
        sent.sort(key=lambda cookie: -len(cookie.path))
        return Selection(tuple(sent), tuple(withheld))

    def as_header(self, url: str | Url) -> str:
        """The Cookie header of a same-site request to ``url``; empty when there is nothing to send."""
        return self.for_request(url).header

    def all(self) -> list[Cookie]:
        """Every cookie, oldest first."""
        return list(iter(self))

    def matching(self, url: str | Url) -> list[Cookie]:
        """The cookies of a same-site request to ``url``, in the order of the header."""
        return list(self.for_request(url).sent)

    def get(self, name: str, url: str | Url | None = None) -> Cookie | None:
        """The cookie called ``name``, the one that a same-site request to ``url`` would carry first."""
        candidates = self if url is None else self.for_request(url).sent
        return next((cookie for cookie in candidates if cookie.name == name), None)

    def remove(self, name: str) -> None:
        """Forget every cookie called ``name``, as a user can in the browser's settings."""
        with self._lock:
            for key in [key for key in self._cookies if key[0] == name]:
                self._forget(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._cookies.clear()
            self._last_access.clear()

    def end_session(self) -> None:
        """Forget the cookies without an expiry, as closing a browser does."""
        with self._lock:
            for key in [key for key, cookie in self._cookies.items() if cookie.expires is None]:
                self._forget(key)

    def copy(self) -> CookieStore:
        """Another store with the same cookies: what someone has who took a copy at this moment."""
        twin = CookieStore(self._clock)
        with self._lock:
            twin._cookies = dict(self._cookies)
            twin._last_access = dict(self._last_access)
        return twin

    def _admit(self, declared: Cookie, parsed: ParsedSetCookie, url: Url, context: Context) -> Cookie:
        cookie = admit(declared, parsed, url, context)
        if not cookie.secure and not is_secure_connection(url):
            for other in self._cookies.values():
                if overlays_secure(cookie, other):
                    raise Refused("it would cover a Secure cookie of that name (RFC 6265bis section 5.7, step 16)")
        old = self._cookies.get(_key(cookie))
        if old is not None and old.http_only and context.script:
            raise Refused("a script may not replace an HttpOnly cookie (RFC 6265bis section 5.7, step 23)")
        return cookie

    def _store(self, cookie: Cookie, parsed: ParsedSetCookie) -> SetCookie:
        key = _key(cookie)
        old = self._cookies.get(key)
        if cookie.expires is not None and cookie.expires <= self._clock():
            self._forget(key)
            why = (
                "it expires in the past: the cookie is deleted" if old else "it expires in the past: nothing to delete"
            )
            return SetCookie(parsed.line, parsed, cookie, "deleted", why)
        if old is not None and old.value == cookie.value:
            # Chromium keeps the creation time for an unchanged value only; RFC 6265bis keeps it in every case.
            cookie = replace(cookie, created=old.created)
        else:
            self._forget(key)
        self._cookies[key] = cookie
        self._last_access[key] = self._clock()
        self._evict_excess(cookie.domain)
        if old is None:
            return SetCookie(parsed.line, parsed, cookie, "stored", "stored")
        return SetCookie(parsed.line, parsed, cookie, "replaced", "stored in place of the earlier one")

    def _forget(self, key: _Key) -> None:
        self._cookies.pop(key, None)
        self._last_access.pop(key, None)

    def _evict_expired(self) -> None:
        now = self._clock()
        for key in [k for k, c in self._cookies.items() if c.expires is not None and c.expires <= now]:
            self._forget(key)

    def _evict_excess(self, domain: str) -> None:
        """Section 5.7: in a crowded domain what is not Secure goes first; of equals, the least recently used."""
        crowd = [key for key, cookie in self._cookies.items() if cookie.domain == domain]
        if len(crowd) > MAX_PER_DOMAIN:
            self._forget(min(crowd, key=lambda key: (self._cookies[key].secure, self._last_access[key])))
        if len(self._cookies) > MAX_TOTAL:
            self._forget(min(self._cookies, key=self._last_access.__getitem__))


def _key(cookie: Cookie) -> _Key:
    return cookie.name, cookie.domain, cookie.host_only, cookie.path, cookie.partition


__all__ = ["Context", "Cookie", "CookieStore", "Selection", "SetCookie", "Withheld"]
