"""Misbehaviour on demand. A fault is one step of an endpoint or document replaced, for one authorization.

Imported only when somebody asks for a fault.
"""

from mock_idp.faults import id_token, token
from mock_idp.faults.registry import FAULTS, Bound, Fault, bind, find, replacement

__all__ = ["FAULTS", "Bound", "Fault", "bind", "find", "id_token", "replacement", "token"]
