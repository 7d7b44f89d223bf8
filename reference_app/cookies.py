"""Every cookie the application sets: names, attributes, setting and clearing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response

    from reference_app.clock import Clock
    from reference_app.sessions import Issue
    from reference_app.settings import Settings

YEAR_S: Final = 365 * 86400
LOGIN_FORM_S: Final = 3600
LONG_GONE: Final = "Thu, 01 Jan 1970 00:00:00 GMT"


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie's name and the attributes it is set, and must be cleared, with."""

    name: str
    path: str
    attributes: str

    def read(self, request: Request) -> str | None:
        """The value the client sent; None when absent or empty."""
        return request.cookies.get(self.name) or None

    def line(self, value: str, path: str | None = None) -> str:
        """A `Set-Cookie` line without lifetime. `value` needs no escaping: base64url, or JWT."""
        return f"{self.name}={value}; Path={path or self.path}{self.attributes}"


class Cookies:
    """The cookies of one deployment.

    Over TLS their names carry a prefix that makes browsers insist on the attributes (RFC 6265bis, 4.1.3): `__Host-`
    where the path is `/`, `__Secure-` elsewhere.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._rules = settings.rules
        self._clock = clock
        rules = settings.rules
        root = settings.root_path or "/"
        refresh_path = settings.root_path + (settings.refresh_path if rules.refresh_cookie_narrow else "/")
        self.access = self._cookie("access", root, rules.access_cookie_domain, hidden=rules.access_cookie_http_only)
        self.refresh = self._cookie("refresh", refresh_path.rstrip("/") or "/", prefix="__Secure-")
        self.csrf = self._cookie("csrf", root, hidden=False)
        self.login_form = self._cookie("login-form", root)
        self.theme = self._cookie("theme", root, hidden=False, prefix="")
        self._twin = self._cookie("client_token", root, hidden=False, prefix="")

    def sign_in(self, response: Response, issue: Issue, csrf_token: str | None) -> None:
        """Hand fresh credentials to a browser, and the anti-forgery token that goes with them."""
        if not self._rules.access_cookie_once:
            self.set(response, self.access, secrets.token_urlsafe(32), issue.access_lifetime_s)
        lasts_s = issue.access_lifetime_s if self._rules.access_cookie_ends_with_token else YEAR_S
        self.set(response, self.access, issue.access, lasts_s)
        if issue.refresh is not None:
            self.set(response, self.refresh, issue.refresh, issue.refresh_lifetime_s)
        if csrf_token is not None:
            self.set(response, self.csrf, csrf_token, issue.refresh_lifetime_s)
        if not self._rules.access_value_only_http_only:
            self.set(response, self._twin, issue.access, issue.access_lifetime_s)

    def sign_out(self, response: Response) -> None:
        """Clear what `sign_in` set: a browser removes a cookie only when name, domain and path are the same."""
        wrong = None if self._rules.logout_clears_path_set else f"{self._settings.root_path}/auth"
        self.clear(response, self.access, path=wrong)
        for cookie in (self.refresh, self.csrf):
            self.clear(response, cookie)
        if not self._rules.access_value_only_http_only:
            self.clear(response, self._twin)

    def set(self, response: Response, cookie: Cookie, value: str, lasts_s: float) -> None:
        """Set one cookie for `lasts_s` seconds, or for the browser session, as deployed."""
        lifetime = {
            "max-age": f"; Max-Age={round(lasts_s)}",
            "expires": f"; Expires={formatdate(self._clock.now() + lasts_s, usegmt=True)}",
            "session": "",
        }[self._settings.cookie_lifetime]
        response.headers.append("Set-Cookie", cookie.line(value) + lifetime)

    def clear(self, response: Response, cookie: Cookie, *, path: str | None = None) -> None:
        """Make the browser forget one cookie."""
        response.headers.append("Set-Cookie", f"{cookie.line('', path)}; Max-Age=0; Expires={LONG_GONE}")

    def _cookie(
        self, name: str, path: str, domain: str = "none", *, hidden: bool = True, prefix: str = "__Host-"
    ) -> Cookie:
        same_site = self._settings.samesite.capitalize() if self._rules.cookies_same_site else "None"
        over_tls = self._settings.tls and self._rules.cookies_secure
        attributes = {
            f"Domain={self._settings.host if domain == 'host' else self._settings.site}": domain != "none",
            "HttpOnly": hidden,
            # A browser discards SameSite=None without Secure (RFC 6265bis, 5.7).
            "Secure": over_tls or same_site == "None",
            f"SameSite={same_site}": True,
        }
        if not over_tls or not self._rules.cookies_prefixed:
            prefix = ""
        elif prefix == "__Host-" and (path != "/" or domain == "site"):
            prefix = "__Secure-"
        return Cookie(prefix + name, path, "".join(f"; {text}" for text, present in attributes.items() if present))
