"""The benchmark of the provider: that it runs, what it prints, and what it does where something is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.idp_peers import load
from benchmarks.idp_peers.report import spread

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r"~?[0-9][0-9,.]*"
"""No more than its form: on a busy machine a short phase may see no visit end."""
SECTIONS = ["Visits a second", "Ours against each", "Start and memory", "Latency of a flow"]


def bench(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The benchmark as it is run by hand, in a process of its own, since it pins itself to a core."""
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "idp.py"), *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def rows(page: str, section: str) -> dict[str, list[str]]:
    """Cells by the first cell of their row, of one section's table in a Markdown page."""
    lines = page.split(f"## {section}", 1)[1].split("\n## ", 1)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row[1:] for row in cells[1:]}


def test_ours_and_the_floor_are_measured_side_by_side(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    contenders = ("--only", "ours-eddsa", "--only", "floor-eddsa")
    done = bench(*contenders, "--rounds", "1", "--seconds", "0.2", "--flows", "40", "--markdown", str(page))
    assert done.returncode == 0, done.stderr
    written = page.read_text()
    assert re.findall("^## (.*)", written, re.MULTILINE)[0] == "Visits a second"
    assert all(section in written and section in done.stdout for section in SECTIONS)
    assert "--rounds 1 --seconds 0.2 --flows 40" in written
    assert re.search(r"Start of our fixture in a warm process, to its first answer: [\d.]+ ", written)
    for name in ("ours-eddsa", "floor-eddsa"):
        speeds = rows(written, "Visits a second")[name]
        assert speeds[5] == "3, 1"
        assert all(re.fullmatch(NUMBER + "( signed| opaque)?", speed) for speed in speeds[:5]), speeds
        assert speeds[3].endswith((" signed", " opaque"))
        starts = rows(written, "Start and memory")[name]
        assert 0 < float(starts[1]) < 30
        assert "missing" not in starts[1]
    ratios = rows(written, "Ours against each")["ours-eddsa / floor-eddsa"]
    assert all(re.fullmatch(NUMBER + "|-", ratio) for ratio in ratios), ratios


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason(tmp_path: Path) -> None:
    done = bench("--only", "emulate", "--peers", str(tmp_path / "peers"), PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "emulate (google)" in done.stdout
    assert "missing: npm is not on the PATH" in done.stdout


def test_an_unknown_contender_is_one_clear_line() -> None:
    done = bench("--only", "nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("--only nobody: no such contender; there are ours-rs256, floor-rs256, ")
    assert done.stderr.count("\n") == 1


BODY = b'{"sub":"alice"}'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n\r\n" + BODY
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"sub":\r\n8;x=y\r\n"alice"}\r\n0\r\n\r\n'


@pytest.mark.parametrize("wire", [PLAIN, CHUNKED], ids=["content-length", "chunked"])
def test_an_answer_is_there_only_when_it_is_whole(wire: bytes) -> None:
    assert [load.answer_in(wire[:size]) for size in range(len(wire))] == [None] * len(wire)
    answer = load.answer_in(wire)
    assert answer is not None
    assert (answer.status, answer.body) == (200, BODY)


def test_header_fields_are_found_in_any_case() -> None:
    answer = load.answer_in(PLAIN)
    assert answer is not None
    assert answer.header(b"content-length") == b"15"
    assert answer.header(b"location") == b""
    assert answer.cookies() == [b"a=1", b"b=2"]


@pytest.mark.parametrize(("values", "text"), [([], "-"), ([1234.5], "1,234"), ([3.0, 1.0, 20.5], "3.00 (1.00-20.5)")])
def test_a_spread_is_median_lowest_and_highest(values: list[float], text: str) -> None:
    assert spread(values) == text
