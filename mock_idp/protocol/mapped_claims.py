"""Claims by what the token request says (`mock_idp.records.ClaimMapping`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mock_idp.records import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.token import TokenRequest
    from mock_idp.records import ClaimMapping

VARIABLE = re.compile(r"\$\{([^{}]+)\}")
OF_TOKENS = frozenset({"aud", "azp", "nbf", "jti"})
"""Mapped claims that describe the token, and so have no place in a UserInfo response."""


async def map_claims(flow: TokenRequest) -> None:
    """The first mapping that fits this request settles what all tokens of the grant say."""
    mappings, grant = flow.tenant.settings.claim_mappings, flow.grant
    if not mappings or grant is None:
        return
    values = {"subject": grant.account or "", **flow.params, "client_id": grant.client_id, "clientId": grant.client_id}
    found = next((one for one in mappings if _matches(one, values)), None)
    if found is None or await flow.provider.store.get(flow.tenant.name, Grant, grant.id) is None:
        return  # what was revoked meanwhile stays revoked
    grant.mapped = filled(found.claims, values)
    grant.typ = found.typ
    if isinstance(grant.mapped.get("sub"), str):
        grant.sub = grant.mapped["sub"]
    await flow.provider.keep_grant(flow.tenant, grant)


def _matches(mapping: ClaimMapping, values: Mapping[str, str]) -> bool:
    value = values.get(mapping.parameter)
    if not value:
        return False
    if mapping.match in {"*", value}:
        return True
    try:
        return re.fullmatch(mapping.match, value) is not None
    except re.error:
        return False


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """A claim with ``${name}`` replaced in every text of it; unknown names stay."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    return value
