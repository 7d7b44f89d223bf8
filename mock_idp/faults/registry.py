"""What a fault is, and how it comes to strike."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mock_idp.protocol.errors import OAuthError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mock_idp.protocol.table import Flow, InFlow, Step
    from mock_idp.records import Armed, Tenant

S = TypeVar("S", bound="Callable[..., Any]")

MOST_SECONDS = 3600
"""The longest wait that a fault may be told to make."""

FAULTS: dict[str, Fault] = {}
"""Every fault by its name, in the order of the catalogue."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A named misbehaviour: one step replaced.

    Attributes:
        name: area and deed, such as ``id-token.aud-wrong``.
        sentence: what the provider does.
        replaces: the honest step.
        step: what runs in its place.
        correct: what a correct client does.
        positive: a correct client survives it; refusing it is a mistake.
        of_tenant: it belongs to a whole tenant (metadata, keys), not to one authorization.
        takes: what its value is ("seconds"), and "" where it takes none.
        when: whether it strikes what is being made; where it does not, the honest step runs.

    """

    name: str
    sentence: str
    replaces: Step[Any]
    step: Step[Any]
    correct: str
    positive: bool
    of_tenant: bool
    takes: str
    when: Callable[[Any], bool] | None = None


class Bound(NamedTuple):
    """A fault and the value it was bound with."""

    fault: Fault
    value: str


def fault(  # noqa: PLR0913 # they are the columns of the list of faults
    name: str,
    *,
    replaces: Step[Any],
    correct: str,
    positive: bool = False,
    of_tenant: bool = False,
    takes: str = "",
    when: Callable[[Any], bool] | None = None,
) -> Callable[[S], S]:
    """Declare the function below a fault; its docstring is the sentence."""

    def declare(step: S) -> S:
        if name in FAULTS:
            raise ValueError(f"two faults are named {name}")
        sentence = (step.__doc__ or "").strip().partition("\n")[0]
        FAULTS[name] = Fault(name, sentence, replaces, step, correct, positive, of_tenant, takes, when)
        return step

    return declare


def find(text: str) -> Bound:
    """The fault that ``name`` or ``name=value`` names.

    Raises:
        OAuthError: there is none; the nearest one is named.

    """
    name, _, value = text.partition("=")
    found = FAULTS.get(name)
    if found is None:
        near = difflib.get_close_matches(name, FAULTS, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else "; `authconform idp --faults` lists them"
        raise OAuthError("invalid_request", f"no fault is named {name[:80]!r}{hint}")
    if value and not found.takes:
        raise OAuthError("invalid_request", f"the fault {name} takes no value")
    if value and found.takes == "seconds" and not _is_seconds(value):
        raise OAuthError(
            "invalid_request", f"the fault {name} takes seconds, from 0 to {MOST_SECONDS}, not {value[:40]!r}"
        )
    return Bound(found, value)


def _is_seconds(value: str) -> bool:
    try:
        return 0 <= float(value) <= MOST_SECONDS
    except ValueError:
        return False


def bind(texts: Iterable[str]) -> dict[Step[Any], Bound]:
    """Faults by the step they replace.

    Raises:
        OAuthError: one is unknown, or belongs to a whole tenant, or two replace the same step.

    """
    bound: dict[Step[Any], Bound] = {}
    for text in texts:
        found = find(text)
        if found.fault.of_tenant:
            raise OAuthError(
                "invalid_request",
                f"the fault {found.fault.name} belongs to a tenant: arm it on the dashboard or by the control API",
            )
        other = bound.get(found.fault.replaces)
        if other is not None and other.fault is not found.fault:
            raise OAuthError(
                "invalid_request",
                f"the faults {other.fault.name} and {found.fault.name} replace the same step; use one of them",
            )
        bound[found.fault.replaces] = found
    return bound


async def replacement(context: InFlow, step: Step[Any]) -> Step[Any] | None:
    """What runs in the place of `step` for what is being made, if anything."""
    flow = context.flow
    found = flow.bound.get(step)
    if found is None:
        found = await _armed(context, step)
    if found is None or not _applies(found.fault, context):
        return None
    flow.value = found.value
    flow.entry.faults.append(found.fault.name)
    return found.fault.step


def _applies(fault: Fault, context: InFlow) -> bool:
    return fault.when is None or fault.when(context)


async def _armed(context: InFlow, step: Step[Any]) -> Bound | None:
    flow = context.flow
    for armed in flow.tenant.armed:
        bound = find(armed.fault)
        if bound.fault.replaces is not step or not _applies(bound.fault, context):
            continue
        if _matches(flow, armed) and await _strikes(flow, armed.id):
            return bound
    return None


ON_PAGES = {"sign-in": "authorization", "consent": "authorization"}
"""Endpoints of pages on which an authorization request is answered, so that either name matches."""


def _matches(flow: Flow, armed: Armed) -> bool:
    match = armed.match
    return (
        match.endpoint in (None, flow.entry.endpoint, ON_PAGES.get(flow.entry.endpoint))
        and match.client in (None, flow.entry.client)
        and match.account in (None, flow.entry.account)
        and match.grant in (None, flow.entry.grant, flow.params.get("grant_type"))
        and match.state in (None, flow.entry.state)
    )


async def _strikes(flow: Flow, armed_id: str) -> bool:
    """Count this request; True where it is one that the fault is armed for. Atomic over all processes."""

    def count(tenant: Tenant) -> bool:
        armed = next((armed for armed in tenant.armed if armed.id == armed_id), None)
        if armed is None:
            return False
        armed.seen += 1
        if armed.match.nth is not None:
            strikes, done = armed.seen == armed.match.nth, armed.seen >= armed.match.nth
        else:
            strikes, done = True, armed.times is not None and armed.seen >= armed.times
        if done:
            tenant.armed.remove(armed)
        return strikes

    return await flow.provider.store.change(flow.tenant.name, count)
