"""Bodies other than forms, which some makes read at their token endpoints though RFC 6749 knows forms only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_idp.protocol.client_authentication import read_form
from mock_idp.protocol.errors import OAuthError
from mock_idp.wire.http import Params

if TYPE_CHECKING:
    from mock_idp.protocol.client_authentication import ClientRequest
    from mock_idp.wire.http import Request


def read_form_or_json(flow: ClientRequest) -> None:
    """A form, or a JSON object of texts."""
    if flow.request.media_type != "application/json":
        return read_form(flow)
    flow.params = Params((name, str(value)) for name, value in json_object(flow.request).items() if value is not None)
    return None


def read_any_body(flow: ClientRequest) -> None:
    """A form, a JSON object of texts, or multipart/form-data, as ``curl -F`` sends it."""
    if flow.request.media_type != "multipart/form-data":
        return read_form_or_json(flow)
    flow.params = Params(_parts(flow.request))
    return None


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        OAuthError: it is none.

    """
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise OAuthError("invalid_request", "the body is not a JSON object")
    return document


def _parts(request: Request) -> list[tuple[str, str]]:
    from email import policy  # noqa: PLC0415 # a fiftieth of a second for the few that send this
    from email.parser import BytesParser  # noqa: PLC0415 # as above

    head = f"Content-Type: {request.header(b'content-type')}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + request.body)
    if not message.is_multipart():
        raise OAuthError("invalid_request", "the body is not multipart/form-data", "RFC 7578")
    return [
        (str(part.get_param("name", "", "content-disposition")), _text(part.get_payload(decode=True)))
        for part in message.iter_parts()
    ]


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
