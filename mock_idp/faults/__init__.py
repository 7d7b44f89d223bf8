"""Misbehaviour on demand. A fault is one step of an endpoint or document replaced, for one authorization.

Imported only when somebody asks for a fault.
"""

from mock_idp.faults import authorization, id_token, intra42, logout, metadata, token, transport, userinfo
from mock_idp.faults.registry import FAULTS, Bound, Fault, bind, find, replacement

__all__ = [
    "FAULTS",
    "Bound",
    "Fault",
    "authorization",
    "bind",
    "find",
    "id_token",
    "intra42",
    "logout",
    "metadata",
    "replacement",
    "token",
    "transport",
    "userinfo",
]
