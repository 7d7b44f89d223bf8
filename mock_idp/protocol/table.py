"""Endpoints and documents as ordered tables of steps.

A step is a function of the flow: it reads and changes the flow, refuses by raising `OAuthError`, or ends the walk by
returning an `Answer`. A fault is another function in the place of one step, for one authorization.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from mock_idp.protocol.errors import OAuthError
from mock_idp.wire.http import Answer, Params

if TYPE_CHECKING:
    from mock_idp.dialects import Dialect
    from mock_idp.faults.registry import Bound
    from mock_idp.journal import Entry
    from mock_idp.provider import Provider
    from mock_idp.records import Client, Grant, Leniency, Tenant
    from mock_idp.wire.http import Request


class InFlow(Protocol):
    """What a table walks over: a flow, or a document that a flow makes."""

    @property
    def flow(self) -> Flow:
        """The flow of the request that is answered."""


C = TypeVar("C", bound=InFlow)
Outcome = Answer | None
Step = Callable[[C], Outcome | Awaitable[Outcome]]


@dataclass(slots=True)
class Flow:
    """One request on its way through an endpoint's table.

    Attributes:
        now: the tenant's time, seconds since 1970.
        issuer: of the tenant, as this sender knows it.
        params: of the request; set by the first step.
        bound: faults that this authorization carries, by the step they replace.
        value: of the fault that is striking ("30" of ``token.slow=30``).
        honest: the step that it replaces, as this make of provider has it.

    """

    provider: Provider
    tenant: Tenant
    dialect: Dialect[Any]
    request: Request
    entry: Entry
    now: float
    issuer: str
    rest: str = ""
    """What follows the endpoint's path, for ``/register/{client_id}``."""
    params: Params = field(default_factory=Params)
    client: Client | None = None
    grant: Grant | None = None
    bound: dict[Step[Any], Bound] = field(default_factory=dict)
    value: str = ""
    honest: Step[Any] | None = None

    @property
    def flow(self) -> Flow:
        """Itself."""
        return self

    @property
    def may_lie(self) -> bool:
        """Is any fault bound to this authorization or armed in this tenant?"""
        return bool(self.bound or self.tenant.armed)

    def bind(self, faults: list[str]) -> None:
        """Let the faults of an authorization strike from here on.

        Raises:
            OAuthError: a name is unknown, or two of them replace the same step.

        """
        if faults:
            self.bound.update(self.provider.faults.bind(faults))

    def tolerates(self, leniency: Leniency) -> bool:
        """Is this mistake let pass for this client? The journal says so when it is."""
        if self.client is None or leniency not in self.client.lenient:
            return False
        self.entry.lenient.append(leniency)
        return True

    def use_client(self, client: Client) -> None:
        """From here on the request is that client's."""
        self.client = client
        self.entry.client = client.client_id

    def use_grant(self, grant: Grant) -> None:
        """From here on the request is about that grant, and its faults strike."""
        self.grant = grant
        self.entry.grant, self.entry.account, self.entry.state = grant.id, grant.account, grant.state
        if grant.faults:
            self.bind(grant.faults)


class Table(Generic[C]):
    """Steps in their order.

    Args:
        name: of the endpoint or document; what the journal and faults call it.
        steps: run one after the other until one returns an answer.

    """

    def __init__(self, name: str, *steps: Step[C]) -> None:
        self.name = name
        self._plan = tuple((step, inspect.iscoroutinefunction(step), step) for step in steps)

    @property
    def steps(self) -> tuple[Step[C], ...]:
        """What is run, in its order."""
        return tuple(step for step, _, _ in self._plan)

    def adapted(self, changes: Mapping[Step[C], tuple[Step[C], ...]]) -> Table[C]:
        """This table as one make of provider has it.

        Args:
            changes: what runs in the place of a step, in its order. The first of it plays the step's part: faults that
                replace the shared step replace it too. Where the shared step is still there, it keeps its part.

        """
        table: Table[C] = Table(self.name)
        plan: list[tuple[Step[C], bool, Step[C]]] = []
        for step, waits, part in self._plan:
            own = changes.get(step)
            if own is None:
                plan.append((step, waits, part))
                continue
            player = step if step in own else own[0] if own else None
            plan += [(one, inspect.iscoroutinefunction(one), part if one is player else one) for one in own]
        table._plan = tuple(plan)  # of the same class
        return table

    async def walk(self, context: C) -> Outcome:
        """Run the steps, with the faults of this flow in the places of those they replace."""
        flow = context.flow
        tenant = flow.tenant
        step: Step[C] | None = None
        try:
            for step, waits, part in self._plan:  # named when it refuses
                if flow.bound or tenant.armed:  # `may_lie`, without a call for each step
                    lie = await flow.provider.faults.replacement(context, part)
                    if lie is not None:
                        flow.honest = step
                        outcome = lie(context)
                        outcome = await outcome if inspect.isawaitable(outcome) else outcome
                        if outcome is not None:
                            return cast("Answer", outcome)
                        continue
                outcome = await step(context) if waits else step(context)  # type: ignore[misc]
                if outcome is not None:
                    return cast("Answer", outcome)
        except OAuthError as error:
            if flow.entry.refused is None and step is not None:
                flow.entry.refused = f"{self.name}: {step.__name__}: {error}"
            raise
        return None
