"""What an authorization request gathers on its way to its response."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.table import Flow

if TYPE_CHECKING:
    from mock_idp.records import Account, Pending, Session


@dataclass(slots=True)
class Authorization(Flow):
    """An authorization request on its way to its response.

    Attributes:
        redirect_uri: set once it is trusted; until then refusals are shown, not redirected.
        redirect_uri_sent: as the request had it, which the token request has to repeat.
        state: as it was sent, still encoded.
        pushed: the parameters were pushed (RFC 9126).
        response_type: its words sorted, so that their order does not matter.
        claims: the parsed ``claims`` request (OpenID Connect Core 1.0, section 5.5).
        max_age: seconds that the last sign-in may be ago; None where any will do.
        acr_values: the classes asked for, best first.
        subject: who has to be signed in: that of ``id_token_hint``, or asked for by ``claims``.
        waiting: what was kept while a page was shown.
        pending: the id under which it was kept.
        response: parameters of the authorization response, encoded values.
        cookies: ``Set-Cookie`` lines.

    """

    redirect_uri: str | None = None
    redirect_uri_sent: str | None = None
    state: bytes | None = None
    pushed: bool = False
    response_type: str = "code"
    response_mode: str = "query"
    scope: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    prompt: list[str] = field(default_factory=list)
    max_age: int | None = None
    acr_values: list[str] = field(default_factory=list)
    subject: str | None = None
    fault_names: list[str] = field(default_factory=list)
    account: Account | None = None
    session: Session | None = None
    code: str | None = None
    access_token: str | None = None
    waiting: Pending | None = None
    pending: str | None = None
    response: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
