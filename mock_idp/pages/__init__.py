"""The HTML pages. They work without scripts, load nothing from elsewhere, and say that this is a mock."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mock_idp.accounts import claims_of, parse_account
from mock_idp.pages.sources import link_to
from mock_idp.pages.theme import FILTER, ONWARD, STYLE, SUBMIT, source_hash
from mock_idp.wire.http import NO_STORE, Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_idp.faults import Fault
    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.device_page import DevicePage
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.logout.end_session import Frame
    from mock_idp.protocol.table import Flow
    from mock_idp.records import Account

HTML = (b"content-type", b"text/html; charset=utf-8")
_MOST_READY = 20
"""Lists that are kept ready: a proxy may tell a prefix with each request."""
_LONGEST_SHOWN = 2000
"""Characters of a parameter that the error page shows."""
_SECRETS = frozenset({"client_secret", "password", "code_verifier", "client_assertion"})
_SCOPES = {
    "openid": "who you are",
    "profile": "your name, picture and the rest of your profile",
    "email": "your e-mail address",
    "address": "your postal address",
    "phone": "your telephone number",
    "offline_access": "all of this while you are away",
}


class Pages:
    """Every page, as an answer."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters["prose"] = _prose
        self._ready: dict[tuple[str, str], Markup] = {}

    async def sign_in(self, flow: Authorization, pending: str, *, problem: str = "") -> Answer:
        """Who signs in, and with which faults?"""
        hint = flow.params.get("login_hint", "")
        return self._page(
            flow,
            "sign-in.html",
            script=FILTER,
            action=_path(flow, "sign-in"),
            pending=pending,
            problem=problem,
            hint=hint,
            wants=", ".join(flow.scope)[:200],
            open=not flow.tenant.settings.strict,
            accounts=_people(flow),
            faults=self._faults(flow, "Sign in", _ticked(flow)),
        )

    async def password(
        self, flow: Flow, path: str, hidden: list[tuple[str, str]], name: str, *, problem: str = ""
    ) -> Answer:
        """The password of an account that has one.

        Args:
            flow: who asks.
            path: of the form's endpoint, below the tenant.
            hidden: what the form says besides.
            name: the account, or who signs in with which faults.
            problem: what was wrong with the last answer.

        """
        account, _ = parse_account(name)
        return self._page(
            flow,
            "password.html",
            action=_path(flow, path),
            hidden=[*hidden, ("account", name)],
            account=account or name,
            problem=problem,
        )

    async def consent(self, flow: Authorization, pending: str) -> Answer:
        """What is the client allowed?"""
        scopes = [
            {"name": name, "means": _SCOPES.get(name, "what the application means by it"), "fixed": name == "openid"}
            for name in flow.scope
        ]
        return self._page(
            flow,
            "consent.html",
            action=_path(flow, "consent"),
            pending=pending,
            account=flow.account.name if flow.account else "",
            scopes=scopes,
            resources=flow.resources,
        )

    async def error(self, flow: Flow, error: OAuthError) -> Answer:
        """What the relying party did wrong, and where the specification says so."""
        return self._page(
            flow,
            "error.html",
            error.status,
            sentence=_sentence(error.description),
            code=error.error,
            source=error.source,
            link=link_to(error.source),
            method=flow.request.method,
            path=flow.request.path[:_LONGEST_SHOWN],
            parameters=[
                (name, "(not shown)" if name in _SECRETS else value[:_LONGEST_SHOWN])
                for name, value in flow.params.items()
            ],
        )

    def form_post(self, flow: Authorization, uri: str) -> Answer:
        """The response as a form that sends itself (OAuth 2.0 Form Post Response Mode)."""
        parameters = [(name, unquote_plus(value)) for name, value in flow.response]
        return self._page(flow, "form-post.html", script=SUBMIT, framed=True, uri=uri, parameters=parameters)

    async def device(self, flow: DevicePage, user_code: str, *, problem: str = "") -> Answer:
        """Which device is it, and who connects it (RFC 8628, section 3.3)?"""
        return self._page(
            flow,
            "device.html",
            script=FILTER,
            action=_path(flow, flow.request.path.removeprefix(f"/{flow.tenant.name}/")),
            user_code=user_code,
            wants=", ".join(flow.device.scope)[:200] if flow.device else "",
            problem=problem,
            accounts=_people(flow),
            faults=self._faults(flow, "Connect", ()),
        )

    async def told(self, flow: Flow, heading: str, sentence: str) -> Answer:
        """Something was done, and nothing follows."""
        return self._page(flow, "told.html", heading=heading, sentence=sentence)

    async def held_back(self, flow: Authorization, sentence: str, links: list[tuple[str, str]]) -> Answer:
        """A response that is not sent, as some faults want it: somebody follows the links, each a text and a URI."""
        return self._page(flow, "held-back.html", sentence=sentence, links=links)

    async def sign_out(self, flow: Flow, pending: str, account: str, why: str) -> Answer:
        """Is signing out really meant?"""
        action = _path(flow, "sign-out")
        return self._page(flow, "sign-out.html", action=action, pending=pending, account=account, why=why)

    async def signed_out(
        self, flow: Flow, *, told: list[str], frames: list[Frame], onward: str | None, stayed: bool = False
    ) -> Answer:
        """The end of a session; hidden frames tell applications in the browser.

        Args:
            flow: who asks.
            told: what became of each application told behind the browser's back, a line each.
            frames: applications that are told by this page.
            onward: where to go next.
            stayed: nobody was signed out.

        """
        heading = "You are still signed in" if stayed else "You are signed out"
        sentence = "Nothing was changed." if stayed else "The session with this provider has ended."
        return self._page(
            flow,
            "signed-out.html",
            script=ONWARD if frames else "",
            frames_allowed=bool(frames),
            heading=heading,
            sentence=sentence,
            told=told,
            frames=frames,
            onward=onward,
        )

    def _faults(self, flow: Flow, verb: str, ticked: Sequence[str]) -> Markup:
        """The list of faults to tick; there are hundreds, so it is written once."""
        key = verb, flow.request.prefix
        ready = self._ready.get(key)
        if ready is not None and not ticked:
            return ready
        macros: Any = self._templates.get_template("macros.html").module
        text = Markup(macros.faults(_areas(flow), ticked, *key))  # noqa: S704 # a template's
        if not ticked and len(self._ready) < _MOST_READY:
            self._ready[key] = text
        return text

    def _page(  # noqa: PLR0913 # each is a property of the answer
        self,
        flow: Flow,
        template: str,
        status: int = 200,
        *,
        script: str = "",
        framed: bool = False,
        frames_allowed: bool = False,
        **values: Any,
    ) -> Answer:
        client = flow.client
        text = self._templates.get_template(template).render(
            style=STYLE,
            script=script,
            tenant=flow.tenant.name,
            issuer=flow.issuer,
            client=(client.name or client.client_id)[:200] if client else "",
            **values,
        )
        policy = _policy(script, framed=framed, frames_allowed=frames_allowed)
        headers = [
            HTML,
            *NO_STORE,
            policy,
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
        ]
        return Answer(status, headers, text.encode("utf-8", "replace"))


def _policy(script: str, *, framed: bool, frames_allowed: bool) -> tuple[bytes, bytes]:
    """What the page may load: itself.

    ``form-action`` is not limited: browsers apply it to the redirect that answers a form, and that leads to the client.
    """
    parts = ["default-src 'none'", "img-src data:", f"style-src {source_hash(STYLE)}", "base-uri 'none'"]
    if script:
        parts.append(f"script-src {source_hash(script)}")
    if frames_allowed:
        parts.append("frame-src http: https:")
    if not framed:
        parts.append("frame-ancestors 'none'")
    return b"content-security-policy", "; ".join(parts).encode()


def _path(flow: Flow, endpoint: str) -> str:
    return quote(f"{flow.request.prefix}/{flow.tenant.name}/{endpoint}", safe="/")


def _people(flow: Flow) -> list[dict[str, str]]:
    return [{"name": account.name, "about": _about(account)} for account in flow.tenant.accounts.values()]


def _about(account: Account) -> str:
    known = claims_of(account)
    told = [str(known[name]) for name in ("name", "email") if known.get(name)]
    return " · ".join([*told, *(["asks for a password"] if account.password else [])])[:200]


def _areas(flow: Flow) -> dict[str, list[Fault]]:
    """Faults that a login can carry, by area."""
    areas: dict[str, list[Fault]] = {}
    for fault in flow.provider.faults.FAULTS.values():
        if not fault.of_tenant:
            areas.setdefault(fault.name.partition(".")[0], []).append(fault)
    return areas


def _ticked(flow: Flow) -> list[str]:
    """Faults to be ticked again, where the form could not be taken."""
    return flow.request.form().every("fault") if flow.request.method == "POST" else []


def _sentence(text: str) -> str:
    first, end = text.partition(" ")[0], "" if text.endswith(("?", ".")) else "."
    return f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:]}{end}" if text else ""


def _prose(text: str) -> Markup:
    """A docstring's words, with what stands between double backticks as code."""
    return Markup(re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(text))))  # noqa: S704 # escaped first
