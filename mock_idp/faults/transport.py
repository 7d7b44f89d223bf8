"""Faults of the connection: what is answered is honest, how it arrives is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.faults.ingredients import UNTIL_GIVEN_UP, honest_answer, seconds
from mock_idp.faults.registry import fault
from mock_idp.protocol import metadata, token, userinfo
from mock_idp.wire.http import Answer, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.protocol.table import Flow, Step

    Change = Callable[[Flow, Answer], Transport]

_CORRECT = "gives up in time, after a bounded number of attempts, and ends cleanly"
_BETWEEN_BYTES = 1.0
_LATE = 30.0


def _reset(_: Flow, __: Answer) -> Transport:
    """The connection to {endpoint} is closed before the first byte of the answer."""
    return Transport(cut=0)


def _cut(_: Flow, answer: Answer) -> Transport:
    """The connection to {endpoint} is closed in the middle of the body."""
    return Transport(cut=max(1, len(answer.body) // 2))


def _drip(flow: Flow, _: Answer) -> Transport:
    """{endpoint} sends one byte of the body a second, or at the interval named."""
    return Transport(drip=seconds(flow, _BETWEEN_BYTES))


def _slow(flow: Flow, _: Answer) -> Transport:
    """{endpoint} answers after 30 seconds, or as many as are named."""
    return Transport(delay=seconds(flow, _LATE))


def _hang(_: Flow, __: Answer) -> Transport:
    """{endpoint} does not answer."""
    return Transport(delay=UNTIL_GIVEN_UP)


_BROKEN = (("reset", _reset, ""), ("cut", _cut, ""), ("drip", _drip, "seconds"))
_LATE_TOO = (*_BROKEN, ("slow", _slow, "seconds"), ("hang", _hang, ""))


def _declare(
    area: str, endpoint: str, step: Step[Any], kinds: tuple[tuple[str, Change, str], ...], *, of_tenant: bool
) -> None:
    for name, transport, takes in kinds:
        sentence = (transport.__doc__ or "").format(endpoint=endpoint)
        declare = fault(f"{area}.{name}", replaces=step, correct=_CORRECT, of_tenant=of_tenant, takes=takes)
        declare(_step(transport, sentence[0].upper() + sentence[1:]))


def _step(transport: Change, sentence: str) -> Step[Any]:
    async def answer(flow: Flow) -> Answer:
        made = await honest_answer(flow)
        made.transport = transport(flow, made)
        return made

    answer.__doc__ = sentence
    return answer


_declare("token", "the token endpoint", token.send, _BROKEN, of_tenant=False)
_declare("userinfo", "UserInfo", userinfo.send, _BROKEN, of_tenant=False)
_declare("discovery", "discovery", metadata.send_metadata, _LATE_TOO, of_tenant=True)
_declare("jwks", "the JWKS", metadata.send_keys, _LATE_TOO, of_tenant=True)
