"""Verdicts: the outcome of one requirement on one target, with what was expected, what was observed and the proof."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from harness.requirement import Level, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(StrEnum):
    """What a verdict says. Only ``fail`` and ``inconclusive`` are red."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    WARN = "warn"
    INFO = "info"
    ACCEPTED = "accepted"
    NOT_APPLICABLE = "not_applicable"
    NOT_RUN = "not_run"
    INCONCLUSIVE = "inconclusive"

    @property
    def red(self) -> bool:
        """Whether a gate stops on it."""
        return self in {Outcome.FAIL, Outcome.INCONCLUSIVE}


class HasExchange(Protocol):
    """Anything that knows the exchange it came from: an answer, a failure to reach the target."""

    @property
    def exchange(self) -> int:
        """Its number."""
        ...


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """The target has no such thing."""


class NotRun(Exception):  # noqa: N818
    """It was not asked for: aggressive, slow, or in need of something the profile does not offer."""


class Inconclusive(Exception):  # noqa: N818
    """It should have been judged and could not.

    Attributes:
        evidence: exchange numbers that show why.
        cause: what broke, in a few words, the same for all that broke with it: one root cause, not twenty.

    """

    def __init__(self, reason: str, *evidence: HasExchange | int, cause: str = "") -> None:
        super().__init__(reason)
        self.evidence = numbers(evidence)
        self.cause = cause or reason


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    scope: str
    expected: str
    observed: str
    evidence: tuple[int, ...]
    outcome: Outcome

    def as_json(self) -> dict[str, Any]:
        """As run.json holds it."""
        return {
            "scope": self.scope,
            "expected": self.expected,
            "observed": self.observed,
            "evidence": list(self.evidence),
            "outcome": self.outcome.value,
        }


_BROKEN = {Level.MUST: Outcome.FAIL, Level.SHOULD: Outcome.WARN, Level.INFO: Outcome.INFO}
_WORST = (Outcome.FAIL, Outcome.WARN, Outcome.ACCEPTED, Outcome.INFO)


@dataclass
class Expect:
    """Collects what a requirement's test expected and observed; never stops at the first finding."""

    requirement: Requirement
    findings: list[Finding] = field(default_factory=list)
    evidence: list[int] = field(default_factory=list)
    judged: int = 0

    def that(  # noqa: PLR0913 - all that is told of one item
        self,
        held: bool,  # noqa: FBT001 - reads as a sentence: expect.that(probe.anonymous, ...)
        *,
        expected: str,
        observed: str,
        evidence: Iterable[HasExchange | int],
        scope: str = "",
        level: Level | None = None,
        accepted: str = "",
    ) -> bool:
        """Judge one item.

        Args:
            held: whether the promise was kept.
            expected: what a sound application does, in words.
            observed: what this one did: the act, not the look of a header.
            evidence: the answers (or exchange numbers) that show it; never empty.
            scope: which cookie, operation or variant, where there are several.
            level: replaces the requirement's level for this item.
            accepted: the operator's declaration that makes a broken item acceptable, with its residual risk.

        Returns:
            `held`.

        """
        seen = numbers(evidence)
        if not seen:
            raise ValueError(f"{self.requirement.id}: an item was judged without evidence")
        self.judged += 1
        self.evidence += [n for n in seen if n not in self.evidence]
        if not held:
            outcome = Outcome.ACCEPTED if accepted else _BROKEN[level or self.requirement.level]
            text = f"{observed} Accepted: {accepted}" if accepted else observed
            self.findings.append(Finding(scope, expected, text, seen, outcome))
        return held

    def verdict(self) -> Verdict:
        """The verdict so far. A test that judged nothing is a bug of the suite.

        Raises:
            AssertionError: nothing was judged.

        """
        if not self.judged:
            raise AssertionError(
                f"{self.requirement.id}: the test judged nothing; this is a bug of the suite, not of the target"
            )
        outcome = next((o for o in _WORST if any(f.outcome is o for f in self.findings)), Outcome.PASS)
        reason = next((f.observed for f in self.findings if f.outcome is outcome), "")
        return Verdict(
            self.requirement, outcome, reason, tuple(self.findings), tuple(self.evidence), judged=self.judged
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one requirement on one target."""

    requirement: Requirement
    outcome: Outcome
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[int, ...] = ()
    cause: str = ""
    judged: int = 0

    def as_json(self) -> dict[str, Any]:
        """One entry of run.json's ``verdicts``."""
        return {
            **self.requirement.as_json(),
            "outcome": self.outcome.value,
            "reason": self.reason,
            "cause": self.cause,
            "judged": self.judged,
            "findings": [finding.as_json() for finding in self.findings],
            "evidence": list(self.evidence),
        }


def conclude(expect: Expect, error: BaseException | None) -> Verdict | None:  # noqa: PLR0911 - one an end
    """The verdict of a test that ended with `error` (or well); None where the error is a bug and pytest's to report.

    What was found before a test had to stop is not lost: a finding outranks the reason for stopping.
    """
    declared = expect.requirement
    if expect.findings and isinstance(error, NotApplicable | NotRun | Inconclusive):
        found = expect.verdict()
        if found.outcome is Outcome.FAIL or not isinstance(error, Inconclusive):
            return found
        # A lesser finding does not hide that the rest could not be judged.
        return replace(found, outcome=Outcome.INCONCLUSIVE, reason=str(error), cause=error.cause)
    match error:
        case None:
            return expect.verdict()
        case NotApplicable():
            return Verdict(declared, Outcome.NOT_APPLICABLE, str(error))
        case NotRun():
            return Verdict(declared, Outcome.NOT_RUN, str(error))
        case Inconclusive():
            return Verdict(declared, Outcome.INCONCLUSIVE, str(error), evidence=error.evidence, cause=error.cause)
        case _:
            return None


def numbers(evidence: Iterable[HasExchange | int]) -> tuple[int, ...]:
    """Exchange numbers of answers, each once, in order."""
    return tuple(dict.fromkeys(item if isinstance(item, int) else item.exchange for item in evidence))
