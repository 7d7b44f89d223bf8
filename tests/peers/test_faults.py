"""Every fault against every client whose business it is: refused, accepted, or otherwise, exactly as written down."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import pytest

from mock_idp.faults import FAULTS
from tests.peers import docs
from tests.peers.expectations import OUTCOMES, clients, for_people, is_sound, outcomes, played
from tests.peers.faulty import log_in_with, needs_tls
from tests.peers.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_idp.faults import Fault
    from tests.mock_idp.served import Served
    from tests.peers.conftest import Run

PLAYED = list(played())


@pytest.mark.parametrize(("client", "fault"), PLAYED, ids=[f"{fault.name}-{client}" for client, fault in PLAYED])
def test_a_client_meets_a_fault(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, run: Run, client: str, fault: Fault
) -> None:
    served: Served = request.getfixturevalue("secure_served" if needs_tls(fault.name) else "served")
    seen = log_in_with(served, run, client, fault.name)
    assert seen.struck, f"{fault.name} never struck; the client ended in {seen.result}"
    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == []
    outcome = "leaks" if seen.leaked else seen.result.outcome
    assert outcome == outcomes().get(fault.name, {}).get(client, "(not written down)"), seen.result


@pytest.mark.parametrize("client", ["openid-client", "oauth4webapi"])
def test_signatures_are_optional_over_a_direct_connection(served: Served, run: Run, client: str) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7, step 6: both check them only where they are asked to."""
    world = served.tenant()
    result = run(Job(client, world.issuer, parameters={"mock_fault": "id-token.sig-corrupt"}, signatures=False))
    assert result.outcome == "accepts", result
    served.run(served.provider.store.drop(world.name))


class TestTheFile:
    """`expected.toml` says all, and nothing that is not so."""

    def test_outcomes_are_those_that_are_played(self) -> None:
        written = {(client, name) for name, row in outcomes().items() for client in row}
        assert written == {(client, fault.name) for client, fault in PLAYED}
        assert {outcome for row in outcomes().values() for outcome in row.values()} <= set(OUTCOMES)

    def test_what_is_not_sound_has_a_reason(self) -> None:
        names = {one.name: one for one in clients()}
        unexplained = [
            f"{client} {outcomes()[fault.name][client]} {fault.name}"
            for client, fault in PLAYED
            if not is_sound(fault, outcomes()[fault.name][client]) and names[client].reason(fault.name) is None
        ]
        assert unexplained == []

    def test_every_reason_is_needed(self) -> None:
        for one in clients():
            unsound = [name for name, row in outcomes().items() if not is_sound(FAULTS[name], row.get(one.name, ""))]
            assert _unused(one.reasons, unsound) == [], one.name
            assert _unused(one.leaves, FAULTS) == [], one.name
        assert _unused(for_people(), FAULTS) == []


def _unused(globs: Iterable[str], names: Iterable[str]) -> list[str]:
    return [glob for glob in globs if not fnmatch.filter(names, glob)]


def test_the_document_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().err
