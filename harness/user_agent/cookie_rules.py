"""Which cookies are stored and which are sent: RFC 6265bis sections 5.7 and 5.8, one rule a function.

Where browsers differ from the text, Chromium is followed and the comment says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from harness.user_agent.sites import Origin, is_ip_address, is_loopback, is_public_suffix, same_site, site_of

if TYPE_CHECKING:
    from harness.user_agent.set_cookie import ParsedSetCookie, SameSite
    from harness.user_agent.urls import Url

MAX_AGE_S: Final = timedelta(days=400).total_seconds()
LAX_ALLOWING_UNSAFE_S: Final = 120
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Relation(IntEnum):
    """How close a request is to its target site; SameSite values ask for at least one of these."""

    CROSS_SITE = 0
    LAX_UNSAFE = 1  # a cross-site top-level navigation whose method changes things
    LAX = 2  # a cross-site top-level navigation with a safe method
    STRICT = 3  # same-site, or typed by the user


@dataclass(frozen=True, slots=True)
class Context:
    """What cookie rules depend on besides the URL. The default is a request the user typed."""

    relation: Relation = Relation.STRICT
    top_level: bool = True
    page_site: str | None = None  # site of the top-level page; None: that of the URL requested
    method: str = "GET"
    script: bool = False  # document.cookie, the "non-HTTP API"

    @property
    def may_set_same_site(self) -> bool:
        """Section 5.7, step 18: any top-level navigation may, a subresource only where it is same-site."""
        return self.top_level or self.relation is Relation.STRICT

    @property
    def wording(self) -> str:
        """The request in words, for explanations."""
        if not self.top_level:
            return "a cross-site subresource request"
        return "a cross-site navigation" if self.method == "GET" else f"a cross-site {self.method}"


def navigation_context(url: Url, initiator: Origin | None, method: str) -> Context:
    """The context of a top-level navigation caused by a page of ``initiator`` (None: by the user)."""
    if initiator is None or same_site(initiator, Origin.of(url)):
        relation = Relation.STRICT
    else:
        relation = Relation.LAX if method in SAFE_METHODS else Relation.LAX_UNSAFE
    return Context(relation, top_level=True, method=method)


def subresource_context(url: Url, initiator: Origin, method: str) -> Context:
    """The context of a request that a script of a top-level page makes."""
    relation = Relation.STRICT if same_site(initiator, Origin.of(url)) else Relation.CROSS_SITE
    return Context(relation, top_level=False, page_site=site_of(initiator), method=method)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie as the store keeps it; times are seconds since the epoch."""

    name: str
    value: str = field(repr=False)
    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: SameSite | None  # None: not stated, or not one of the three; treated as Lax
    partition: str | None  # site of the top-level page it belongs to; None: unpartitioned
    expires: float | None  # None: for the session
    created: float

    @property
    def pair(self) -> str:
        """How the Cookie header spells it (section 5.8.3, step 6)."""
        return f"{self.name}={self.value}" if self.name else self.value


class Refused(Exception):  # noqa: N818 - a decision, not an error
    """The cookie is not stored; the message is one sentence that says why."""


def declared_cookie(parsed: ParsedSetCookie, url: Url, context: Context, now: float) -> Cookie:
    """The cookie that ``parsed``, received from ``url``, asks for, before any rule looks at it."""
    return Cookie(
        name=parsed.name,
        value=parsed.value,
        domain=parsed.domain or url.host,
        host_only=not parsed.domain,
        path=parsed.path or default_path(url.path),
        secure=parsed.secure,
        http_only=parsed.http_only,
        same_site=parsed.same_site,
        partition=(context.page_site or site_of(Origin.of(url))) if parsed.partitioned else None,
        expires=_expires(parsed, now),
        created=now,
    )


def admit(cookie: Cookie, parsed: ParsedSetCookie, url: Url, context: Context) -> Cookie:
    """``cookie`` as it may be stored.

    Raises:
        Refused: a rule that needs no knowledge of other cookies forbids it.
    """
    cookie = _settle_domain(cookie, url.host)
    _check_secure(cookie, url)
    _check_same_site(cookie, context)
    _check_prefix(cookie, parsed, url)
    return cookie


def _expires(parsed: ParsedSetCookie, now: float) -> float | None:
    if parsed.max_age is not None:
        return 0.0 if parsed.max_age <= 0 else now + min(parsed.max_age, MAX_AGE_S)
    if parsed.expires is not None:
        return min(parsed.expires.timestamp(), now + MAX_AGE_S)
    return None


def _settle_domain(cookie: Cookie, host: str) -> Cookie:
    domain = cookie.domain
    if cookie.host_only:
        return cookie
    if not domain.isascii():
        raise Refused("Domain has non-ASCII characters (RFC 6265bis section 5.7, step 8)")
    # An address or a public suffix may name itself: that is a host-only cookie (step 9; addresses as in Chromium).
    if domain == host and (is_ip_address(host) or is_public_suffix(host)):
        return replace(cookie, host_only=True)
    if not domain_matches(host, domain):
        raise Refused(f"Domain={domain} does not cover {host} (RFC 6265bis section 5.7, step 10)")
    if is_public_suffix(domain):
        raise Refused(f"Domain={domain} is a public suffix (RFC 6265bis section 5.7, step 9)")
    return cookie


def _check_secure(cookie: Cookie, url: Url) -> None:
    if cookie.secure and not is_secure_connection(url):
        raise Refused(f"Secure, but {Origin.of(url)} is not a secure connection (RFC 6265bis section 5.7, step 13)")
    if cookie.partition is not None and not cookie.secure:
        raise Refused("Partitioned without Secure (CHIPS)")


def _check_same_site(cookie: Cookie, context: Context) -> None:
    if context.script and cookie.http_only:
        raise Refused("HttpOnly, but set by a script (RFC 6265bis section 5.7, step 15)")
    if cookie.same_site != "None" and not context.may_set_same_site:
        shown = "no SameSite (treated as Lax)" if cookie.same_site is None else f"SameSite={cookie.same_site}"
        raise Refused(f"{shown} in the answer to {context.wording} (RFC 6265bis section 5.7, step 18)")
    if cookie.same_site == "None" and not cookie.secure:
        raise Refused("SameSite=None without Secure (RFC 6265bis section 5.7, step 19)")


def _check_prefix(cookie: Cookie, parsed: ParsedSetCookie, url: Url) -> None:
    prefix = next((p for p in _PREFIXES if cookie.name.lower().startswith(p.lower())), None)
    if not cookie.name and cookie.value.lower().startswith(tuple(p.lower() for p in _PREFIXES)):
        raise Refused("nameless, with a value that imitates a name prefix (RFC 6265bis section 5.7, step 22)")
    if prefix is None:
        return
    if not cookie.secure:
        raise Refused(f"{prefix} without Secure (RFC 6265bis section 5.7, steps 20 and 21)")
    if "Http-" in prefix and not cookie.http_only:
        raise Refused(f"{prefix} without HttpOnly (layered cookies, section 4.1.3)")
    if prefix.startswith("__Host-"):
        # Chromium looks at the attribute: Domain=localhost is refused on localhost, though the cookie is host-only.
        if parsed.domain and not (is_ip_address(url.host) and parsed.domain == url.host):
            raise Refused(f"{prefix} with a Domain (RFC 6265bis section 5.7, step 21)")
        if parsed.path != "/":
            raise Refused(f"{prefix} without Path=/ (RFC 6265bis section 5.7, step 21)")


# The longer one first: it begins with the shorter.
_PREFIXES: Final = ("__Secure-", "__Host-Http-", "__Host-", "__Http-")


def is_secure_connection(url: Url) -> bool:
    """Encrypted, or to the machine itself, as Chromium has it (section 5.7, note on "secure")."""
    return url.scheme in {"https", "wss"} or is_loopback(url.host)


def domain_matches(host: str, domain: str) -> bool:
    """Section 5.1.3."""
    return host == domain or (host.endswith(f".{domain}") and not is_ip_address(host))


def default_path(path: str) -> str:
    """Section 5.1.4: the directory of the request's path."""
    return path.rpartition("/")[0] or "/"


def path_matches(path: str, cookie_path: str) -> bool:
    """Section 5.1.4."""
    return path == cookie_path or (
        path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )


def overlays_secure(new: Cookie, old: Cookie) -> bool:
    """Section 5.7, step 16: would ``new``, from a connection that is not secure, cover the Secure ``old``?"""
    return (
        old.secure
        and old.name == new.name
        and (domain_matches(old.domain, new.domain) or domain_matches(new.domain, old.domain))
        and path_matches(new.path, old.path)
    )


@dataclass(frozen=True, slots=True)
class Withheld:
    """A stored cookie that a request does not carry. ``routine``: it belongs to another host or path, as it should."""

    cookie: Cookie
    why: str
    routine: bool


def why_withheld(cookie: Cookie, url: Url, context: Context, now: float) -> Withheld | None:
    """Why ``cookie`` does not go with a request to ``url``; None when it goes (section 5.8.3)."""
    matches_host = cookie.domain == url.host if cookie.host_only else domain_matches(url.host, cookie.domain)
    if not matches_host:
        only = " only" if cookie.host_only else " and the hosts below it"
        return Withheld(cookie, f"it is for {cookie.domain}{only}", routine=True)
    if not path_matches(url.path, cookie.path):
        return Withheld(cookie, f"it is for {cookie.path} and below", routine=True)
    why = _why_not_on_this_request(cookie, url, context, now)
    return None if why is None else Withheld(cookie, why, routine=False)


def _why_not_on_this_request(cookie: Cookie, url: Url, context: Context, now: float) -> str | None:
    if cookie.secure and not is_secure_connection(url):
        return f"Secure, and {Origin.of(url)} is not a secure connection"
    if cookie.http_only and context.script:
        return "HttpOnly, and a script asks"
    if cookie.partition is not None and cookie.partition != (context.page_site or site_of(Origin.of(url))):
        return f"Partitioned, it belongs to pages of {cookie.partition}"
    if context.relation >= _least_relation(cookie, now):
        return None
    if cookie.same_site is None:
        return f"no SameSite (treated as Lax) on {context.wording}"
    return f"SameSite={cookie.same_site} on {context.wording}"


def _least_relation(cookie: Cookie, now: float) -> Relation:
    match cookie.same_site:
        case "None":
            return Relation.CROSS_SITE
        case "Strict":
            return Relation.STRICT
        case "Lax":
            return Relation.LAX
        case None:
            # Section 5.6.7.2: logins that end in a cross-site POST need their state cookie once.
            recent = now - cookie.created <= LAX_ALLOWING_UNSAFE_S
            return Relation.LAX_UNSAFE if recent else Relation.LAX
