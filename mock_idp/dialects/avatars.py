"""Pictures of people, drawn here, so that an application under test loads nothing from elsewhere."""

from __future__ import annotations

from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from mock_idp.protocol.endpoint import Endpoint
from mock_idp.protocol.table import Flow, Table
from mock_idp.wire.http import Answer, json_answer

if TYPE_CHECKING:
    from mock_idp.protocol.errors import OAuthError


def home(flow: Flow) -> str:
    """Where the tenant is, whatever it calls itself as an issuer: the beginning of a profile's addresses."""
    return f"{flow.provider.addresses.public or flow.request.base}/{quote(flow.tenant.name, safe='/')}"


def draw(flow: Flow) -> Answer:
    """The first letter of whatever is named, on a colour that follows from it."""
    name = flow.rest.rpartition("/")[2] or "?"
    hue = sha256(name.encode("utf-8", "replace")).digest()[0] * 360 // 256
    letter = escape(name[0].upper())
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="256" height="256">'
        f'<rect width="64" height="64" fill="hsl({hue} 55% 40%)"/>'
        '<text x="32" y="44" font-family="sans-serif" font-size="34" text-anchor="middle" fill="#fff">'
        f"{letter}</text></svg>"
    )
    headers = [
        (b"content-type", b"image/svg+xml"),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"cache-control", b"max-age=3600"),
    ]
    return Answer(200, headers, picture.encode("utf-8", "replace"))


def refuse(_: Flow, error: OAuthError) -> Answer:
    """Nothing of this can be refused but by a fault."""
    return json_answer(error.status, {"error": error.error, "error_description": error.description})


ENDPOINT = Endpoint(Table("avatar", draw), Flow, refuse, ("GET",))
