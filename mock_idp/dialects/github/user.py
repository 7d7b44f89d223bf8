"""People as GitHub's REST API shows them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mock_idp.accounts import claims_of
from mock_idp.dialects.avatars import home
from mock_idp.dialects.identity import login_of, number_of, verified
from mock_idp.dialects.limits import HOUR, Count, count
from mock_idp.protocol import userinfo
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.userinfo import UserInfo
from mock_idp.wire.http import NO_STORE, Answer, json_answer, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mock_idp.protocol.table import Step
    from mock_idp.records import Account

_SINCE = "2008-01-14T04:33:35Z"
_NO_USER_AGENT = (
    b"Request forbidden by administrative rules. Please make sure your request has a User-Agent header "
    b"(https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent).\n"
)
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_OWN = frozenset({"id", "login", "emails", "email", "email_verified", "preferred_username", "name"})
"""Claims that GitHub says in its own way, or not at all."""


def id_of(account: Account) -> int:
    """The numeric id, which stays when the login changes."""
    return number_of(account, 100_000_000, 199_999_999)


def node_id(number: int) -> str:
    """The global id of GraphQL: ``U_``, and a MessagePack array of 0 and the id."""
    return "U_" + base64.urlsafe_b64encode(b"\x92\x00\xce" + (number % 2**32).to_bytes(4, "big")).rstrip(b"=").decode()


def emails_of(account: Account) -> list[dict[str, Any]]:
    """Every address: the claim ``emails``, else one that follows from ``email`` and is private where that is null."""
    configured = account.claims.get("emails")
    if isinstance(configured, list):
        return [
            {"primary": False, "verified": False, "visibility": None, **entry}
            for entry in configured
            if isinstance(entry, dict)
        ]
    known = claims_of(account)
    address = known["email"]
    return [
        {
            "email": address or f"{login_of(account)}@example.test",
            "primary": True,
            "verified": verified(known),
            "visibility": "private" if address is None else "public",
        }
    ]


def public_email(account: Account) -> str | None:
    """The address that the profile shows: null unless the person has made it public."""
    return next((str(entry["email"]) for entry in emails_of(account) if entry["visibility"] == "public"), None)


def profile(account: Account, scope: Iterable[str]) -> dict[str, Any]:
    """Everything but the id and the addresses of a profile.

    Args:
        account: of whom.
        scope: what was granted.

    """
    known = claims_of(account)
    return {
        "login": login_of(account),
        "node_id": node_id(id_of(account)),
        "gravatar_id": "",
        "type": "User",
        "user_view_type": "private" if {"user", "read:user"} & {*scope} else "public",
        "site_admin": False,
        "name": known["name"],
        "company": None,
        "blog": "",
        "location": None,
        "email": public_email(account),
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "notification_email": public_email(account),
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        **(_private() if {"user", "read:user"} & {*scope} else {}),
        **{name: value for name, value in account.claims.items() if name not in _OWN},
    }


def _private() -> dict[str, Any]:
    return {
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
        "plan": {"name": "free", "space": 976_562_499, "collaborators": 0, "private_repos": 10_000},
    }


# --- requests ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class UserRequest(UserInfo):
    """A request to the REST API.

    Attributes:
        counted: how the rate limit stands.
        accepted: scopes that allow it; any one of them does.

    """

    counted: Count | None = None
    accepted: tuple[str, ...] = ()


def require_user_agent(flow: UserRequest) -> Answer | None:
    """Whoever does not say what it is gets 403."""
    if flow.request.header(b"user-agent"):
        return None
    flow.entry.refused = "no User-Agent was sent"
    return Answer(_FORBIDDEN, [(b"content-type", b"text/plain; charset=utf-8")], _NO_USER_AGENT)


async def limit_rate(flow: UserRequest) -> None:
    """So many requests an hour and person."""
    assert flow.grant is not None  # noqa: S101 # the step before found it
    limit = flow.dialect.options_of(flow.tenant.settings).rate_limit
    flow.counted = await count(flow, flow.grant.account or flow.grant.client_id, limit, HOUR)
    if flow.counted.exceeded:
        raise OAuthError("rate_limited", f"API rate limit exceeded for user ID {flow.grant.sub}.", status=_FORBIDDEN)


def add_addresses(flow: UserRequest) -> None:
    """Where everything of this person is: all of it in this mock, though there is only the picture."""
    web, login = home(flow), quote(str(flow.profile.get("login", "")))
    own = f"{web}/users/{login}"
    flow.profile = {
        **flow.profile,
        "avatar_url": f"{web}/avatars/{login}",
        "url": own,
        "html_url": f"{web}/{login}",
        "followers_url": f"{own}/followers",
        "following_url": f"{own}/following{{/other_user}}",
        "gists_url": f"{own}/gists{{/gist_id}}",
        "starred_url": f"{own}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{own}/subscriptions",
        "organizations_url": f"{own}/orgs",
        "repos_url": f"{own}/repos",
        "events_url": f"{own}/events{{/privacy}}",
        "received_events_url": f"{own}/received_events",
    }


def send_user(flow: UserRequest) -> Answer:
    """The profile. Whether its address is verified, `/user/emails` says."""
    flow.profile.pop("email_verified", None)
    return _send(flow, flow.profile)


# --- e-mail addresses -------------------------------------------------------------------------------------------------


def require_email_scope(flow: UserRequest) -> None:
    """``user:email``, or ``user``, which includes it. Without it the addresses do not exist: 404, not 403."""
    flow.accepted = ("user", "user:email")
    assert flow.token is not None  # noqa: S101 # the step before found it
    if not {*flow.accepted} & {*flow.token.scope}:
        raise OAuthError("insufficient_scope", "Not Found", status=_NOT_FOUND)


def primary_address(flow: UserRequest) -> None:
    """The one that counts, as UserInfo says it."""
    assert flow.account is not None  # noqa: S101 # the step before found it
    for entry in emails_of(flow.account):
        if entry["primary"]:
            flow.profile = {"email": entry["email"], "email_verified": entry["verified"]}


def send_emails(flow: UserRequest) -> Answer:
    """Every address with ``primary``, ``verified`` and ``visibility``."""
    assert flow.account is not None  # noqa: S101 # the step before found it
    entries = emails_of(flow.account)
    for entry in entries:
        if entry["primary"]:
            entry.update(email=flow.profile.get("email"), verified=flow.profile.get("email_verified"))
    return _send(flow, [entry for entry in entries if entry["email"] is not None])


# --- answers ----------------------------------------------------------------------------------------------------------


def _send(flow: UserRequest, document: Any) -> Answer:
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"private, max-age=0")]
    return Answer(200, [*headers, *_headers(flow)], json_bytes(document))


def _headers(flow: UserRequest) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-github-media-type", b"github.v3; format=json")]
    if flow.token is not None:
        headers.append((b"x-oauth-scopes", ", ".join(flow.token.scope).encode("latin-1", "replace")))
        headers.append((b"x-accepted-oauth-scopes", ", ".join(flow.accepted).encode()))
    if flow.counted is not None:
        headers += [
            (b"x-ratelimit-limit", b"%d" % flow.counted.limit),
            (b"x-ratelimit-remaining", b"%d" % flow.counted.remaining),
            (b"x-ratelimit-reset", b"%d" % flow.counted.resets_at),
            (b"x-ratelimit-used", b"%d" % min(flow.counted.used, flow.counted.limit)),
            (b"x-ratelimit-resource", b"core"),
        ]
    return headers


def refuse(flow: UserRequest, error: OAuthError) -> Answer:
    """A message, the page that explains it, and the status as text."""
    return message(error.status, _sentence(flow, error), _headers(flow))


def _sentence(flow: UserRequest, error: OAuthError) -> str:
    if error.status != _UNAUTHORIZED:
        return error.description
    return "Bad credentials" if flow.bearer else "Requires authentication"


def message(status: int, sentence: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """A refusal of the REST API."""
    document = {"message": sentence, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return json_answer(status, document, [*NO_STORE, *headers])


_LIMITED: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    userinfo.read_access_token: (require_user_agent, userinfo.read_access_token),
    userinfo.find_token: (userinfo.find_token, limit_rate),
}

USER: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    **_LIMITED,
    userinfo.claims: (userinfo.claims, add_addresses),
    userinfo.send: (send_user,),
}
EMAILS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    **_LIMITED,
    userinfo.check_scope: (userinfo.check_scope, require_email_scope),
    userinfo.subject: (),
    userinfo.claims: (primary_address,),
    userinfo.send: (send_emails,),
}
