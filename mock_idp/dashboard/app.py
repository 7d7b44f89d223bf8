"""The dashboard's pages. Everything it shows comes from the store; everything it does goes through the provider."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from mock_idp.dashboard.explained import tokens_in
from mock_idp.dashboard.relying_party import RelyingParty
from mock_idp.faults import FAULTS, find
from mock_idp.pages.theme import STYLE
from mock_idp.protocol.errors import OAuthError
from mock_idp.records import Armed, Grant, Session

if TYPE_CHECKING:
    from starlette.requests import Request as Asked

    from mock_idp.journal import Entry
    from mock_idp.provider import Provider
    from mock_idp.records import Tenant

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MOST_DIGITS = 15
WAIT_S = 20.0
"""How long the live journal waits for something new."""


class Dashboard:
    """The dashboard over one provider.

    Args:
        provider: whose.
        anywhere: serve it to other machines too.

    """

    def __init__(self, provider: Provider, *, anywhere: bool = False) -> None:
        self._provider = provider
        self._anywhere = anywhere
        self._relying_party = RelyingParty(provider)
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.app = Starlette(
            routes=[
                Route("/_/", self._guarded(self._overview)),
                Route("/_", lambda _: RedirectResponse("_/", 308)),
                Route("/_/rows", self._guarded(self._rows)),
                Route("/_/entry", self._guarded(self._entry)),
                Route("/_/login", self._guarded(self._login), methods=["POST"]),
                Route("/_/callback", self._guarded(self._callback)),
                Route("/_/arm", self._guarded(self._arm), methods=["POST"]),
                Route("/_/disarm", self._guarded(self._disarm), methods=["POST"]),
                Route("/_/sign-out", self._guarded(self._sign_out), methods=["POST"]),
            ]
        )

    def _guarded(self, page: Any) -> Any:
        async def guarded(asked: Asked) -> Response:
            peer = asked.client.host if asked.client else ""
            if not self._anywhere and (peer not in LOOPBACK or asked.url.hostname not in LOOPBACK):
                return Response("the dashboard is served on loopback only\n", 403, media_type="text/plain")
            # Another site's page must not arm faults: browsers say where a request comes from.
            if asked.method == "POST" and asked.headers.get("sec-fetch-site", "same-origin") not in (
                "same-origin",
                "none",
            ):
                return Response("this form belongs to the dashboard\n", 403, media_type="text/plain")
            response: Response = await page(asked)
            return response

        return guarded

    def _page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        text = self._templates.get_template(name).render(style=STYLE, faults=_areas(), **values)
        policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
        headers = {"cache-control": "no-store", "content-security-policy": policy}
        return HTMLResponse(text.encode("utf-8", "replace"), status, headers)  # claims may hold lone surrogates

    # --- looking ------------------------------------------------------------------------------------------------------

    async def _overview(self, asked: Asked) -> Response:
        store = self._provider.store
        names = await store.names()
        chosen = asked.query_params.get("tenant") or (names[0] if names else None)
        tenant = await store.tenant(chosen) if chosen else None
        entries = await store.entries(tenant.name) if tenant else []
        sessions = await self._sessions(tenant.name) if tenant else []
        base = self._base(asked)
        return self._page(
            "overview.html",
            names=names,
            tenant=tenant,
            issuer=self._provider.addresses.issuer(tenant, base) if tenant else "",
            rows=[self._row(entry) for entry in reversed(entries)],
            last=entries[-1].number if entries else 0,
            sessions=sessions,
            armed=tenant.armed if tenant else [],
            accounts=list(tenant.accounts) if tenant else [],
            told=asked.query_params.get("told", ""),
        )

    async def _sessions(self, tenant: str) -> list[tuple[Session, list[str]]]:
        """Who is signed in, and at which clients."""
        store = self._provider.store
        clients: dict[str | None, set[str]] = {}
        for grant in (await store.records(tenant, Grant)).values():
            clients.setdefault(grant.sid, set()).add(grant.client_id)
        return [
            (session, sorted(clients.get(session.sid, ())))
            for session in (await store.records(tenant, Session)).values()
        ]

    def _row(self, entry: Entry) -> dict[str, Any]:
        return {
            "number": entry.number,
            "at": time.strftime("%H:%M:%S", time.gmtime(entry.at)),
            "endpoint": entry.endpoint or "?",
            "request": f"{entry.method} {entry.url.partition('?')[0].partition('://')[2].partition('/')[2]}",
            "status": entry.status,
            "client": entry.client or "",
            "account": entry.account or "",
            "faults": entry.faults,
            "lenient": entry.lenient,
            "refused": entry.refused or "",
        }

    async def _rows(self, asked: Asked) -> Response:
        name, after = asked.query_params.get("tenant", ""), asked.query_params.get("after", "0")
        try:
            entries = await self._provider.store.wait(name, _number(after) or 0, WAIT_S)
        except asyncio.CancelledError:  # the provider ends; a browser that listens is no reason for a traceback
            entries = []
        last = entries[-1].number if entries else after
        template = self._templates.get_template("rows.html")
        rows = template.render(rows=[self._row(entry) for entry in reversed(entries)], tenant_name=name)
        return HTMLResponse(rows.encode("utf-8", "replace"), headers={"x-last": str(last), "cache-control": "no-store"})

    async def _entry(self, asked: Asked) -> Response:
        name, number = asked.query_params.get("tenant", ""), asked.query_params.get("number", "")
        tenant = await self._provider.store.tenant(name)
        entries = await self._provider.store.entries(name)
        entry = next((entry for entry in entries if str(entry.number) == number), None)
        if tenant is None or entry is None:
            return self._page("problem.html", 404, problem=f"the journal of {name!r} no longer has entry {number}")
        document = entry.as_json()
        return self._page(
            "entry.html",
            tenant=tenant,
            entry=entry,
            row=self._row(entry),
            sent=document["request"],
            answered=document["response"],
            parameters=_parameters(entry),
            tokens=tokens_in(document["response"]["body"], tenant.clock.now(entry.at)),
            curl=_curl(entry),
        )

    # --- doing --------------------------------------------------------------------------------------------------------

    async def _login(self, asked: Asked) -> Response:
        """Start a login of the dashboard's own relying party, in this browser."""
        form = await _form(asked)
        tenant = await self._provider.store.tenant(form.get("tenant", ""))
        if tenant is None:
            return self._page("problem.html", 404, problem="there is no such tenant any more")
        where = self._relying_party.start(tenant, self._base(asked), form.get("fault", ""), form.get("account", ""))
        return RedirectResponse(where, 303)

    async def _callback(self, asked: Asked) -> Response:
        """What came of it."""
        outcome = await self._relying_party.finish(dict(asked.query_params), self._base(asked))
        return self._page("login.html", outcome=outcome)

    async def _arm(self, asked: Asked) -> Response:
        form = await _form(asked)
        try:
            find(form.get("fault", ""))
            await self._provider.store.change(form.get("tenant", ""), lambda tenant: tenant.armed.append(_armed(form)))
        except (OAuthError, KeyError) as error:
            problem = error.description if isinstance(error, OAuthError) else "there is no such tenant any more"
            return self._page("problem.html", 400, problem=problem)
        return self._back(form, f"armed {form['fault']}")

    async def _disarm(self, asked: Asked) -> Response:
        form = await _form(asked)

        def disarm(tenant: Tenant) -> None:
            tenant.armed = [armed for armed in tenant.armed if armed.id != form.get("id")]

        try:
            await self._provider.store.change(form.get("tenant", ""), disarm)
        except KeyError:
            return self._page("problem.html", 404, problem="there is no such tenant any more")
        return self._back(form, "disarmed")

    async def _sign_out(self, asked: Asked) -> Response:
        """End a session here, and tell every client of it."""
        from mock_idp.protocol.logout.back_channel import grants_of, send_logout  # noqa: PLC0415 # clients are told over HTTP, which is heavy

        form = await _form(asked)
        tenant = await self._provider.store.tenant(form.get("tenant", ""))
        if tenant is None:
            return self._page("problem.html", 404, problem="there is no such tenant any more")
        sid = form.get("sid", "")
        told = await send_logout(self._provider, tenant, sid=sid)
        for grant in await grants_of(self._provider, tenant, sid=sid, sub=None):
            if "offline_access" not in grant.scope:
                await self._provider.store.delete(tenant.name, Grant, grant.id)
        await self._provider.store.delete(tenant.name, Session, sid)
        return self._back(form, "signed out; " + ("; ".join(told) or "no client has a back-channel logout URI"))

    def _back(self, form: dict[str, str], told: str) -> Response:
        return RedirectResponse(f"./?{urlencode({'tenant': form['tenant'], 'told': told})}", 303)

    def _base(self, asked: Asked) -> str:
        scope = asked.scope
        return self._provider.addresses.told(scope["scheme"], asked.headers.get("host", ""), scope["headers"])


def _armed(form: dict[str, str]) -> Armed:
    return Armed(secrets.token_hex(4), form["fault"], times=_number(form.get("times", "1")))


async def _form(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl((await asked.body()).decode("utf-8", "replace")))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _areas() -> dict[str, list[Any]]:
    areas: dict[str, list[Any]] = {}
    for fault in FAULTS.values():
        areas.setdefault(fault.name.partition(".")[0], []).append(fault)
    return areas


def _parameters(entry: Entry) -> list[tuple[str, str]]:
    body = entry.request_body.decode("latin-1") if entry.method == "POST" else ""
    return parse_qsl(entry.url.partition("?")[2], keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)


def _curl(entry: Entry) -> str:
    """The request, to be repeated by hand."""
    parts = ["curl", "-i", "-X", entry.method, entry.url]
    for name, value in entry.request_headers:
        if name in (b"authorization", b"content-type", b"accept", b"dpop", b"origin", b"cookie"):
            parts += ["-H", f"{name.decode('latin-1')}: {value.decode('latin-1')}"]
    if entry.request_body:
        parts += ["--data-raw", entry.request_body.decode("latin-1")]
    return " ".join(shlex.quote(part) for part in parts)
