"""Trying writes: that the honest one works, and what came of the forged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.verdict import Inconclusive, NotApplicable
from suites.acts.forgery import Forged, write_section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.user_agent import Answer

F = TypeVar("F", bound=Forged)


def honest_write(flows: Flows, login: Login) -> None:
    """The positive control: the front end's own write takes effect, and the user sees it.

    Raises:
        Inconclusive: it does not, so that refusals of forged ones prove nothing.
        NotApplicable: the user may not look; that is another requirement's finding.

    """
    marker, answer = flows.write(login)
    shown, view = flows.shows(login, marker)
    if shown:
        return
    section = write_section(flows)
    if answer.status < 300 and view.status in {401, 403}:
        owner = "judged by transport.declared-channel-works"
        raise NotApplicable(f"{section.check} refuses the signed-in user, so that no effect could be seen; {owner}")
    raise Inconclusive(
        f"the user's own write took no visible effect: {section.method} {section.path} answered {answer.status}, "
        f"{section.check} {view.status} without its marker; check [write] and [csrf]",
        answer,
        view,
        cause="the declared write has no visible effect",
    )


def carry_out(flows: Flows, user: Login, attempts: Callable[[], Iterator[F]]) -> tuple[list[F], Answer]:
    """Make all attempts; with what the user sees afterwards.

    Some applications end the session when they meet a forgery; then each attempt is made again in a fresh one, since
    what came after the first had nothing to steal.
    """
    tried = list(attempts())
    view = flows.shows(user, "")[1]
    if view.status >= 300:
        tried = []
        _renew(flows, user)
        for forged in attempts():
            tried.append(forged)
            _renew(flows, user)
        view = flows.shows(user, "")[1]
    return tried, view


def _renew(flows: Flows, user: Login) -> None:
    fresh = flows.log_in(user.account, agent=user.agent)
    user.access_token, user.refresh_token = fresh.access_token, fresh.refresh_token
