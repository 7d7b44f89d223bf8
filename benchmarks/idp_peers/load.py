"""The load: many browsers at once, each with one kept-alive connection, driven without tasks, futures or locks.

What one visitor does is a generator that yields requests (bytes) and is sent answers; the protocol object of a
connection plays it through, again and again. Python's usual HTTP clients end far below what the fastest servers give.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import cast

import uvloop

WARM_UP = 1 / 3
"""Share of a phase's seconds that is played before the clock counts."""
PATIENCE = 15.0
"""Seconds that a phase may overrun before it is given up."""


class Trouble(Exception):  # noqa: N818 - not a fault of the program, but a visit that went wrong
    """A visit did not go as it should; the message says what came instead."""


class Answer:
    """An HTTP response. Headers are looked up only when somebody asks."""

    __slots__ = ("_folded", "_head", "body")

    def __init__(self, head: bytes, folded: bytes, body: bytes) -> None:
        self._head = head
        self._folded = folded
        self.body = body

    @property
    def status(self) -> int:
        """The status code."""
        return int(self._head[9:12])

    def header(self, name: bytes) -> bytes:
        """The value of the first field of that lower-case name, empty where there is none."""
        return field_of(self._head, self._folded, name)

    def cookies(self) -> list[bytes]:
        """What a browser would send back for each Set-Cookie, without a look at paths and flags."""
        lines = zip(self._head.split(b"\r\n"), self._folded.split(b"\r\n"), strict=True)
        return [
            line.split(b":", 1)[1].split(b";", 1)[0].strip()
            for line, folded in lines
            if folded.startswith(b"set-cookie:")
        ]


Visit = Generator[bytes, Answer, None]
"""What one visitor does: yields requests, is sent their answers, ends when done."""


def field_of(head: bytes, folded: bytes, name: bytes) -> bytes:
    """A header field's value by its lower-case name; ``folded`` is the head in lower case."""
    start = folded.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def answer_in(data: bytes) -> Answer | None:
    """The one response in what was received so far, ``None`` while it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end]
    folded = head.lower()
    size = field_of(head, folded, b"content-length")
    if size:
        body = data[end + 4 :]
        return Answer(head, folded, body) if len(body) >= int(size) else None
    if field_of(folded, folded, b"transfer-encoding") == b"chunked":
        chunks = chunks_of(data, end + 4)
        return None if chunks is None else Answer(head, folded, chunks)
    return Answer(head, folded, b"")


def chunks_of(data: bytes, at: int) -> bytes | None:
    """A chunked body put together (RFC 9112 section 7.1), ``None`` while it is not whole."""
    body = b""
    while True:
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(data[at:line].split(b";", 1)[0], 16)
        at = line + 2 + size + 2
        if len(data) < at:
            return None
        if not size:
            return body
        body += data[line + 2 : line + 2 + size]


@dataclass(slots=True)
class Tally:
    """What the browsers of one phase share."""

    visit: Callable[[], Visit]
    counts_from: float
    ends: float
    visits_left: int
    done: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    first_error: str = ""

    def count(self, began: float) -> None:
        """One visit more; its latency counts if it ended inside the measured time."""
        now = time.perf_counter()
        self.done += 1
        if self.counts_from <= now <= self.ends:
            self.latencies.append(now - began)

    def another(self) -> bool:
        """True when one more visit may begin."""
        self.visits_left -= 1
        return self.visits_left >= 0 and time.perf_counter() < self.ends

    def fail(self, why: str) -> None:
        """One visit went wrong."""
        self.errors += 1
        self.first_error = self.first_error or why


class Browser(asyncio.Protocol):
    """One connection; it plays visits one after the other until the phase is over."""

    __slots__ = ("_began", "_over", "_pending", "_play", "_tally", "_transport")

    def __init__(self, tally: Tally, over: asyncio.Future[None]) -> None:
        self._tally = tally
        self._over = over
        self._pending = b""
        self._began = 0.0
        self._play: Visit | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first visit begins."""
        self._transport = cast("asyncio.Transport", transport)
        self._begin()

    def _begin(self) -> None:
        if not self._tally.another():
            self._play = None
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._play = self._tally.visit()
        self._transport.write(next(self._play))

    def data_received(self, data: bytes) -> None:
        """An answer, or a part of one: on to the visit's next request."""
        if self._pending:
            data = self._pending + data
        answer = answer_in(data)
        if answer is None:
            self._pending = data
            return
        self._pending = b""
        if self._play is None:
            return
        try:
            self._transport.write(self._play.send(answer))
        except StopIteration:
            self._tally.count(self._began)
            self._begin()
        except (Trouble, ValueError, KeyError) as why:
            self._tally.fail(f"{type(why).__name__}: {why}")
            self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """The phase is over for this browser; an error if a visit was under way."""
        if self._play is not None:
            self._tally.fail(f"connection closed in the middle of a visit ({exc or 'no reason given'})")
        if not self._over.done():
            self._over.set_result(None)


@dataclass(frozen=True, slots=True)
class Phase:
    """What came of a phase.

    ``rate`` is visits a second in the measured time, latencies are in milliseconds; ``done`` counts all finished
    visits, those of the warm-up too.
    """

    rate: float
    p50: float
    p99: float
    done: int
    errors: int
    first_error: str


def _quantile(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


async def _browse(port: int, tally: Tally, concurrency: int, limit: float) -> None:
    loop = asyncio.get_running_loop()
    overs = [loop.create_future() for _ in range(concurrency)]
    for over in overs:
        await loop.create_connection(lambda over=over: Browser(tally, over), "127.0.0.1", port)  # type: ignore[misc]
    _, unfinished = await asyncio.wait(overs, timeout=limit)
    if unfinished:
        tally.fail(f"{len(unfinished)} of {concurrency} visitors got no answer within {PATIENCE:.0f} s")


def _play(port: int, tally: Tally, concurrency: int, limit: float) -> None:
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_browse(port, tally, concurrency, limit))
    finally:
        gc.enable()


def for_seconds(port: int, visit: Callable[[], Visit], concurrency: int, seconds: float) -> Phase:
    """Play visits for some seconds, after a warm-up.

    Args:
        port: where the server listens on 127.0.0.1.
        visit: makes one visit.
        concurrency: number of browsers.
        seconds: measured time; the warm-up comes on top.
    """
    start = time.perf_counter() + seconds * WARM_UP
    tally = Tally(visit, start, start + seconds, visits_left=10**12)
    _play(port, tally, concurrency, seconds * (1 + WARM_UP) + PATIENCE)
    latencies = sorted(tally.latencies)
    return Phase(
        rate=len(latencies) / seconds,
        p50=statistics.median(latencies) * 1000 if latencies else 0.0,
        p99=_quantile(latencies, 0.99) * 1000 if latencies else 0.0,
        done=tally.done,
        errors=tally.errors,
        first_error=tally.first_error,
    )


def so_many(port: int, visit: Callable[[], Visit], concurrency: int, visits: int, limit: float = 600.0) -> Phase:
    """Play a number of visits, within a limit of seconds."""
    start = time.perf_counter()
    tally = Tally(visit, start, start + limit, visits_left=visits)
    _play(port, tally, concurrency, limit + PATIENCE)
    took = time.perf_counter() - start
    return Phase(tally.done / took, 0.0, 0.0, tally.done, tally.errors, tally.first_error)
