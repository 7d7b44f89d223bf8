"""The shared endpoints, as one make of provider has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_idp.dialects.oidc import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.endpoint import Endpoint
    from mock_idp.protocol.table import Step

PAGES = ("sign-in", "consent")
"""Where the pages' forms are sent; every make has them under these paths."""


def adapted(endpoint: Endpoint, changes: Mapping[Step[Any], tuple[Step[Any], ...]], **members: Any) -> Endpoint:
    """The endpoint with some steps changed (see `mock_idp.protocol.table.Table.adapted`).

    Args:
        endpoint: as everybody has it.
        changes: each is a step of this endpoint.
        members: of the endpoint that differ besides (`flow`, `refuse`, `methods`).

    Raises:
        LookupError: a changed step is not one of the endpoint's.

    """
    unknown = changes.keys() - {*endpoint.table.steps}
    if unknown:
        names = ", ".join(step.__name__ for step in unknown)
        raise LookupError(f"the endpoint {endpoint.table.name} has no step {names}")
    return replace(endpoint, table=endpoint.table.adapted(changes), **members)


def front_channel(path: str, changes: Mapping[Step[Any], tuple[Step[Any], ...]]) -> dict[str, Endpoint]:
    """The authorization endpoint and its pages' forms.

    Args:
        path: of the authorization endpoint.
        changes: steps that this make has its own of; each is a step of the authorization endpoint.

    """
    forms = {name: replace(ROUTES[name], table=ROUTES[name].table.adapted(changes)) for name in PAGES if name in ROUTES}
    return {path: adapted(ROUTES["authorize"], changes), **forms}
