"""Makes of provider: each a value with its own paths, names and quirks, over the same tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.dialects.base import Dialect
from mock_idp.dialects.oidc import OpenIdConnect

if TYPE_CHECKING:
    from mock_idp.records import DialectName

DIALECTS: dict[DialectName, Dialect] = {dialect.name: dialect for dialect in (OpenIdConnect(),)}

__all__ = ["DIALECTS", "Dialect"]
