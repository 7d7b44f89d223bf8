"""How fast is the mock provider, beside the other mocks and beside the least that Python can do?

``python benchmarks/idp.py [--rounds N] [--seconds S] [--flows N] [--only NAME] [--peers DIR] [--markdown FILE]``

Each contender is started alone, on a core of its own, with the load on another. Before anything is measured, one flow's
id_token is verified in full. Rounds go A B C ... and then C B A, and ratios are taken inside a round, so that a machine
that gets slower or busier does not favour anybody. Peers are installed on demand into the folder given by --peers.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.idp_peers import load, report
from benchmarks.idp_peers.contenders import Contender, Starter, Workshop, everybody
from benchmarks.idp_peers.flows import Site, is_signed, verify
from benchmarks.idp_peers.install import Missing, default_folder
from benchmarks.idp_peers.process import Cores, DidNotStart, Server, choose_cores, free_port, machine_busy, pin

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_START = Path(__file__).resolve().parent / "idp_peers" / "warm_start.py"
CONCURRENCIES = (1, 8, 32)
COLD_STARTS = 5
CALM = 0.08
"""Share of the machine that others may take during a phase before it is measured again."""
AGAIN = 2
"""How often a disturbed phase is measured again."""


class Rounds:
    """Measures contenders and keeps what came of it.

    Args:
        options: the command line.
        cores: who runs where.
        console: where progress is told.
    """

    def __init__(self, options: argparse.Namespace, cores: Cores, console: Console) -> None:
        self._seconds: float = options.seconds
        self._flows: int = options.flows
        self._cores = cores
        self._console = console

    def visit(self, contender: Contender, start: Starter, *, weigh: bool) -> report.Figures:
        """Every figure of one contender once.

        Args:
            contender: whom.
            start: how to start it.
            weigh: whether memory is measured too.

        Raises:
            DidNotStart: it gave no answer.
            load.Trouble: its flow is not right, so that nothing of it is worth measuring.
        """
        figures: report.Figures = {}
        # The first start, which may compile and fills the system's cache of files, tells nothing.
        _, *starts = [self._cold_start(contender, start) for _ in range(1 + COLD_STARTS)]
        figures["cold start"] = statistics.median(starts)
        with self._served(contender, start) as server:
            site = _site(server, contender)
            self._look_closely(server, site, contender, figures)
            self._phases(server, site, contender, figures)
        if weigh:
            self._weigh(contender, start, figures)
        return figures

    def _served(self, contender: Contender, start: Starter) -> Server:
        port = free_port()
        return Server(start(port), port, contender.discovery, self._cores)

    def _cold_start(self, contender: Contender, start: Starter) -> float:
        with self._served(contender, start) as server:
            return server.cold_start

    def _look_closely(self, server: Server, site: Site, contender: Contender, figures: report.Figures) -> None:
        """One flow, whose id_token is verified in full."""
        kept: dict[str, Any] = {}
        requests = [0]
        _once(server, lambda: _counted(site.flow(kept), requests))
        jwks: list[load.Answer] = []
        _once(server, lambda: site.read_jwks(jwks))
        verify(kept, site.metadata, json.loads(jwks[0].body), contender.alg)
        if contender.client_credentials:
            granted: dict[str, Any] = {}
            _once(server, lambda: site.client_credentials(granted))
            figures["client credentials signed"] = is_signed(granted["access_token"])
        figures["requests per flow"] = requests[0]
        figures["signatures per flow"] = 1 + is_signed(kept["tokens"]["access_token"])

    def _phases(self, server: Server, site: Site, contender: Contender, figures: report.Figures) -> None:
        self._phase(server, "discovery c8", site.read_metadata, 8, figures)
        if contender.client_credentials:
            self._phase(server, "client credentials c8", site.client_credentials, 8, figures)
        for concurrency in CONCURRENCIES:
            self._phase(server, f"flows c{concurrency}", site.flow, concurrency, figures)

    def _phase(
        self, server: Server, name: str, visit: Callable[[], load.Visit], concurrency: int, figures: report.Figures
    ) -> None:
        """One phase; again when others disturbed it, and the calmest one counts."""
        best: report.Figures | None = None
        for _ in range(1 + AGAIN):
            tried = self._once_measured(server, name, visit, concurrency)
            if best is None or tried[f"{name} others"] < best[f"{name} others"]:
                best = tried
            if best[f"{name} others"] <= CALM:
                break
        assert best is not None
        figures.update(best)

    def _once_measured(
        self, server: Server, name: str, visit: Callable[[], load.Visit], concurrency: int
    ) -> report.Figures:
        before = (server.cpu() or 0.0, time.process_time(), machine_busy() or 0.0, time.perf_counter())
        phase = load.for_seconds(server.port, visit, concurrency, self._seconds)
        after = (server.cpu() or 0.0, time.process_time(), machine_busy() or 0.0, time.perf_counter())
        served, driven, busy, wall = (late - early for early, late in zip(before, after, strict=True))
        if phase.errors:
            self._console.print(f"    {name}: {phase.errors} errors, the first: {phase.first_error}", style="red")
        figures: report.Figures = {}
        figures[name] = phase.rate
        figures[f"{name} p50"], figures[f"{name} p99"] = phase.p50, phase.p99
        figures[f"{name} errors"] = phase.errors
        figures[f"{name} server core"], figures[f"{name} load core"] = served / wall, driven / wall
        figures[f"{name} server us"] = served / phase.done * 1e6 if phase.done else 0.0
        figures[f"{name} others"] = max(0.0, busy - served - driven) / wall / (os.cpu_count() or 1)
        return figures

    def _weigh(self, contender: Contender, start: Starter, figures: report.Figures) -> None:
        """Memory of a fresh process: idle, after a tenth of the flows, and after all of them."""
        with self._served(contender, start) as server:
            site = _site(server, contender)
            for name, flows in (("idle", 0), ("tenth", self._flows // 10), ("all", self._flows - self._flows // 10)):
                if flows:
                    done = load.so_many(server.port, site.flow, 8, flows)
                    figures["memory errors"] = figures.get("memory errors", 0) + done.errors
                memory = server.memory()
                if memory is not None:
                    figures[f"memory {name}"] = memory


def _site(server: Server, contender: Contender) -> Site:
    answer = load.answer_in(server.first_answer)
    assert answer is not None, "the first answer was read to its end"
    return Site(json.loads(answer.body), contender.manners, contender.discovery)


def _once(server: Server, visit: Callable[[], load.Visit]) -> None:
    """One visit, with no patience for errors."""
    phase = load.so_many(server.port, visit, 1, 1, limit=10)
    if phase.errors or not phase.done:
        raise load.Trouble(phase.first_error or "no answer within 10 s")


def _counted(visit: load.Visit, requests: list[int]) -> load.Visit:
    """The same visit, with its requests counted."""
    request = next(visit)
    while True:
        requests[0] += 1
        answer = yield request
        try:
            request = visit.send(answer)
        except StopIteration:
            return


def prepared(
    contenders: list[Contender], workshop: Workshop, console: Console
) -> tuple[dict[str, Starter], dict[str, str]]:
    """How to start each contender, and for those that are missing the reason."""
    starters: dict[str, Starter] = {}
    missing: dict[str, str] = {}
    for contender in contenders:
        console.print(f"prepare {contender.name} {contender.version}")
        try:
            starters[contender.name] = contender.prepare(workshop)
        except Missing as why:
            missing[contender.name] = str(why)
            console.print(f"    missing: {why}", style="yellow")
    return starters, missing


def warm_starts(cores: Cores) -> list[float]:
    """Milliseconds that our fixture takes in a process that used it before, once for each start."""
    pin(cores.server)
    try:
        done = subprocess.run(
            [sys.executable, str(WARM_START)], capture_output=True, text=True, check=True, timeout=120
        )
    finally:
        pin(cores.load)
    milliseconds: list[float] = json.loads(done.stdout)
    return milliseconds


def chosen(only: list[str]) -> list[Contender]:
    """The contenders whose names begin with one of the given words, all of them without any."""
    everyone = everybody()
    for word in only:
        if not any(contender.name.startswith(word) for contender in everyone):
            names = ", ".join(contender.name for contender in everyone)
            raise SystemExit(f"--only {word}: no such contender; there are {names}")
    return [one for one in everyone if not only or any(one.name.startswith(word) for word in only)]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds, in alternating order")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="measured time of a phase")
    parser.add_argument("--flows", type=int, default=20_000, metavar="N", help="flows before memory is read again")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="contenders whose name begins so")
    parser.add_argument("--peers", type=Path, default=default_folder(), metavar="DIR", help="where peers are installed")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables to this file too")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0 or options.flows < 10:
        parser.error("--rounds must be at least 1, --seconds more than 0, --flows at least 10")
    return options


def main() -> None:
    """Measure, print tables, write Markdown."""
    options = arguments()
    console = Console(stderr=True)
    cores = choose_cores()
    pin(cores.load)
    contenders = chosen(options.only)
    outcome = report.Outcome(contenders, cores.described, options.seconds, options.rounds, options.flows)
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(options.peers.expanduser().resolve(), Path(folder))
        starters, outcome.missing = prepared(contenders, workshop, console)
        rounds = Rounds(options, cores, console)
        for number in range(options.rounds):
            order = contenders if number % 2 == 0 else contenders[::-1]
            for contender in (one for one in order if one.name not in outcome.missing):
                console.print(f"round {number + 1} of {options.rounds}: {contender.name}")
                try:
                    figures = rounds.visit(contender, starters[contender.name], weigh=number == 0)
                except (DidNotStart, load.Trouble) as why:
                    outcome.missing[contender.name] = str(why)
                    console.print(f"    left out: {why}", style="red")
                    console.print(getattr(why, "printed", ""), style="dim", highlight=False)
                else:
                    outcome.add(number, contender.name, figures)
        if any(contender.name.startswith("ours") for contender in contenders):
            outcome.fixture = warm_starts(cores)
    report.show(outcome, report.wide_console())
    if options.markdown:
        options.markdown.write_text(report.markdown(outcome))


if __name__ == "__main__":
    main()
