"""Faults of the connection: what is answered is honest, how it arrives is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.faults.ingredients import honest_answer, seconds
from mock_idp.faults.registry import fault
from mock_idp.protocol import metadata, token, userinfo
from mock_idp.wire.http import Answer, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.protocol.table import Flow, Step

_CORRECT = "gives up in time, after a bounded number of attempts, and ends cleanly"
_BETWEEN_BYTES = 1.0


def _reset(_: Flow, __: Answer) -> Transport:
    """The connection to {endpoint} is closed before the first byte of the answer."""
    return Transport(cut=0)


def _cut(_: Flow, answer: Answer) -> Transport:
    """The connection to {endpoint} is closed in the middle of the body."""
    return Transport(cut=max(1, len(answer.body) // 2))


def _drip(flow: Flow, _: Answer) -> Transport:
    """{endpoint} sends one byte of the body a second, or at the interval named."""
    return Transport(drip=seconds(flow, _BETWEEN_BYTES))


_AREAS: tuple[tuple[str, str, Step[Any], bool], ...] = (
    ("token", "the token endpoint", token.send, False),
    ("userinfo", "UserInfo", userinfo.send, False),
    ("discovery", "discovery", metadata.send_metadata, True),
    ("jwks", "the JWKS", metadata.send_keys, True),
)


def _declare(area: str, endpoint: str, step: Step[Any], *, of_tenant: bool) -> None:
    for name, transport, takes in (("reset", _reset, ""), ("cut", _cut, ""), ("drip", _drip, "seconds")):
        sentence = (transport.__doc__ or "").format(endpoint=endpoint)
        declare = fault(f"{area}.{name}", replaces=step, correct=_CORRECT, of_tenant=of_tenant, takes=takes)
        declare(_step(transport, sentence[0].upper() + sentence[1:]))


def _step(transport: Callable[[Flow, Answer], Transport], sentence: str) -> Step[Any]:
    async def answer(flow: Flow) -> Answer:
        made = await honest_answer(flow)
        made.transport = transport(flow, made)
        return made

    answer.__doc__ = sentence
    return answer


for _area, _endpoint, _replaced, _of_tenant in _AREAS:
    _declare(_area, _endpoint, _replaced, of_tenant=_of_tenant)
