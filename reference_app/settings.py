"""What an operator may choose. Every combination that validates is sound; what is unsound is in `Rules`."""

from __future__ import annotations

import difflib
import ipaddress
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from reference_app.rules import Rules

Seconds = Annotated[int, Field(gt=0, le=400 * 86400)]
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]
Password = Annotated[SecretStr, Field(min_length=8, max_length=128)]

PRIVATE = frozenset({"architecture", "tls", "tls_names", "plain_port", "database", "rules"})
"""Fields with an option of their own, or none: `--set` does not reach them."""


class SettingsError(ValueError):
    """A setting or defect that cannot be honoured; the message is one line for the operator."""


class Architecture(StrEnum):
    """How the credential travels."""

    BEARER = "bearer"
    COOKIE = "cookie"
    BOTH = "both"

    @property
    def takes_header(self) -> bool:
        """True when `Authorization: Bearer` is a declared carrier."""
        return self is not Architecture.COOKIE

    @property
    def takes_cookie(self) -> bool:
        """True when the access cookie is a declared carrier."""
        return self is not Architecture.BEARER


class Settings(BaseModel):
    """The application as deployed. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    architecture: Architecture = Architecture.COOKIE
    tls: bool = False
    tls_names: tuple[str, ...] = ("127.0.0.1", "localhost")
    plain_port: int | None = None
    database: Annotated[str, Field(repr=False)] = "sqlite://"
    rules: Rules = Rules()

    tokens: Literal["jwt", "opaque"] = "jwt"
    secret: Annotated[SecretStr, Field(min_length=32)] | None = None
    access_ttl_s: Seconds = 900
    absolute_timeout_s: Seconds = 7 * 86400
    idle_timeout_s: Seconds | None = None
    stateless_access: bool = False
    refresh: Literal["on", "off"] = "on"
    rotation_grace_s: Annotated[int, Field(ge=0, le=300)] = 0

    samesite: Literal["lax", "strict"] = "lax"
    refresh_path: Literal["/auth", "/auth/refresh", "/"] = "/auth"
    cookie_lifetime: Literal["max-age", "expires", "session"] = "max-age"
    csrf: Literal["token", "origin", "custom-header"] = "token"

    login_answer: Literal["200", "204", "303"] = "200"
    login_form_only: bool = False
    basic: bool = False
    errors: Literal["json", "problem"] = "json"
    root_path: Annotated[str, Field(pattern=r"^(/[a-z0-9-]+)*$")] = ""
    cors: Literal["none", "one", "two"] = "one"
    front_origin: Origin | None = None

    argon2: Literal["light", "strong"] = "strong"
    clock_header: bool = False
    alice_password: Password = SecretStr("Alice-correct-horse-1")
    bob_password: Password = SecretStr("Bob-battery-staple-2")
    carol_password: Password = SecretStr("Carol-paper-clip-3")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.stateless_access and self.tokens == "opaque":
            raise ValueError("stateless_access=true needs tokens=jwt: an opaque value means nothing without its row")
        if self.basic and self.architecture is not Architecture.BEARER:
            raise ValueError("basic=true needs --architecture bearer: cookies and HTTP Basic do not mix")
        if self.login_form_only and not self.architecture.takes_cookie:
            raise ValueError("login_form_only=true needs an architecture with cookies")
        return self

    @property
    def host(self) -> str:
        """The name the application is reached by; the first one given that is not an address, when there is one."""
        named = [name for name in self.tls_names if not _is_address(name)]
        return next((name for name in named if "." in name), self.tls_names[0])

    @property
    def site(self) -> str:
        """The registrable domain, taken to be the last two labels of `host`; `localhost` when there is none."""
        return ".".join(self.host.split(".")[-2:]) if self.has_domain else "localhost"

    @property
    def has_domain(self) -> bool:
        """True when the application has a host name below a registrable domain."""
        return not _is_address(self.host) and self.host.count(".") >= 2  # noqa: PLR2004 - host, domain, suffix

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins whose pages may read answers, exactly as a browser writes them."""
        first, second = ("http://127.0.0.1:3000", "http://127.0.0.1:3001")
        if self.tls:
            first, second = (f"https://front.{self.site}", f"https://office.{self.site}")
        origins = (self.front_origin or first, second)
        return origins[: ("none", "one", "two").index(self.cors)]

    @property
    def front(self) -> str:
        """The origin of the front end, also where CORS is off."""
        return self.front_origin or (f"https://front.{self.site}" if self.tls else "http://127.0.0.1:3000")


def read(pairs: dict[str, str], **fixed: Any) -> Settings:
    """Settings from `--set` pairs and from what other options fixed.

    Raises:
        SettingsError: a key nobody knows (with the nearest one) or a value that does not fit.
    """
    known = sorted(set(Settings.model_fields) - PRIVATE)
    for key in pairs:
        if key not in known:
            raise SettingsError(f"unknown setting {key!r}{nearest(key, known)}")
    try:
        return Settings.model_validate({**pairs, **fixed})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "settings"
        raise SettingsError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None


def nearest(name: str, known: list[str]) -> str:
    """A hint naming what was probably meant; empty when nothing is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
