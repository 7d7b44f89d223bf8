"""The API: ``/v2/me``, ``/v2/users/{id or login}``, ``/oauth/token/info``, and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mock_idp.dialects.avatars import home
from mock_idp.dialects.identity import as_number, login_of
from mock_idp.dialects.intra42 import profile
from mock_idp.dialects.limits import HOUR, Count, count
from mock_idp.protocol import userinfo
from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.userinfo import UserInfo
from mock_idp.wire.http import Answer, Params, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.table import Step


_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_JSON = (b"content-type", b"application/json; charset=utf-8")


@dataclass(slots=True)
class ApiRequest(UserInfo):
    """A request to the API.

    Attributes:
        secondly: how the limit of this second stands.
        hourly: how that of this hour stands.

    """

    secondly: Count | None = None
    hourly: Count | None = None


# --- steps ------------------------------------------------------------------------------------------------------------


def require_user_agent(flow: ApiRequest) -> Answer | None:
    """Whoever does not say what it is gets 403, and no word why."""
    if flow.request.header(b"user-agent"):
        return None
    flow.entry.refused = "no User-Agent was sent"
    return Answer(_FORBIDDEN, [(b"content-type", b"text/plain; charset=utf-8")])


def read_access_token(flow: ApiRequest) -> None:
    """In the Authorization header, or as ``access_token`` in the URL, which 42 documents and RFC 6750 warns of."""
    if flow.request.header(b"authorization") is None:
        flow.bearer = Params.parse(flow.request.query).get("access_token")
        if flow.bearer is not None:
            flow.entry.notes.append("access-token-in-url")
            return
    userinfo.read_access_token(flow)


async def check_rate(flow: ApiRequest) -> Answer | None:
    """So many requests a second, and so many an hour, by client. Counted always, refused where the tenant wants it."""
    assert flow.grant is not None  # noqa: S101 # the step before found it
    options, client_id = flow.dialect.options_of(flow.tenant.settings), flow.grant.client_id
    flow.secondly = await count(flow, client_id, options.secondly_limit, 1)
    flow.hourly = await count(flow, client_id, options.hourly_limit, HOUR)
    if options.limited and (flow.secondly.exceeded or flow.hourly.exceeded):
        return too_many_requests(flow)
    return None


def too_many_requests(flow: ApiRequest) -> Answer:
    """429 in plain text, which breaks clients that expect JSON of every error."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_headers(flow)]
    if flow.dialect.options_of(flow.tenant.settings).retry_after:
        resets_at = flow.hourly.resets_at if flow.hourly and flow.hourly.exceeded else flow.now + 1
        headers.append((b"retry-after", b"%d" % max(1, round(resets_at - flow.now))))
    flow.entry.refused = "rate limit exceeded"
    return Answer(_TOO_MANY, headers, b"429 Too Many Requests (Spam Rate Limit Exceeded)\n")


def require_person(flow: ApiRequest) -> None:
    """A client's own token stands for nobody: 404 and ``{}``."""
    assert flow.grant is not None  # noqa: S101 # the step before found it
    if flow.grant.account is None:
        raise OAuthError("not_found", "the token stands for a client, not for a person", status=_NOT_FOUND)


def find_named_user(flow: ApiRequest) -> None:
    """By id or login, whoever's token it is."""
    wanted = flow.rest
    for account in flow.tenant.accounts.values():
        if wanted in {str(profile.id_of(account)), login_of(account)}:
            flow.account = account
            return
    raise OAuthError("not_found", "there is nobody of that id or login", status=_NOT_FOUND)


def name_user(flow: ApiRequest) -> None:
    """``id`` of the person asked for."""
    assert flow.account is not None  # noqa: S101 # the step before found it
    flow.profile["id"] = profile.id_of(flow.account)


def add_addresses(flow: ApiRequest) -> None:
    """``url`` and ``image``, both in this mock."""
    root, login = home(flow), quote(str(flow.profile.get("login", "")))
    picture = f"{root}/avatars/{login}"
    versions = {size: f"{root}/avatars/{size}/{login}" for size in ("large", "medium", "small", "micro")}
    flow.profile.setdefault("url", f"{root}/v2/users/{login}")
    flow.profile.setdefault("image", {"link": picture, "versions": versions})


def describe_token(flow: ApiRequest) -> None:
    """Whose token it is (null of a client's own), what it may do, and how long it lives."""
    token, grant = flow.token, flow.grant
    assert token is not None and grant is not None  # noqa: S101, PT018 # the step before found them
    flow.profile = {
        "resource_owner_id": as_number(grant.sub) if grant.account is not None else None,
        "scopes": token.scope,
        "expires_in_seconds": int(token.expires_at - flow.now),
        "application": {"uid": grant.client_id},
        "created_at": int(token.issued_at),
    }


def send(flow: ApiRequest) -> Answer:
    """JSON, with headers that tell the limits and the application."""
    caching = (b"cache-control", b"max-age=0, private, must-revalidate")
    return Answer(200, [_JSON, caching, *_headers(flow)], json_bytes(flow.profile))


# --- answers ----------------------------------------------------------------------------------------------------------


def _headers(flow: ApiRequest) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    for window, counted in ((b"secondly", flow.secondly), (b"hourly", flow.hourly)):
        if counted is not None:
            headers.append((b"x-%s-ratelimit-limit" % window, b"%d" % counted.limit))
            headers.append((b"x-%s-ratelimit-remaining" % window, b"%d" % counted.remaining))
    if flow.grant is not None:
        client = flow.tenant.clients.get(flow.grant.client_id)
        name = (client.name if client else "") or flow.grant.client_id
        headers.append((b"x-application-name", quote(name, safe=" ").encode()))
        headers.append((b"x-application-roles", b"None"))
    return headers


def refuse(flow: ApiRequest, error: OAuthError) -> Answer:
    """401 with a challenge, or 404 with an empty object."""
    headers = [_JSON, (b"cache-control", b"no-store"), *_headers(flow)]
    if error.status == _NOT_FOUND:
        return Answer(_NOT_FOUND, headers, b"{}")
    if error.status == _UNAUTHORIZED:
        challenge = b'Bearer realm="42 API", error="invalid_token", error_description="The access token is invalid"'
        headers.append((b"www-authenticate", challenge))
        return Answer(_UNAUTHORIZED, headers, json_bytes(_message("Not authorized", "The access token is invalid")))
    return Answer(error.status, headers, json_bytes(_message(error.error, error.description)))


def _message(error: str, message: str) -> dict[str, str]:
    return {"error": error, "message": message}


_TOKEN: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    userinfo.read_access_token: (read_access_token, require_user_agent)
}
_LIMITED: Mapping[Step[Any], tuple[Step[Any], ...]] = {**_TOKEN, userinfo.find_token: (userinfo.find_token, check_rate)}

ME: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    **_LIMITED,
    userinfo.find_account: (require_person, userinfo.find_account),
    userinfo.claims: (userinfo.claims, add_addresses),
    userinfo.send: (send,),
}
USERS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    **_LIMITED,
    userinfo.find_account: (find_named_user,),
    userinfo.subject: (name_user,),
    userinfo.claims: (userinfo.claims, add_addresses),
    userinfo.send: (send,),
}
TOKEN_INFO: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    **_TOKEN,
    userinfo.find_account: (),
    userinfo.subject: (),
    userinfo.claims: (describe_token,),
    userinfo.email: (),
    userinfo.send: (send,),
}
