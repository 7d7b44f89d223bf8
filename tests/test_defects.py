"""The proof: each defect of the reference app turns red exactly the requirements that name it; without any, none."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from harness.catalogue import load
from reference_app.defects import DEFECTS, Defect
from tests.judging import coloured, judge_reference

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = {"bearer": "bearer", "cookie": "cookie", "both": "both"}
NAMED_BY: dict[str, set[str]] = defaultdict(set)
for requirement in load():
    for defect_name in requirement.defects:
        NAMED_BY[defect_name].add(requirement.id)


def profile_for(defect: Defect, architecture: str) -> str:
    """The shipped profile in which a defect can be seen."""
    return "cookie-tls" if defect.needs.keys() & {"tls", "domain", "plain_port"} else PROFILES[architecture]


def cases() -> list[tuple[str, str]]:
    """Every defect in every architecture it makes sense in (over TLS there is one)."""
    pairs = {(name, profile_for(d, a.value)) for name, d in DEFECTS.items() for a in d.architectures}
    return sorted(pairs)


@pytest.mark.parametrize(("defect", "profile"), cases(), ids=lambda value: value)
def test_defect_is_found_where_it_is_and_nowhere_else(defect: str, profile: str, tmp_path: Path) -> None:
    document = judge_reference(tmp_path, profile, defects=[defect])
    found = coloured(document)
    applicable = {v["id"] for v in document["verdicts"] if v["outcome"] not in {"not_applicable", "not_run"}}
    assert set(found) == NAMED_BY[defect] & (applicable | set(found)), found
    assert found, f"{defect} is not seen by any requirement in {profile}"


@pytest.mark.parametrize("profile", ["bearer", "cookie", "both", "cookie-tls"])
def test_without_a_defect_everything_is_green(profile: str, tmp_path: Path) -> None:
    document = judge_reference(tmp_path, profile)
    assert coloured(document) == {}
    assert document["summary"]["inconclusive"] == 0
    assert document["doubtful"] == ""


def test_no_orphan_on_either_side() -> None:
    """Each defect is named by a requirement, each requirement names a defect, and all names exist."""
    assert set(NAMED_BY) == set(DEFECTS)
    assert [r.id for r in load() if not r.defects] == []
