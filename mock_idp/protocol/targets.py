"""What is asked for: scopes (RFC 6749, section 3.3), and the resources they are for (RFC 8707)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.uris import is_uri

if TYPE_CHECKING:
    from mock_idp.protocol.table import Flow

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def read_scope(flow: Flow) -> list[str]:
    """The values of ``scope``, each once.

    Raises:
        OAuthError: it holds characters that no scope has, or the tenant is strict and does not know a value.

    """
    asked = list(dict.fromkeys(flow.params.get("scope", "").split(" ")))
    scope = [value for value in asked if value]
    known = flow.dialect.scopes(flow.tenant.settings) if flow.tenant.settings.strict else None
    for value in scope:
        if not _SCOPE_TOKEN.fullmatch(value):
            raise OAuthError(
                "invalid_scope", f"scope {value[:80]!r} holds a character it may not", "RFC 6749, section 3.3"
            )
        if known is not None and value not in known:
            raise OAuthError("invalid_scope", f"there is no scope {value[:80]!r} here", "RFC 6749, section 3.3")
    return scope


def read_resources(flow: Flow) -> list[str]:
    """The values of ``resource``: absolute URIs without a fragment.

    Raises:
        OAuthError: one is something else, or the tenant does not know it.

    """
    resources = flow.params.every("resource")
    if resources:
        check_resources(flow, resources)
    return resources


def check_resources(flow: Flow, resources: list[str]) -> None:
    """Absolute URIs without a fragment (RFC 8707, section 2), and where the tenant lists its resources, one of those.

    Raises:
        OAuthError: one is something else.

    """
    known = flow.tenant.settings.resources
    for resource in resources:
        if not is_uri(resource):
            raise OAuthError(
                "invalid_target",
                f"resource {resource[:200]!r} is not an absolute URI without a fragment",
                "RFC 8707, section 2",
            )
        if known and resource not in known:
            raise OAuthError("invalid_target", f"there is no resource {resource[:200]!r} here", "RFC 8707, section 2")
