"""run.json: what is written is what the published schema says, and what is read back is what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.report.document import RunDocument
from harness.report.run import ReportError, assemble, ensure_writable, facts_of, json_schema, read, write
from harness.target import Target
from harness.verdict import Outcome

Make = Callable[..., RunDocument]
DOCS = Path(__file__).parents[2] / "docs"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_document_fulfils_its_schema(document: RunDocument) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(document)), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("schema",), "authconform/run/2"),
        (("verdicts", 0, "outcome"), "green"),
        (("summary", "green"), 1),
        (("matrix", 0, "cells", 0, "outcome"), 7),
        (("exchanges", 0, "request_headers"), [["only a name"]]),
        (("requests",), -1),
    ],
)
def test_the_schema_refuses_what_is_wrong(document: RunDocument, path: tuple[Any, ...], wrong: object) -> None:
    changed: Any = json.loads(json.dumps(document))
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, json_schema(), cls=jsonschema.Draft202012Validator)


def test_the_published_schema_is_the_present_one() -> None:
    assert json.loads((DOCS / "run.schema.json").read_text(encoding="utf-8")) == json_schema(), (
        "python -m harness.profile.docs writes it"
    )


def test_the_summary_counts_every_outcome(document: RunDocument) -> None:
    assert set(document["summary"]) == {outcome.value for outcome in Outcome}
    assert sum(document["summary"].values()) == len(document["verdicts"])
    assert document["summary"]["inconclusive"] == 2
    assert document["summary"]["pass"] == 1


def test_an_empty_run_is_a_document_too(make: Make) -> None:
    empty = make(verdicts=[], exchanges=[], matrix=[])
    assert set(empty["summary"].values()) == {0}
    assert empty["requests"] == 0
    jsonschema.validate(json.loads(json.dumps(empty)), json_schema())


def test_verdicts_and_exchanges_are_in_order_whoever_brought_them_first(document: RunDocument) -> None:
    areas = [verdict["area"] for verdict in document["verdicts"]]
    assert areas == ["session"] * 2 + ["cookies"] * 2 + ["refresh", "logout", "csrf", "csrf", "tokens", "errors"]
    assert [verdict["id"] for verdict in document["verdicts"]][2:4] == ["cookies.scope", "cookies.http-only"]
    assert [exchange["number"] for exchange in document["exchanges"]] == [1, 2, 3, 4]
    assert document["requests"] == 4


def test_times_are_in_utc(make: Make) -> None:
    local = datetime(2026, 11, 21, 4, 25, tzinfo=timezone(timedelta(hours=2)))
    assert make(started=local)["started"] == "2026-11-21T02:25:00Z"


def test_facts_come_from_the_target() -> None:
    target = Target.model_validate(
        {
            "target": {"origin": "https://api.example.com", "architecture": "bearer"},
            "accounts": {"alice": {"username": "alice", "password": "hidden-secret"}},
            "probe": {"path": "/me"},
            "session": {"carriers": ["header"]},
        }
    )
    facts = facts_of(target, "p.toml")
    assert facts == {
        "name": "https://api.example.com",
        "origin": "https://api.example.com",
        "front_origin": "https://api.example.com",
        "architecture": "bearer",
        "carriers": ["header"],
        "profile": "p.toml",
    }


def test_what_is_written_is_read_back(document: RunDocument, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "report"
    path = write(document, folder)
    assert path == folder / "run.json"
    assert read(path) == read(folder) == document
    assert names(folder) == ["run.json"]
    write({**document, "doubtful": "yes"}, str(folder))
    assert read(folder)["doubtful"] == "yes"


def test_evidence_of_any_text_is_kept(make: Make, tmp_path: Path) -> None:
    odd = "\x00\x1b[31m \ud800 {secret} \u2028 😀"
    exchanges = [{**make()["exchanges"][0], "response_body": odd}]
    document = make(exchanges=exchanges)
    assert read(write(document, tmp_path))["exchanges"][0]["response_body"] == odd


def test_a_writer_that_fails_leaves_the_old_report(
    document: RunDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(document, tmp_path)

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ReportError, match="No space left on device") as raised:
        write(document, tmp_path)
    assert "\n" not in str(raised.value)
    assert read(tmp_path) == document
    assert names(tmp_path) == ["run.json"]


def test_a_folder_that_is_a_file(document: RunDocument, tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    for act in (lambda: ensure_writable(file), lambda: write(document, file), lambda: ensure_writable(file / "below")):
        with pytest.raises(ReportError, match="taken") as raised:
            act()
        assert "\n" not in str(raised.value)
    assert file.read_text() == "mine"


def test_a_folder_is_made_before_the_run(tmp_path: Path) -> None:
    ensure_writable(tmp_path / "new" / "folder")
    assert names(tmp_path / "new" / "folder") == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\xff", "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "it has no schema"),
        (b"{}", "it has no schema"),
        (b'{"schema": "authconform/run/2"}', "its schema is 'authconform/run/2'"),
        (b'{"schema": "authconform/run/1"}', "tool: field required"),
    ],
)
def test_reading_what_is_no_report(content: bytes | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ReportError) as raised:
        read(file)
    assert str(file) in str(raised.value)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_wrong_within_is_named_and_not_quoted(document: RunDocument, tmp_path: Path) -> None:
    changed = json.loads(json.dumps(document))
    changed["exchanges"][2]["status"] = "a-secret"
    file = tmp_path / "run.json"
    file.write_text(json.dumps(changed))
    with pytest.raises(ReportError, match=r"exchanges\.2\.status") as raised:
        read(file)
    assert "a-secret" not in str(raised.value)


def test_a_member_added_later_does_not_hinder(document: RunDocument, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({**document, "edition": "2027"}))
    assert read(file)["verdicts"] == document["verdicts"]


def test_an_unknown_area_is_a_bug(document: RunDocument) -> None:
    with pytest.raises(ValueError, match="astrology"):
        assemble(
            target=document["target"],
            started=datetime.now(UTC),
            duration_s=0,
            verdicts=[{"area": "astrology", "outcome": "pass"}],
            exchanges=[],
        )
