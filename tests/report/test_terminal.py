"""The report in a terminal: what a reader finds in it, and what can never be in it."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from harness.evidence.exchange import Exchange
from harness.report.document import RunDocument
from harness.report.terminal import render
from harness.verdict import Outcome
from tests.report.samples import exchange, finding, row, verdict

Make = Callable[..., RunDocument]
WIDTHS = (80, 100, 140)


def shown(document: RunDocument, width: int = 100) -> str:
    return render(document, width=width, colour=False)


def flat(text: str) -> str:
    """`text` on one line: where it is broken depends on the width alone."""
    return " ".join(text.split())


def block(text: str, start: str) -> str:
    """The lines from the one that begins with `start` to the next title or section."""
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith(start))
    rest = [i for i, line in enumerate(lines) if i > first and re.match(r"[A-Z]", line)]
    return "\n".join(lines[first : rest[0] if rest else None])


@pytest.mark.parametrize("width", WIDTHS)
def test_it_begins_with_what_was_judged(document: RunDocument, width: int) -> None:
    head = shown(document, width).split("Findings")[0]
    for fact in ("shop", "http://127.0.0.1:8000", "http://127.0.0.1:3000", "cookie, accepted as such", "shop.toml"):
        assert fact in head
    assert "12.3 s, 4 requests" in head
    assert flat("1 fail · 2 inconclusive · 1 warn · 1 accepted · 1 info · 1 pass · 2 n/a · 1 not run") in flat(head)


def test_an_architecture_that_is_not_declared_is_said_to_be_so(make: Make, document: RunDocument) -> None:
    plain = make(target={**document["target"], "architecture": "", "front_origin": document["target"]["origin"]})
    head = shown(plain).split("Findings")[0]
    assert "not declared; credentials travel by cookie" in head
    assert "front end" not in head


def test_the_worst_comes_first(document: RunDocument) -> None:
    text = shown(document)
    words = ["FAIL  cookies", "INCONCLUSIVE  login is", "WARN  refresh", "ACCEPTED  logout", "INFO  cookies"]
    places = [text.index(word) for word in words]
    assert places == sorted(places)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_finding_tells_all_a_reader_needs(document: RunDocument, width: int) -> None:
    text = block(shown(document, width), "FAIL")
    for part in (
        "cookies.http-only  MUST",
        "The sentence of cookies.http-only holds.",
        "cookie 'sid'",
        "expected      HttpOnly is there",
        "observed      HttpOnly is missing",
        "POST http://127.0.0.1:8000/users/me -> 200",  # the last exchange of the evidence, not the first
        "RFC 10017 section 6.1.3.2, ASVS 5.0 V3.3.4",
        "https://www.rfc-editor.org/rfc/rfc10017#section-6.1.3.2",
        "The remedy of cookies.http-only.",
        "GET http://127.0.0.1:8000/auth/login -> 403",
        "attacker, page of https://evil.example",
    ):
        assert flat(part) in flat(text)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_command_is_whole_and_can_be_copied(document: RunDocument, width: int) -> None:
    command = Exchange.from_json(document["exchanges"][1]).curl()
    assert command.startswith("curl")
    assert command in shown(document, width)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_command_of_several_lines_becomes_one_and_stays_the_same(make: Make) -> None:
    body = "--x\r\nname='a b'\n\tend\u202e"
    text = shown(make(exchanges=[exchange(1), exchange(2, request_body=body)]))
    command = [line for line in text.split("\n") if "--data" in line][-1].split("repeat", 1)[1]
    script = command.replace("curl", "printf '%s\\0'", 1)
    run = subprocess.run(["bash", "-c", script], capture_output=True, check=True, timeout=30, env={"LC_ALL": "C.UTF-8"})
    assert body in run.stdout.decode().split("\0")


def test_a_command_is_given_once_for_findings_of_the_same_exchange(make: Make) -> None:
    one = finding(evidence=(2,))
    text = shown(make(verdicts=[verdict("cookies.one", Outcome.FAIL, one, finding("other", evidence=(2,)))]))
    assert text.count("-> 200") == 2
    assert text.count("repeat  ") == 1


def test_findings_beyond_three_are_counted(make: Make) -> None:
    many = [finding(f"cookie number {i}") for i in range(7)]
    text = shown(make(verdicts=[verdict("cookies.one", Outcome.FAIL, *many)]))
    assert text.count("expected  ") == 3
    assert "and 4 more (see run.json)" in text


def test_findings_of_a_lesser_outcome_come_last_and_say_so(make: Make) -> None:
    mixed = [finding("a", Outcome.WARN), finding("b"), finding("", Outcome.INFO)]
    text = shown(make(verdicts=[verdict("cookies.one", Outcome.FAIL, *mixed)]))
    assert text.index("\n  b\n") < text.index("\n  a (warn)\n") < text.index("\n  (info)\n")


def test_one_cause_is_one_block(make: Make, document: RunDocument) -> None:
    text = block(shown(document), "INCONCLUSIVE")
    assert text.startswith("INCONCLUSIVE  login is broken")
    assert "the login answered 502" in text
    assert "no answer: the connection was refused" in text
    assert "session.one, session.two (2)" in text
    assert shown(document).count("INCONCLUSIVE  ") == 1
    other = verdict("cors.one", Outcome.INCONCLUSIVE, reason="it took too long", cause="too slow")
    assert shown(make(verdicts=[*document["verdicts"], other])).count("INCONCLUSIVE  ") == 2


def test_what_was_not_judged_is_grouped_by_reason(document: RunDocument) -> None:
    text = shown(document)
    assert "- the profile declares no [write]\n  csrf.one, csrf.two\n" in text
    assert "- aggressive; allow it\n  tokens.key\n" in text
    assert text.index("Not applicable ─") < text.index("Not run ─")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_carrier_matrix_can_be_read_without_colour(document: RunDocument, width: int) -> None:
    text = shown(document, width)
    cells = next(line for line in text.split("\n") if "GET /users/me " in line).split()[2:]
    assert cells == ["✗", "✓", "✓", "✓", "403", "?500", "✗", "✗", "✗", "·"]
    heading = text[text.index("Carriers ─") : text.index("GET /users/me")]
    for word in ("none", "header", "cookie", "both", "bad", "scheme", "query", "form"):
        assert word in heading
    assert "{note_id}" in text.replace("\n", "")


def test_a_long_matrix_is_cut(make: Make) -> None:
    text = shown(make(matrix=[row(f"GET /things/{i}") for i in range(100)]))
    assert "and 40 more (see run.json)" in text
    assert "GET /things/60" not in text


def test_the_closing_table_adds_up(document: RunDocument) -> None:
    lines = shown(document, 80).split("By area ─")[1].split("\n")
    total = next(line for line in lines if line.startswith("total")).split()
    assert total == ["total", "1", "1", "2", "1", "1", "1", "2", "1", "10"]
    cookies = next(line for line in lines if line.startswith("cookies")).split()
    assert cookies == ["cookies", "·", "1", "·", "·", "·", "1", "·", "·", "2"]


def test_it_ends_with_what_a_pass_means(document: RunDocument) -> None:
    end = flat(shown(document)).rsplit("A pass means", 1)[1]
    assert "this act was tried and the application withstood it" in end
    assert "2 inconclusive, 2 not applicable, 1 not run" in end


def test_a_run_not_to_be_trusted_says_so_before_anything_else(make: Make) -> None:
    text = shown(make(doubtful="the closing login failed", interrupted=True))
    assert text.index("DOUBTFUL  the closing login failed") < text.index("1 fail")
    assert text.index("INTERRUPTED") < text.index("1 fail")


def test_a_sound_target_has_a_short_report(make: Make) -> None:
    text = shown(make(verdicts=[verdict("cookies.one", Outcome.PASS)], matrix=[]))
    assert "Findings" not in text
    assert "Carriers" not in text
    assert "1 pass" in text
    assert "nothing is said of what was not tried by any requirement." in flat(text)


def test_an_empty_run_can_be_shown(make: Make) -> None:
    assert "no verdict" in shown(make(verdicts=[], exchanges=[], matrix=[]))


def test_evidence_that_is_not_there_is_left_out(make: Make) -> None:
    lone = verdict("cookies.one", Outcome.FAIL, finding(evidence=(99,)))
    text = shown(make(verdicts=[lone]))
    assert "HttpOnly is missing" in text
    assert "repeat  " not in text


EVIL = "[bold red]x[/bold red] :smile: \x1b[2J\x1b]0;t\x07 \x9b31m a\u202eb c\u200bd \u2028 \r\nFAIL  forged"


def poisoned(make: Make) -> RunDocument:
    """A document in which everything that comes from a target or a profile is an attack on the terminal."""
    bad = {**verdict("cookies.one", Outcome.FAIL, finding(EVIL, expected=EVIL, observed=EVIL)), "remedy": EVIL}
    broken = verdict("cors.one", Outcome.INCONCLUSIVE, reason=EVIL, cause=EVIL + "!", evidence=(1,))
    absent = verdict("csrf.one", Outcome.NOT_APPLICABLE, reason=EVIL)
    facts = dict.fromkeys(("name", "origin", "front_origin", "architecture", "profile"), EVIL)
    exchanges = [exchange(n, url=f"http://x/{EVIL}", method="GET", initiator=EVIL, agent=EVIL) for n in (1, 2)]
    changes: dict[str, Any] = {"target": {**facts, "front_origin": "x", "carriers": [EVIL]}, "doubtful": EVIL}
    return make(verdicts=[bad, broken, absent], exchanges=exchanges, matrix=[row(EVIL)], **changes)


@pytest.mark.parametrize("width", range(60, 140, 3))
@pytest.mark.parametrize("colour", [True, False])
def test_nothing_of_a_target_reaches_the_terminal_as_a_command(make: Make, width: int, *, colour: bool) -> None:
    text = render(poisoned(make), width=width, colour=colour)
    ours = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", ours)
    assert "[bold red]x[/bold red] :smile: \\x1b[2J" in flat(ours)
    assert not re.search(r"^FAIL +forged", ours, re.MULTILINE)


def test_a_text_without_end_is_cut(make: Make) -> None:
    text = shown(make(verdicts=[verdict("cookies.one", Outcome.FAIL, finding(observed="x" * 100_000))]))
    assert "… (whole in run.json)" in flat(text)
    assert len(text) < 10_000


@pytest.mark.parametrize("width", [10, *WIDTHS])
def test_no_colour_and_no_line_too_long(document: RunDocument, width: int) -> None:
    text = shown(document, width)
    assert "\x1b" not in text
    assert all(
        len(line) <= max(width, 60) for line in text.split("\n") if "repeat  " not in line and "curl" not in line
    )
    assert all(line == line.rstrip() for line in text.split("\n"))


def test_colour_changes_no_word(document: RunDocument, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.setenv(name, "1")
    coloured = render(document, width=100, colour=True)
    assert "\x1b[1;31mFAIL" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.split("\n")] == shown(document).split("\n")


def test_rendering_changes_nothing(document: RunDocument) -> None:
    before = copy.deepcopy(document)
    assert shown(document) == shown(document)
    assert document == before
