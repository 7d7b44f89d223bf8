"""A mock OAuth 2.0 and OpenID Connect provider: real to real clients, and able to lie.

`start` runs one, in a thread or a process; `connect` works with one that runs. Either gives tenants (`Idp`), each an
issuer of its own. The command is ``authconform idp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_idp.control.client import Control, Idp, IdpError, connect
    from mock_idp.running.options import StartError
    from mock_idp.running.start import Running, start

__all__ = ["Control", "Idp", "IdpError", "Running", "StartError", "connect", "start"]

_HOMES = {
    "Control": "mock_idp.control.client",
    "Idp": "mock_idp.control.client",
    "IdpError": "mock_idp.control.client",
    "connect": "mock_idp.control.client",
    "StartError": "mock_idp.running.options",
    "Running": "mock_idp.running.start",
    "start": "mock_idp.running.start",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: the server itself needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 # next to its only use

    return getattr(import_module(_HOMES[name]), name)
