"""How fast is a full run, and where does its time go? Ratios side by side, measured in one go on one machine.

``python benchmarks/full_run.py [--repeat N]``. What is compared:

- a full run of all suites against the reference app (cookie architecture), already running;
- the same requests, byte for byte, sent to the same server once more by a bare httpx client;
- a cold start up to the first verdict, against ``import pytest, httpx, fastapi`` plus the app's own start.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
APP = [sys.executable, "-m", "reference_app", "--architecture", "cookie", "--set", "clock_header=true"]
PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-p",
    "benchmarks.tap",
    "-p",
    "no:randomly",
    "-q",
    "suites",
    "--auth-profile",
    "reference:cookie",
]
FIRST = "login.success-authenticates"


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds (of this process and the children it waited for) of some work."""
    usages = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, usages))
    began = time.perf_counter()
    work()
    wall = time.perf_counter() - began
    return wall, sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, usages)) - before


@contextmanager
def app() -> Iterator[tuple[str, float]]:
    """The reference app on a free port; its origin, and the seconds it took to listen."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen([*APP, "--port", str(port)], cwd=ROOT)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - began > 30:
                    raise SystemExit("the reference app did not start") from None
                time.sleep(0.005)
        yield f"http://127.0.0.1:{port}", time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(10)


def run(folder: Path, *options: str) -> dict[str, Any]:
    """One run of the suites in a process of its own; what the tap heard."""
    tap = folder / "tap"
    command = [*PYTEST, "--auth-report", str(folder / "report"), *options]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "AUTHCONFORM_TAP": str(tap)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        raise SystemExit(f"the run failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    heard: dict[str, Any] = pickle.loads(tap.read_bytes())
    return heard


def replay(sent: list[tuple[str, str, list[tuple[str, str]], bytes | None]]) -> None:
    """The same requests by bare httpx."""
    with httpx.Client(follow_redirects=False) as client:
        for method, url, headers, body in sent:
            kept = [
                (k.encode("utf-8", "surrogateescape"), v.encode("utf-8", "surrogateescape"))
                for k, v in headers
                if k.lower() != "content-length"
            ]
            client.cookies.clear()
            client.send(httpx.Request(method, url, headers=kept, content=body))


def measure(folder: Path) -> dict[str, float]:
    """Every figure once."""
    heard: dict[str, Any] = {}
    with app() as (origin, app_start):
        wall, cpu = timed(lambda: heard.update(run(folder, "--auth-target", origin)))
        document = json.loads((folder / "report" / "run.json").read_text())
        replay_wall, replay_cpu = timed(lambda: replay(heard["sent"]))
    started = time.time()
    first = run(folder, "--auth-only", FIRST)["first"][0] - started
    imports, _ = timed(lambda: subprocess.run([sys.executable, "-c", "import pytest, httpx, fastapi"], check=True))
    collect, _ = timed(
        lambda: subprocess.run(
            [sys.executable, "-m", "pytest", "suites", "--collect-only", "-q"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    )
    return {
        "full run, wall s": wall,
        "full run, CPU s (harness only)": cpu,
        "bare replay, wall s": replay_wall,
        "bare replay, CPU s (client only)": replay_cpu,
        "full run / bare replay (aim: at most 2.5)": wall / replay_wall,
        "requests (aim: at most 450)": document["requests"],
        "verdicts": len(document["verdicts"]),
        "first verdict from a cold start, s": first,
        "import pytest, httpx, fastapi, s": imports,
        "the app's own start, s": app_start,
        "first verdict / (imports + app start) (aim: at most 1.5)": first / (imports + app_start),
        "pytest --collect-only, s": collect,
    }


def main() -> None:
    """Measure a few times, print the median of each figure with its spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    times = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        rounds = [measure(Path(folder)) for _ in range(times)]
    table = Table("figure", "median", "least", "most")
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        table.add_row(name, *(f"{value:.2f}" for value in (statistics.median(values), min(values), max(values))))
    Console().print(table)


if __name__ == "__main__":
    main()
