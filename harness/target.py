"""The target: what is under test, as one TOML profile declares it.

These models are the profile's documentation too: ``docs/profile.md`` and ``docs/profile.schema.json`` are generated
from them (``python -m harness.profile.docs``). Every section but ``[target]`` is optional; what is absent is not
applicable, and the run says so with its reason.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

Encoding = Literal["json", "form", "multipart"]
Carrier = Literal["cookie", "header"]


def _origin(value: str) -> str:
    wrong = ValueError(
        "expected an origin such as https://app.example.com: scheme, host, perhaps a port; "
        "no user, and a path goes into target.base_path"
    )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise wrong from None
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or "@" in parts.netloc
    ):
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in {None, default} else f":{port}")


def _path(value: str) -> str:
    if not value.startswith("/") or value.startswith("//"):
        raise ValueError("expected a path that begins with one /, such as /auth/login")
    return value


def _pointer(value: str) -> str:
    if value and not value.startswith("/"):
        raise ValueError("expected a JSON pointer (RFC 6901) such as /user/name")
    return value


def _cookie_only() -> list[Carrier]:
    return ["cookie"]


OriginStr = Annotated[str, AfterValidator(_origin)]
Path = Annotated[str, AfterValidator(_path)]
Pointer = Annotated[str, AfterValidator(_pointer)]


class Section(BaseModel):
    """What all sections share: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True)


class Address(Section):
    """Where the application is and how to reach it."""

    origin: OriginStr = Field(
        description="Origin of the application (of its API, where the two differ): scheme, host, port."
    )
    name: str = Field("", description="What reports call the target. Default: its origin.")
    architecture: Literal["", "bearer", "cookie", "both", "split", "direct"] = Field(
        "", description="How the target is put together; named first in every report, and accepted as such."
    )
    front_origin: OriginStr | None = Field(
        None,
        description="Origin of the pages that call the API, where they are served from elsewhere. Default: `origin`.",
    )
    base_path: Annotated[str, AfterValidator(lambda v: _path(v).rstrip("/") if v else v)] = Field(
        "", description="Prefix put before every path of this profile, such as `/api`."
    )
    ca: str | None = Field(
        None,
        description="PEM file with the certificate authority that signed the target's certificate, "
        "where the system does not know it.",
    )
    resolve: dict[str, str] = Field(
        default_factory=dict,
        description="Host name to IP address: reach a name that DNS does not know, as `curl --resolve` does.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers that a gateway in front of the target needs; sent with every request.",
    )
    plain_http_port: int | None = Field(
        None, ge=1, le=65535, description="Port on which an https target may also answer in clear text. Default: 80."
    )
    openapi: Path | Literal[False] = Field(
        "/openapi.json", description="Where the OpenAPI description is served, or `false` where there is none."
    )


class Launch(Section):
    """How to start the target when it is not running: any command, stopped again at the end with all it started."""

    command: list[str] = Field(
        min_length=1,
        description="The program and its arguments. `{python}`, `{port}`, `{plain_port}` (free ports) and `{dir}` "
        "(a fresh folder) are filled in, here, in `env` and in `[target]`.",
    )
    env: dict[str, str] = Field(default_factory=dict, description="Environment variables added to the command's.")
    cwd: str | None = Field(None, description="Working folder, relative to the profile. Default: the profile's folder.")
    ready: Path = Field(
        "/", description="Path that answers (with any status below 500) as soon as the target is ready."
    )
    timeout_s: float = Field(30.0, gt=0, le=600, description="Seconds to wait for that.")


class Account(Section):
    """One test account. Two or more let the harness tell users apart."""

    username: str = Field(min_length=1, description="What is sent as the user name.")
    password: SecretStr = Field(
        description="The password: `env:NAME`, `file:PATH` (relative to the profile), "
        "or literally, for throwaway accounts only."
    )
    identity: str = Field("", description="How the probe names this user. Default: `username`.")
    disposable: bool = Field(
        False,
        description="May be locked out and may have its password changed. "
        "Without one, and without `[signup]`, such requirements do not run.",
    )

    @property
    def known_as(self) -> str:
        """The text by which the probe shows that this user is signed in."""
        return self.identity or self.username


class AntiForgery(Section):
    """Where an anti-forgery token comes from and how it is sent back."""

    page: Path | None = Field(None, description="Page to fetch first; its form holds the token.")
    field: str | None = Field(
        None,
        description="Name of the hidden input (or `meta`) on that page, "
        "and of the form field that carries the token back.",
    )
    cookie: str | None = Field(
        None,
        description="Cookie that holds the token, where it is not on the page; also found without its prefix.",
    )
    pointer: Pointer | None = Field(None, description="JSON pointer to the token, where `page` answers JSON.")
    header: str | None = Field(None, description="Request header that carries the token back.")

    @model_validator(mode="after")
    def _whole(self) -> AntiForgery:
        if not (self.cookie or self.page):
            raise ValueError("expected `page` (a page to fetch) or `cookie` (a cookie that holds the token)")
        if not (self.header or self.field):
            raise ValueError("expected `header` or `field`: how the token is sent back")
        return self


class Take(Section):
    """One value taken from a step's answer, for later steps to use as `{name}`."""

    field: str | None = Field(None, description="Name of an input or `meta` element of the page.")
    pointer: Pointer | None = Field(None, description="JSON pointer into the answer.")
    header: str | None = Field(None, description="Response header.")
    cookie: str | None = Field(None, description="Cookie now in the user agent's store.")


class Step(Section):
    """One request of a login of several requests."""

    method: str = Field("POST", description="Request method.")
    path: Path = Field(description="Path, which may hold `{username}`, `{password}` and names taken earlier.")
    encoding: Encoding = Field("json", description="How `fields` are sent.")
    fields: dict[str, str] = Field(default_factory=dict, description="Body fields; the same placeholders.")
    headers: dict[str, str] = Field(default_factory=dict, description="Request headers; the same placeholders.")
    take: dict[str, Take] = Field(default_factory=dict, description="Values to take from the answer, by name.")


class Login(Section):
    """How a user signs in with a password."""

    path: Path = Field("/login", description="Where the credentials are sent.")
    method: Literal["POST", "PUT"] = Field("POST", description="Request method.")
    encoding: Literal["json", "form", "multipart", "basic"] = Field(
        "json", description="How they are sent; `basic` sends HTTP Basic with every request and needs no login request."
    )
    username_field: str = Field("username", description="Field that carries the user name.")
    password_field: str = Field("password", description="Field that carries the password.")
    fields: dict[str, str] = Field(default_factory=dict, description="Further fields, sent as they stand.")
    anti_forgery: AntiForgery | None = Field(None, description="The token that a login form demands, where it does.")
    access_token: Pointer | None = Field(
        None, description="JSON pointer to the access token in the answer, where tokens come back in the body."
    )
    refresh_token: Pointer | None = Field(None, description="JSON pointer to the refresh token in the answer.")
    page: Path | None = Field(None, description="The page with the login form, if people have one.")
    return_parameters: list[str] = Field(
        default_factory=list, description="Query parameters that say where to go after login, such as `next`."
    )
    steps: list[Step] = Field(
        default_factory=list, description="A login of several requests, in order; replaces the single request."
    )
    function: str | None = Field(
        None,
        description="`file.py:name`, relative to the profile: a function `(user_agent, account) -> str | None` "
        "of your own that signs in and returns an access token, or None where cookies carry it. "
        "The way out for anything else (one-time codes, magic links).",
    )


class Probe(Section):
    """The protected endpoint that answers as the user. Logged in means: it does."""

    path: Path = Field(description="Path of a GET endpoint that names the signed-in user.")
    identity: Pointer | None = Field(
        None,
        description="JSON pointer to the user's identity. Default: the identity occurs anywhere in the answer's text.",
    )


class Session(Section):
    """What carries the session."""

    carriers: list[Carrier] = Field(
        default_factory=_cookie_only,
        min_length=1,
        description="Which carriers are meant to be accepted: `cookie`, `header` (Authorization: Bearer), or both.",
    )
    credential_cookies: list[str] = Field(
        default_factory=list,
        description="Names of the cookies that authenticate. "
        "Default: found by elimination (the probe fails without them).",
    )
    stateless_access_s: int | None = Field(
        None,
        ge=1,
        description="Declares that access tokens cannot be revoked and live this many seconds: "
        "accepted up to 900, with the residual risk said.",
    )
    idle_timeout_s: int | None = Field(
        None, ge=1, description="Seconds without use after which a session must have ended."
    )
    absolute_timeout_s: int | None = Field(
        None, ge=1, description="Seconds after which a session must have ended in any case."
    )
    shared_domain: bool = Field(
        False,
        description="Credential cookies are shared between hosts of one application on purpose (a Domain attribute).",
    )


class Refresh(Section):
    """How a fresh access credential is had."""

    path: Path = Field(description="Where it is asked for.")
    method: Literal["POST", "PUT", "GET"] = Field("POST", description="Request method.")
    carrier: Literal["cookie", "body", "header"] = Field("cookie", description="Where the refresh credential travels.")
    cookie: str | None = Field(None, description="Name of the refresh cookie. Default: found by looking.")
    field: str = Field("refresh_token", description="Body field, where `carrier` is `body`.")
    fields: dict[str, str] = Field(
        default_factory=dict, description="Further body fields, sent as they stand, such as `grant_type`."
    )
    encoding: Encoding = Field("json", description="How the body is sent.")
    access_token: Pointer | None = Field(
        None, description="JSON pointer to the new access token. Default: as at login."
    )
    refresh_token: Pointer | None = Field(
        None, description="JSON pointer to the new refresh token. Default: as at login."
    )
    grace_s: int = Field(
        60,
        ge=0,
        description="Seconds for which a replaced refresh credential may still be accepted, "
        "for answers lost on the way.",
    )
    absolute_lifetime_s: int | None = Field(
        None, ge=1, description="Seconds after login at which refreshing ends, where the tokens do not show it."
    )


class Logout(Section):
    """How a user signs out."""

    path: Path = Field(description="Where logout is asked for.")
    method: Literal["POST", "DELETE", "GET", "PUT"] = Field("POST", description="Request method.")
    encoding: Encoding = Field("json", description="How `fields` are sent.")
    fields: dict[str, str] = Field(default_factory=dict, description="Body fields. `{refresh_token}` is filled in.")


class Csrf(Section):
    """How writes that cookies authenticate are defended against forgery."""

    defence: Literal["token", "custom-header", "origin", "samesite"] = Field(
        description="`token`: a value the page must send back; `custom-header`: a header no form can send; "
        "`origin`: Origin or Sec-Fetch-Site is checked; `samesite`: nothing else."
    )
    token: AntiForgery | None = Field(None, description="Where the token comes from, where the defence is `token`.")
    header: str | None = Field(None, description="The header, where the defence is `custom-header`, as `Name: value`.")

    @model_validator(mode="after")
    def _whole(self) -> Csrf:
        if self.defence == "token" and self.token is None:
            raise ValueError("expected [csrf.token] (where the token comes from), since defence is 'token'")
        if self.defence == "custom-header" and ":" not in (self.header or ""):
            raise ValueError("expected `header = \"Name: value\"`, since defence is 'custom-header'")
        return self


class Cors(Section):
    """Which other origins may call the API with credentials."""

    origins: list[OriginStr] = Field(default_factory=list, description="The front ends that may, exactly.")
    subdomains: bool = Field(False, description="Any sub-domain of those origins may, on purpose.")


class Signup(Section):
    """How an account is made. Gives destructive requirements accounts of their own."""

    path: Path = Field(description="Where accounts are made.")
    encoding: Encoding = Field("json", description="How `fields` are sent.")
    fields: dict[str, str] = Field(
        default_factory=lambda: {"username": "{username}", "password": "{password}"},
        description="Body fields; `{username}`, `{password}` and `{email}` are filled in.",
    )


class PasswordChange(Section):
    """How a user changes the password."""

    path: Path = Field(description="Where it is changed.")
    method: Literal["POST", "PUT", "PATCH"] = Field("POST", description="Request method.")
    encoding: Encoding = Field("json", description="How `fields` are sent.")
    fields: dict[str, str] = Field(
        default_factory=lambda: {"current_password": "{current}", "new_password": "{new}"},
        description="Body fields; `{current}` and `{new}` are filled in.",
    )


class Write(Section):
    """A write of the user's own whose effect can be seen: what a forged request would try."""

    path: Path = Field(description="Where the write goes.")
    method: Literal["POST", "PUT", "PATCH"] = Field("POST", description="Request method.")
    encoding: Encoding = Field("json", description="How `fields` are sent.")
    fields: dict[str, str] = Field(
        description="Body fields; `{marker}` is filled in and must occur, so that the effect can be found."
    )
    check: Path = Field(description="A GET endpoint of the same user whose answer shows the marker afterwards.")

    @model_validator(mode="after")
    def _marked(self) -> Write:
        if not any("{marker}" in value for value in self.fields.values()):
            raise ValueError("expected `{marker}` in one of `fields`: without it the effect of a write cannot be seen")
        return self


class WebSocket(Section):
    """A WebSocket endpoint that speaks to the signed-in user."""

    path: Path = Field(description="Path of the handshake.")
    says: str = Field("", description="Text that a message for the user contains. Default: the user's identity.")


class CookieSetter(Section):
    """An endpoint that puts a parameter of the request into a cookie."""

    path: Path = Field(description="Path of the endpoint.")
    parameter: str = Field(description="Query parameter that reaches the cookie.")


class Endpoint(Section):
    """A protected operation beyond what OpenAPI tells, or one it tells wrongly."""

    path: Path = Field(description="Path; placeholders filled with values that exist or do not, as you like.")
    method: str = Field("GET", description="Request method.")
    fields: dict[str, str] = Field(default_factory=dict, description="JSON body fields.")
    protected: bool = Field(
        True, description="Needs a signed-in user. `false` takes an operation out of the carrier matrix."
    )


class Hooks(Section):
    """What a test deployment offers so that time need not be waited for."""

    clock_header: str | None = Field(
        None,
        description="Request header with a number of seconds by which the target's clock is ahead "
        "for that one request; the target confirms it by sending the header back. Test deployments only.",
    )


class Limits(Section):
    """How gentle a guest the harness is."""

    requests_per_second: float | None = Field(
        None, gt=0, description="At most so many requests a second. Default: as fast as answers come."
    )
    wrong_passwords: int = Field(
        3, ge=1, le=20, description="Wrong passwords in a row for one account before a right one is sent."
    )
    timeout_s: float = Field(
        20.0, gt=0, le=120, description="Seconds for any one answer, from first byte sent to last byte read."
    )


class Target(Section):
    """What is under test."""

    at: Address = Field(alias="target")
    launch: Launch | None = None
    accounts: dict[str, Account] = Field(
        min_length=1, description="The test accounts, each under a name of your choice."
    )
    login: Login = Field(default_factory=lambda: Login.model_validate({}))
    probe: Probe
    session: Session = Field(default_factory=lambda: Session.model_validate({}))
    refresh: Refresh | None = None
    logout: Logout | None = None
    csrf: Csrf | None = None
    cors: Cors = Field(default_factory=lambda: Cors.model_validate({}))
    signup: Signup | None = None
    password_change: PasswordChange | None = None
    write: Write | None = None
    websocket: WebSocket | None = None
    cookie_setters: list[CookieSetter] = Field(default_factory=list)
    endpoints: list[Endpoint] = Field(default_factory=list)
    hooks: Hooks = Field(default_factory=lambda: Hooks.model_validate({}))
    limits: Limits = Field(default_factory=lambda: Limits.model_validate({}))

    @property
    def origin(self) -> str:
        """The API's origin."""
        return self.at.origin

    @property
    def front_origin(self) -> str:
        """The origin of the pages that call it."""
        return self.at.front_origin or self.at.origin

    @property
    def name(self) -> str:
        """What reports call the target."""
        return self.at.name or self.at.origin

    @property
    def https(self) -> bool:
        """Whether the target is reached over TLS."""
        return self.origin.startswith("https:")

    @property
    def user(self) -> Account:
        """The account that most requirements sign in with: the first that may not be spoilt."""
        return self._ordinary[0]

    @property
    def other_user(self) -> Account | None:
        """A second account, to tell users apart."""
        return self._ordinary[1] if len(self._ordinary) > 1 else None

    @property
    def disposable(self) -> Account | None:
        """An account that may be locked out or changed."""
        return next((a for a in self.accounts.values() if a.disposable), None)

    @property
    def _ordinary(self) -> list[Account]:
        kept = [a for a in self.accounts.values() if not a.disposable]
        return kept or list(self.accounts.values())

    def url(self, path: str) -> str:
        """The absolute URL of a path of this profile."""
        return f"{self.origin}{self.at.base_path}{path}"
