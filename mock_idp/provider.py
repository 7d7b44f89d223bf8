"""The provider: from a request to an answer. Knows no web framework; `mock_idp.wire.asgi` brings it to a port."""

from __future__ import annotations

import inspect
import time
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mock_idp.accounts import is_name, usual_accounts
from mock_idp.addresses import Addresses
from mock_idp.dialects import DIALECTS
from mock_idp.journal import MOST_BODY, Entry
from mock_idp.keys.rotation import signing_key, taken_slots
from mock_idp.protocol.canary import CANARY
from mock_idp.protocol.errors import OAuthError
from mock_idp.records import Account, Client, Grant, Settings, Tenant
from mock_idp.store import StoreDownError
from mock_idp.wire.http import Answer, BadRequestError, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from mock_idp.dialects import Dialect
    from mock_idp.pages import Pages
    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.table import Flow
    from mock_idp.store import Store
    from mock_idp.wire.http import Request

RESERVED = ("_control", "_", ".well-known")
WELL_KNOWN = (".well-known/openid-configuration", ".well-known/oauth-authorization-server")
MOST_PATHS = 10_000
MOST_TENANTS = 1_000
"""Beyond that many none is made on first use: whoever tries out paths does not fill the memory."""
EXPOSED = (b"access-control-expose-headers", b"www-authenticate, dpop-nonce")
"""What scripts of other origins may see: why they were refused (RFC 9449, sections 8 and 9)."""
MOST_ACCOUNTS = 10_000
"""Accounts that one tenant keeps; whoever signs in by a new name beyond that is made anew each time."""
LONGEST_TENANT = 100
RSA = ("RS256", "PS256")
"""Algorithms whose keys come from the bundled pool."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads.

    Attributes:
        settings: of the tenant when the path was looked up; once it has others, paths may lead elsewhere.
        rest: what follows the endpoint's own path.

    """

    tenant: str
    settings: Settings
    endpoint: Endpoint
    rest: str = ""


@dataclass
class Provider:
    """One running provider.

    Attributes:
        store: where state lives.
        addresses: under which names it is known.
        open: unknown tenants are made on first use.
        template: what those begin as; None is the defaults.
        ready: ready metadata, by path, issuer and tenant: the tenant's version it was made from, and the bytes.

    """

    store: Store
    addresses: Addresses = field(default_factory=Addresses)
    open: bool = True
    template: Tenant | None = None
    ready: dict[tuple[str, str, str], tuple[int, bytes]] = field(default_factory=dict)
    _routes: dict[str, Route] = field(default_factory=dict)

    @cached_property
    def pages(self) -> Pages:
        """The HTML pages; loaded when the first one is shown."""
        from mock_idp.pages import Pages  # noqa: PLC0415 # templates cost more to load than the rest of the provider

        return Pages()

    @cached_property
    def faults(self) -> ModuleType:
        """The faults; loaded when the first one is asked for: honest flows never need them."""
        from mock_idp import faults  # noqa: PLC0415 # see above

        return faults

    async def answer(self, request: Request, *, approve: str | None = None) -> Answer:
        """Answer one request of a protocol endpoint, and write it into the tenant's journal.

        Args:
            request: of a browser or relying party.
            approve: the account as which an authorization is approved without a page, whatever the tenant's settings.

        """
        entry = Entry(
            at=time.time(),
            method=request.method,
            url=request.base + request.path + (f"?{request.query.decode('latin-1')}" if request.query else ""),
            request_headers=request.headers,
            request_body=request.body,
        )
        try:
            route = self._routes.get(request.path)
            tenant = await self.store.tenant(route.tenant) if route else None
            if route is None or tenant is None or tenant.settings is not route.settings:
                route = await self._find_route(request.path)
                if route is None:
                    return await self._not_found(request)
                tenant = await self.store.tenant(route.tenant) or await self._make(route.tenant)
                if tenant is None:
                    sentence = f"there are {MOST_TENANTS} tenants; make further ones by configuration or control"
                    return json_answer(403, {"error": "invalid_request", "error_description": sentence})
                self._remember_route(request.path, route)
            if approve is not None:
                tenant = replace(tenant, settings=replace(tenant.settings, auto_approve=approve))
            answer = await self._serve(request, route, tenant, entry)
            entry.status, entry.response_headers, entry.response_body = answer.status, answer.headers, answer.body
            if len(entry.request_body) + len(entry.response_body) > MOST_BODY:
                entry.cut = True
                entry.request_body = entry.request_body[:MOST_BODY]
                entry.response_body = entry.response_body[:MOST_BODY]
            await self.store.write(route.tenant, entry)
        except StoreDownError as error:
            return json_answer(503, {"error": "temporarily_unavailable", "error_description": str(error)})
        except KeyError:  # of `Store.change`, where the tenant was dropped while it answered
            if route is None or await self.store.tenant(route.tenant) is not None:
                raise
            return await self._not_found(request)
        return answer

    async def _serve(self, request: Request, route: Route, tenant: Tenant, entry: Entry) -> Answer:
        endpoint = route.endpoint
        entry.endpoint = endpoint.table.name
        if request.method not in endpoint.methods:
            return self._other_method(request, tenant, endpoint)
        flow = endpoint.flow(
            provider=self,
            tenant=tenant,
            dialect=DIALECTS[tenant.settings.dialect],
            request=request,
            entry=entry,
            now=tenant.clock.now(entry.at),
            issuer=self.addresses.issuer(tenant, request.base),
            rest=route.rest,
        )
        try:
            answer = await endpoint.table.walk(flow)
            assert answer is not None  # noqa: S101 # the last step of every endpoint answers
        except OAuthError as error:
            answer = await _refused(endpoint, flow, error)
        except BadRequestError as error:
            entry.refused = str(error)
            answer = await _refused(endpoint, flow, OAuthError("invalid_request", str(error)))
        if endpoint.cors and (origin := request.header(b"origin")):
            answer.headers += _readable_by(tenant, origin)
        return answer

    def _other_method(self, request: Request, tenant: Tenant, endpoint: Endpoint) -> Answer:
        allow = ", ".join((*endpoint.methods, "OPTIONS")).encode()
        origin = request.header(b"origin")
        if request.method != "OPTIONS":
            document = {"error": "invalid_request", "error_description": f"this endpoint takes {allow.decode()}"}
            return json_answer(405, document, [(b"allow", allow)])
        headers = [(b"allow", allow)]
        if endpoint.cors and origin and (readable := _readable_by(tenant, origin)):
            headers += [
                *readable,
                (b"access-control-allow-methods", allow),
                (b"access-control-allow-headers", b"authorization, content-type, dpop"),
                (b"access-control-max-age", b"600"),
            ]
        return Answer(204, headers)

    # --- tenants ------------------------------------------------------------------------------------------------------

    def _remember_route(self, path: str, route: Route) -> None:
        if not route.rest:
            if len(self._routes) >= MOST_PATHS:
                self._routes.clear()
            self._routes[path] = route

    async def _find_route(self, path: str) -> Route | None:
        for well_known in WELL_KNOWN:  # RFC 8414, section 3.1, puts the well-known part before the issuer's path
            if path.startswith(f"/{well_known}/"):
                path = f"/{path.removeprefix(f'/{well_known}/').strip('/')}/{well_known}"
        segments = path.lstrip("/").split("/")
        if segments[0] in RESERVED or not segments[0]:
            return None
        # The longest name that exists, so that issuers of several segments may share their beginning; and any that
        # exists before one that could be made, since paths hold names of makes too (``/acme/oauth2/token``).
        most = min(len(segments) - 1, LONGEST_TENANT)  # a name has no more segments than characters
        beginnings = ("/".join(segments[:length]) for length in range(most, 0, -1))
        names = [name for name in beginnings if len(name) <= LONGEST_TENANT]
        tenants = {name: await self.store.tenant(name) for name in names}
        known = {name: tenant.settings for name, tenant in tenants.items() if tenant}
        made = {name: self._new_settings(name) for name in names if name not in known and self._may_make(name)}
        for name, settings in (known | made).items():
            found = _endpoint(DIALECTS[settings.dialect].routes(settings), "/".join(segments)[len(name) + 1 :])
            if found is not None:
                return Route(name, settings, *found)
        return None

    def _may_make(self, name: str) -> bool:
        first, slash, last = name.partition("/")
        return self.open and first.isprintable() and first not in {".", ".."} and (not slash or last in DIALECTS)

    async def _make(self, name: str) -> Tenant | None:
        if len(await self.store.names()) >= MOST_TENANTS:
            return None
        if self.template is None:
            return await self.make(Tenant(name, new_settings(name), accounts=usual_accounts()))
        return await self.make(replace(deepcopy(self.template), name=name, settings=self._new_settings(name)))

    def _new_settings(self, name: str) -> Settings:
        return new_settings(name, deepcopy(self.template.settings) if self.template else None)

    async def make(self, tenant: Tenant) -> Tenant:
        """Keep a new tenant; where the name is taken, the one that is there."""
        if not tenant.keys.keys:
            alg = tenant.settings.signing_alg
            await tenant.keys.add(tenant.name, alg, await taken_slots(self.store) if alg in RSA else ())
        self._routes.clear()
        return await self.store.create(tenant)

    async def settle(self, tenant: Tenant) -> None:
        """Keep a configured tenant; one that a shared store has already keeps its keys and takes the rest."""

        def become(there: Tenant) -> None:
            there.settings, there.clients, there.accounts = tenant.settings, tenant.clients, tenant.accounts

        there = await self.make(tenant)
        if there is not tenant:
            await signing_key(self.store, there, tenant.settings.signing_alg)
            await self.store.change(tenant.name, become)

    # --- who ----------------------------------------------------------------------------------------------------------

    def client(self, tenant: Tenant, client_id: str) -> Client:
        """The client of that id; where the tenant is not strict, any.

        Raises:
            OAuthError: the tenant is strict and does not know it, or that is no name.

        """
        known = tenant.clients.get(client_id)
        if known is not None:
            return known
        if tenant.settings.strict:
            raise OAuthError(
                "invalid_client", f"no client {client_id[:80]!r} is registered", "RFC 6749, section 2", status=401
            )
        if not is_name(client_id):
            raise OAuthError("invalid_client", "no client can be called that", "RFC 6749, appendix A.1", status=401)
        return Client(client_id, registered=False)

    async def account(self, tenant: Tenant, name: str) -> Account:
        """The account of that name; where the tenant is not strict, it is made.

        Raises:
            OAuthError: the tenant is strict and does not know it, or that is no name.

        """
        known = tenant.accounts.get(name)
        if known is not None:
            return known
        if tenant.settings.strict:
            raise OAuthError("access_denied", f"there is no account {name[:80]!r}", "")
        if not is_name(name):
            raise OAuthError("access_denied", f"no account can be called {name[:80]!r}", "")

        def add(tenant: Tenant) -> Account:
            if len(tenant.accounts) >= MOST_ACCOUNTS:
                return tenant.accounts.get(name) or Account(name)
            return tenant.accounts.setdefault(name, Account(name))

        return await self.store.change(tenant.name, add)

    async def keep_grant(self, tenant: Tenant, grant: Grant) -> None:
        """Let tokens point at a grant. It lives as long as the last of them."""
        settings = tenant.settings
        lifetime = DIALECTS[settings.dialect].access_token_lifetime(settings)
        await self.store.put(tenant.name, grant.id, grant, settings.lifetimes.refresh_token + lifetime)

    def dialect(self, tenant: Tenant) -> Dialect[Any]:
        """The tenant's make."""
        return DIALECTS[tenant.settings.dialect]

    # --- metadata -----------------------------------------------------------------------------------------------------

    def endpoints(self, flow: Flow) -> dict[str, str]:
        """Metadata name and URL of every endpoint that is switched on."""
        routes = flow.dialect.routes(flow.tenant.settings)
        return {
            name: self.addresses.endpoint(flow.tenant, flow.request.base, name, path)
            for path, name in flow.dialect.names(flow.tenant.settings).items()
            if path in routes
        }

    def remember(self, key: tuple[str, str, str], version: int, body: bytes) -> None:
        """Keep ready metadata."""
        if len(self.ready) >= MOST_PATHS:
            self.ready.clear()
        self.ready[key] = version, body

    async def _not_found(self, request: Request) -> Answer:
        return json_answer(
            404,
            {
                "error": "not_found",
                "error_description": f"nothing is at {request.path[:200]}; "
                "the dashboard is at /_/, a tenant's metadata at /{tenant}/.well-known/openid-configuration",
            },
        )


async def _refused(endpoint: Endpoint, flow: Flow, error: OAuthError) -> Answer:
    if flow.entry.refused is None:
        flow.entry.refused = str(error)
    answer = endpoint.refuse(flow, error)
    return await answer if inspect.isawaitable(answer) else answer


def _endpoint(routes: Mapping[str, Endpoint], path: str) -> tuple[Endpoint, str] | None:
    found = routes.get(path)
    if found is not None:
        return found, ""
    for prefix in routes:
        if prefix.endswith("/") and path.startswith(prefix):
            return routes[prefix], path.removeprefix(prefix)
    return (CANARY, path.removeprefix("canary/")) if path.startswith("canary/") else None


def _readable_by(tenant: Tenant, origin: str) -> list[tuple[bytes, bytes]]:
    allowed = tenant.settings.cors_origins
    if "*" in allowed:
        return [(b"access-control-allow-origin", b"*"), EXPOSED]
    if origin in allowed:
        return [(b"access-control-allow-origin", origin.encode("latin-1", "replace")), EXPOSED, (b"vary", b"origin")]
    return [(b"vary", b"origin")]


def new_settings(name: str, settings: Settings | None = None) -> Settings:
    """Settings of a tenant made on first use: a last segment that names a dialect chooses it."""
    settings = settings or Settings()
    last = name.rpartition("/")[2]
    if last in DIALECTS:
        settings.dialect = last  # type: ignore[assignment] # just checked
    return settings
