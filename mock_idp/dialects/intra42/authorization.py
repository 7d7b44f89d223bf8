"""Authorizing as 42 has it: silently, once it has been allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.dialects.approvals import approved, ask_consent_once, remember_approval
from mock_idp.protocol.authorization.person import ask_consent
from mock_idp.protocol.authorization.request import check_response_mode
from mock_idp.protocol.authorization.response import make_grant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.table import Step
    from mock_idp.wire.http import Answer


async def ask_consent_silently(flow: Authorization) -> Answer | None:
    """A person who has allowed all this before comes back at once, without having seen a page."""
    once = flow.dialect.options_of(flow.tenant.settings).silent_approval
    return await (ask_consent_once(flow) if once else ask_consent(flow))


async def default_scope(flow: Authorization) -> None:
    """Without ``scope`` it is what was allowed before, or ``public``."""
    if not flow.scope:
        flow.scope = await approved(flow) or ["public"]


STEPS: Mapping[Step[Any], tuple[Step[Any], ...]] = {
    check_response_mode: (),
    ask_consent: (ask_consent_silently,),
    make_grant: (default_scope, remember_approval, make_grant),
}
