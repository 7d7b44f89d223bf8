"""Where a specification can be read."""

from __future__ import annotations

import re

_RFC = re.compile(r"RFC (\d+)")
_SECTION = re.compile(r"sections? ([A-Z0-9][\w.]*\w|[A-Z0-9])")
_OPENID = {
    "OpenID Connect Core 1.0": "openid-connect-core-1_0.html",
    "OpenID Connect Discovery 1.0": "openid-connect-discovery-1_0.html",
    "OpenID Connect RP-Initiated Logout 1.0": "openid-connect-rpinitiated-1_0.html",
    "OpenID Connect Back-Channel Logout 1.0": "openid-connect-backchannel-1_0.html",
    "OpenID Connect Front-Channel Logout 1.0": "openid-connect-frontchannel-1_0.html",
    "OAuth 2.0 Multiple Response Type Encoding Practices": "oauth-v2-multiple-response-types-1_0.html",
    "OAuth 2.0 Form Post Response Mode": "oauth-v2-form-post-response-mode-1_0.html",
}


def link_to(source: str) -> str | None:
    """The address of a source such as ``RFC 6749, section 4.1.2.1``; None where it is none that is known."""
    section = _SECTION.search(source)
    rfc = _RFC.match(source)
    if rfc:
        anchor = f"#section-{section[1]}" if section else ""
        return f"https://www.rfc-editor.org/rfc/rfc{rfc[1]}{anchor}"
    page = next((page for name, page in _OPENID.items() if source.startswith(name)), None)
    if page is None:
        return None
    anchor = f"#rfc.section.{section[1]}" if section else ""
    return f"https://openid.net/specs/{page}{anchor}"
