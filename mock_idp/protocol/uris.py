"""URIs that clients name: what is one, and where it leads."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SCRIPT = ("javascript", "data", "vbscript")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
"""RFC 3986, section 4.3. Browsers read a backslash as a slash, so what is no URI would lead elsewhere than it seems."""


def is_uri(text: str) -> bool:
    """Is it an absolute URI without a fragment?"""
    if not _ABSOLUTE.fullmatch(text):
        return False
    try:
        urlsplit(text)
    except ValueError:  # its brackets hold no address
        return False
    return True


def on_loopback(uri: str) -> bool:
    """Does the URI lead to this machine, by http or https?"""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    return parts.scheme in ("http", "https") and (host in LOOPBACK or host.endswith(".localhost"))


def runs_script(uri: str) -> bool:
    """Would a browser that is sent there run it as script?"""
    return uri.partition(":")[0].lower() in _SCRIPT
