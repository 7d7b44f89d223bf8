"""The control API from Python: `connect` to a provider that runs, `mock_idp.start` one, and work with its tenants.

Imports nothing but the standard library until the first request.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

    import httpx

_NOT_FOUND = 404
ANSWER_S = 10.0
"""Seconds that the provider has for an answer."""


class IdpError(Exception):
    """The provider refused, or does not answer; one line says why.

    Attributes:
        status: of the answer; 0 where there was none.

    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class WaitedInVainError(IdpError, TimeoutError):
    """Nothing that was waited for has come."""


class Idp:
    """One tenant of a provider.

    Args:
        control: the provider.
        name: of the tenant.
        issuer: what its tokens say.

    """

    def __init__(self, control: Control, name: str, issuer: str) -> None:
        self.control = control
        self.name = name
        self.issuer = issuer
        self.journal = Journal(self)
        self.clock = Clock(self)
        self.keys = Keys(self)

    def __repr__(self) -> str:
        return f"Idp({self.issuer!r})"

    def ask(self, method: str, path: str = "", body: Any = None, **options: Any) -> Any:
        """One control request about this tenant.

        Args:
            method: of HTTP.
            path: below the tenant's own.
            body: goes as JSON.
            options: ``query`` and ``seconds``, see `Control.ask`.

        Raises:
            IdpError: the provider refused; the line says why.

        """
        return self.control.ask(method, f"/tenants/{_part(self.name)}{path}", body, **options)

    @property
    def metadata_url(self) -> str:
        """Where clients find everything else (OpenID Connect Discovery 1.0, section 4)."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def configure(self, **settings: Any) -> None:
        """Change settings of the tenant (docs/provider-config.md lists them).

        Raises:
            IdpError: there is no such setting, or it does not take that value.

        """
        self.ask("PATCH", "", settings)

    def account(
        self, name: str, *, sub: str | None = None, password: str | None = None, **claims: Any
    ) -> dict[str, Any]:
        """Make an account, or make it anew.

        Args:
            name: what is typed to sign in.
            sub: its subject identifier; the name where not given.
            password: asked for at sign-in; none is where not given.
            claims: what tokens and UserInfo say, such as ``email="alice@example.test"``.

        """
        body = {"claims": claims, **_said(sub=sub, password=password)}
        made: dict[str, Any] = self.ask("PUT", f"/accounts/{_part(name)}", body)
        return made

    def change_account(self, name: str, *, password: str | None = None, **claims: Any) -> dict[str, Any]:
        """Change claims of an account; None removes one, and what is not named stays."""
        body = {"claims": claims, **_said(password=password)}
        changed: dict[str, Any] = self.ask("PATCH", f"/accounts/{_part(name)}", body)
        return changed

    def client(
        self, client_id: str, *, secret: str | None = None, redirect_uris: Sequence[str] = (), **settings: Any
    ) -> dict[str, Any]:
        """Register a client, or register it anew.

        Args:
            client_id: its id.
            secret: None for a public client.
            redirect_uris: where codes may go.
            settings: further ones (docs/provider-config.md), such as ``lenient=["code-reuse"]``.

        """
        body = {"redirect_uris": list(redirect_uris), **settings, **_said(secret=secret)}
        made: dict[str, Any] = self.ask("PUT", f"/clients/{_part(client_id)}", body)
        return made

    def token(self, sub: str = "alice", aud: str | Sequence[str] | None = None, **more: Any) -> str:
        """Mint a token without a flow, signed or forged.

        Args:
            sub: whose.
            aud: for whom.
            more: ``kind`` ("access_token" or "id_token"), ``format`` ("jwt" or "opaque"), ``client``, ``scope``,
                ``claims``, ``header``, ``lifetime`` in seconds, ``nonce``, and ``faults`` such as
                ``["id-token.sig-corrupt"]``.

        """
        audience = aud if aud is None or isinstance(aud, str) else list(aud)
        minted: str = self.ask("POST", "/tokens", {"sub": sub, **_said(aud=audience), **more})["token"]
        return minted

    def fault(  # noqa: PLR0913 # each narrows down which requests it strikes
        self,
        name: str,
        *,
        endpoint: str | None = None,
        client: str | None = None,
        account: str | None = None,
        grant: str | None = None,
        state: str | None = None,
        nth: int | None = None,
        times: int | None = None,
    ) -> ArmedFault:
        """Arm a fault for the requests that match; it strikes until removed, or so many times.

        Args:
            name: such as ``token.http-500``; ``NAME=VALUE`` where it takes one (`authconform idp --faults`).
            endpoint: only at this endpoint, by its name in the journal: "token", "authorization", "userinfo".
            endpoint: only there: "token", "authorization", "userinfo", as the journal names it.
            client: only requests of this client.
            account: only where this account signed in.
            grant: only about the grant of this id, or with this grant type.
            state: only in the authorization with this ``state``.
            nth: only the nth request that matches otherwise.
            times: how often; None: until removed, which a ``with`` block does at its end.

        """
        narrow = {"endpoint": endpoint, "client": client, "account": account, "grant": grant, "state": state}
        armed = self.ask("POST", "/faults", {"fault": name, "match": {**narrow, "nth": nth}, "times": times})
        return ArmedFault(self, armed["id"], name)

    def remove_faults(self) -> None:
        """Disarm all faults."""
        self.ask("DELETE", "/faults")

    def authorize(  # noqa: PLR0913 # an authorization request has that many parts
        self,
        account: str | None = None,
        *,
        client: str | None = None,
        redirect_uri: str | None = None,
        scope: str | None = None,
        faults: Sequence[str] = (),
        exchange: bool = False,
        **parameters: str,
    ) -> Authorized:
        """Authorize without a page.

        Args:
            account: as whom.
            client: who asks; any.
            redirect_uri: one of the client's.
            scope: what is asked for.
            faults: what goes wrong, here and in what follows from it.
            exchange: redeem the code, too.
            parameters: further ones of the authorization request, such as ``state`` or ``response_type``.

        """
        said = _said(account=account, client=client, redirect_uri=redirect_uri, scope=scope)
        body = {**said, "faults": list(faults), "exchange": exchange, "parameters": parameters}
        authorized = Authorized(**self.ask("POST", "/authorizations", body))
        if exchange and not faults:
            _ = authorized.code  # where nothing was to go wrong, something that did is said here
        return authorized

    def logout(
        self,
        account: str | None = None,
        *,
        sid: str | None = None,
        client: str | None = None,
        faults: Sequence[str] = (),
    ) -> list[str]:
        """Send logout tokens (OpenID Connect Back-Channel Logout 1.0).

        Args:
            account: all sessions of it.
            sid: this session.
            client: tell this client only.
            faults: what is wrong with the tokens.

        Returns:
            a line for each client that was told: its id, and what it answered.

        """
        body = {**_said(account=account, sid=sid, client=client), "faults": list(faults)}
        told: list[str] = self.ask("POST", "/logout", body)["told"]
        return told

    def snapshot(self) -> dict[str, Any]:
        """The whole state of the tenant, secrets and keys included, for `restore`."""
        taken: dict[str, Any] = self.ask("GET", "/state", seconds=60)
        return taken

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Make the tenant what it was."""
        self.ask("PUT", "/state", snapshot, seconds=60)

    def reset(self) -> None:
        """Forget sessions, grants, tokens, journal, faults and clock; settings, clients, accounts and keys stay."""
        self.ask("POST", "/reset")

    def drop(self) -> None:
        """Remove the tenant with all that belongs to it; that is no error where it is gone already."""
        with _gone_is_fine():
            self.ask("DELETE")


@dataclass
class ArmedFault:
    """A fault that waits for requests; leaving its ``with`` block disarms it."""

    idp: Idp
    id: str
    name: str

    def remove(self) -> None:
        """Disarm it; that is no error where it has struck as often as it should."""
        with _gone_is_fine():
            self.idp.ask("DELETE", f"/faults/{_part(self.id)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@dataclass
class Authorized:
    """What an authorization without a page led to.

    Attributes:
        status: of the authorization response.
        location: where the browser would be sent.
        parameters: of the response, from query or fragment.
        state, nonce: of the request.
        set_cookie: what the browser would keep: with it, it is signed in at the provider.
        body: of a response that is no redirect.
        token_response: status, body and members of the token response, where the code was exchanged.

    """

    status: int
    location: str | None
    parameters: dict[str, str]
    state: str | None
    nonce: str | None
    set_cookie: list[str]
    body: str
    token_response: dict[str, Any] | None = None

    @property
    def code(self) -> str:
        """The authorization code.

        Raises:
            IdpError: there is none; the line says what came instead.

        """
        return self._parameter("code")

    @property
    def tokens(self) -> dict[str, Any]:
        """Members of the token response.

        Raises:
            IdpError: there was none, or it is an error; the line says which.

        """
        if self.token_response is None:
            raise IdpError(
                "the code was not exchanged: authorize(exchange=True)" if self._has("code") else self._instead()
            )
        members = self.token_response["members"]
        if members is None or "access_token" not in members:
            text = self.token_response["body"][:200]
            raise IdpError(f"the token endpoint answered {self.token_response['status']}: {text}")
        found: dict[str, Any] = members
        return found

    def _has(self, name: str) -> bool:
        return name in self.parameters

    def _parameter(self, name: str) -> str:
        if not self._has(name):
            raise IdpError(self._instead())
        return self.parameters[name]

    def _instead(self) -> str:
        error, why = self.parameters.get("error"), self.parameters.get("error_description", "")
        return (
            f"the provider answered {error}: {why}" if error else f"the provider answered {self.status} without a code"
        )


# --- journal ----------------------------------------------------------------------------------------------------------


@dataclass
class Message:
    """A request or an answer as it crossed the wire."""

    headers: list[tuple[str, str]]
    body: str
    method: str = ""
    url: str = ""
    status: int = 0

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body, keep_blank_values=True))

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the URL."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class JournalEntry:
    """One request to the tenant and its answer (`mock_idp.journal.Entry` explains the members)."""

    number: int
    at: float
    endpoint: str
    client: str | None
    account: str | None
    grant: str | None
    state: str | None
    faults: list[str]
    lenient: list[str]
    refused: str | None
    notes: list[str]
    cut: bool
    request: Message
    response: Message

    @classmethod
    def of(cls, document: dict[str, Any]) -> JournalEntry:
        """An entry as the control API tells it; members that a newer provider adds are left out."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name not in {"request", "response"}}
        return cls(**known, request=_message(document["request"]), response=_message(document["response"]))


def _message(document: dict[str, Any]) -> Message:
    headers = [(name, value) for name, value in document["headers"]]
    rest = {name: document[name] for name in ("method", "url", "status") if name in document}
    return Message(headers, document["body"], **rest)


@dataclass
class Journal:
    """What was asked of the tenant."""

    idp: Idp

    def entries(self, **wanted: Any) -> list[JournalEntry]:
        """What matches, oldest first.

        Args:
            wanted: ``endpoint`` ("authorization", "token", "userinfo", ...), ``client``, ``account``, ``grant``,
                ``state``, ``status``, ``fault``, ``lenient``, ``refused``, ``after`` (a number), ``limit``.

        """
        return [JournalEntry.of(one) for one in self.idp.ask("GET", "/journal", query=_query(wanted))]

    def wait_for(self, *, timeout: float = 5.0, **wanted: Any) -> JournalEntry:
        """The first entry that matches, now or within `timeout` seconds.

        Args:
            timeout: at most 60.
            wanted: as for `entries`.

        Raises:
            WaitedInVainError: none came; the line tells what did.

        """
        query = _query({**wanted, "wait": timeout})
        found = self.idp.ask("GET", "/journal", query=query, seconds=timeout + ANSWER_S)
        if not found:
            came = [one["endpoint"] or one["request"]["url"] for one in self.idp.ask("GET", "/journal")][-5:]
            what = ", ".join(f"{name}={value!r}" for name, value in wanted.items()) or "any request"
            raise WaitedInVainError(
                f"no request with {what} within {timeout:g} s; the last ones were: {', '.join(came) or 'none'}"
            )
        return JournalEntry.of(found[0])

    def __iter__(self) -> Iterator[JournalEntry]:
        return iter(self.entries())

    def __len__(self) -> int:
        return len(self.entries())


# --- clock and keys ---------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """The tenant's time."""

    idp: Idp

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        shown: float = self.idp.ask("GET", "/clock")["now"]
        return shown

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> float:
        """Go forward; the time afterwards."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._change(advance=step.total_seconds())

    def set(self, moment: datetime | float | str) -> float:
        """Go to a moment that is not past: a datetime, seconds since 1970, or RFC 3339."""
        return self._change(at=moment.timestamp() if isinstance(moment, datetime) else moment)

    def freeze(self) -> float:
        """Stand still."""
        return self._change(frozen=True)

    def release(self) -> float:
        """Go on."""
        return self._change(frozen=False)

    def _change(self, **change: Any) -> float:
        shown: float = self.idp.ask("PATCH", "/clock", change)["now"]
        return shown


@dataclass
class Keys:
    """The tenant's signing keys."""

    idp: Idp

    def rotate(
        self, mode: Literal["announce", "use", "swap", "retire", "unknown"] = "swap", alg: str | None = None
    ) -> list[dict[str, str]]:
        """Change keys in one step; all keys afterwards.

        Args:
            mode: ``announce``: a new key is published and the old one signs; ``use``: the announced key signs and the
                old one stays published; ``swap``: a new key signs and the old one is gone at once; ``retire``: keys
                that no longer sign are gone; ``unknown``: a key signs that is never published.
            alg: whose keys; all algorithms' where none is named.

        """
        return self._listed("POST", "/keys/rotate", {"mode": mode, **_said(alg=alg)})

    def all(self) -> list[dict[str, str]]:
        """``kid``, ``alg`` and ``state`` of each key, oldest first."""
        return self._listed("GET", "/keys", None)

    def _listed(self, method: str, path: str, body: Any) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.idp.ask(method, path, body)
        return found


# --- the provider -----------------------------------------------------------------------------------------------------


@dataclass
class Control:
    """A provider that runs.

    Attributes:
        base: where it listens.
        token: its control token.
        ca_file: the authority to trust where it speaks https; "" trusts those of the system.

    """

    base: str
    token: str = field(repr=False)
    ca_file: str = ""
    _http: httpx.Client | None = field(default=None, repr=False)

    def tenant(self, name: str | None = None, **settings: Any) -> Idp:
        """A tenant.

        Args:
            name: the tenant of that name, made where there is none; None makes a fresh one.
            settings: of a new tenant, or changed in one that is there (docs/provider-config.md lists them); a new one
                also takes ``clients``, ``accounts``, ``clock`` and ``faults``.

        """
        if name is not None and name in self.tenants():
            path = f"/tenants/{_part(name)}"
            shown = self.ask("PATCH", path, settings) if settings else self.ask("GET", path)
        else:
            shown = self.ask("POST", "/tenants", {**_said(name=name), **settings})
        return Idp(self, shown["name"], shown["issuer"])

    @contextmanager
    def fresh_tenant(self, **settings: Any) -> Iterator[Idp]:
        """A fresh tenant, dropped at the end of the block."""
        idp = self.tenant(**settings)
        try:
            yield idp
        finally:
            idp.drop()

    def tenants(self) -> list[str]:
        """The names of all tenants."""
        names: list[str] = self.ask("GET", "/tenants")
        return names

    def faults(self) -> list[dict[str, Any]]:
        """Every fault there is, with what it does and what a correct client does."""
        catalogue: list[dict[str, Any]] = self.ask("GET", "/faults")
        return catalogue

    def dump(self) -> dict[str, Any]:
        """The state of all tenants, secrets and keys included, for `load`."""
        taken: dict[str, Any] = self.ask("GET", "/state", seconds=60)
        return taken

    def load(self, state: dict[str, Any]) -> None:
        """Bring back the tenants of a dump; others stay as they are."""
        self.ask("PUT", "/state", state, seconds=60)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        seconds: float = ANSWER_S,
    ) -> Any:
        """One control request.

        Args:
            method: of HTTP.
            path: below ``/_control``; names in it are quoted already.
            body: goes as JSON; None is no body.
            query: parameters.
            seconds: how long the answer may take.

        Returns:
            the answer's JSON; None where there is none.

        Raises:
            IdpError: the provider refused, or does not answer.

        """
        import httpx  # noqa: PLC0415 # a plugin that nobody uses must not cost its import

        content = None if body is None else json.dumps(body).encode()
        url = f"{self.base}/_control{path}"
        try:
            answer = self._client().request(method, url, content=content, params=query, timeout=seconds)
        except httpx.HTTPError as error:
            raise IdpError(f"the provider at {self.base} does not answer: {error or type(error).__name__}") from None
        if answer.is_error:
            raise IdpError(_reason(answer), answer.status_code)
        return answer.json() if answer.content else None

    def _client(self) -> httpx.Client:
        if self._http is None:
            import httpx  # noqa: PLC0415 # see `ask`

            headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
            # Proxies of the environment are none of a test provider's.
            self._http = httpx.Client(headers=headers, verify=_trust(self.ca_file), trust_env=False)
        return self._http

    def close(self) -> None:
        """Let go of the connection; the provider runs on."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(base: str, token: str, *, ca_file: str = "") -> Control:
    """Work with a provider that runs already.

    Args:
        base: where it listens, such as ``http://127.0.0.1:8080``.
        token: the control token that it said when it started.
        ca_file: the authority to trust where it speaks https.

    """
    return Control(base.rstrip("/"), token, ca_file)


def _trust(ca_file: str) -> ssl.SSLContext | bool:
    if not ca_file:
        return True
    import ssl  # noqa: PLC0415 # only https needs it

    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # which ssl's own errors are, too
        raise IdpError(f"ca_file {ca_file}: cannot be used: {error.strerror or error}") from None


def _reason(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and list(document) == ["error"]:
        return str(document["error"])
    return f"{answer.url} answered {answer.status_code}; is this the provider's base?"


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except IdpError as error:
        if error.status != _NOT_FOUND:
            raise


def _part(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def _said(**members: Any) -> dict[str, Any]:
    """What was given."""
    return {name: value for name, value in members.items() if value is not None}


def _query(wanted: dict[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in wanted.items()
        if value is not None
    }
