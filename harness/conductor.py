"""The hooks of a run of ours: start the target, turn ends of tests into verdicts, gather them, write the report.

With pytest-xdist the controller starts the target and writes the report; workers judge and attach what they found to
their reports as plain JSON. Without it both happen in one process, by the same code.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.launch import LaunchError
from harness.needs import ALLOWANCES, admit
from harness.profile import ProfileError
from harness.report.progress import LEGEND, AreaProgress
from harness.report.run import ReportError, write
from harness.run import Json, Options, Run
from harness.selection import declared_by
from harness.user_agent import Unreachable
from harness.verdict import Expect, Inconclusive, Outcome, Verdict, conclude

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.evidence.exchange import Recorder
    from harness.report.document import RunDocument
    from harness.requirement import Requirement

EXPECT = pytest.StashKey[Expect]()
_PARCEL = "authconform"


class Conductor:
    """One run of ours in one process.

    Attributes:
        run: the run.
        recorder: where exchanges go, once the first flow has begun.

    """

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.config = config
        self.run = run
        self.recorder: Recorder | None = None
        self._shipped = 0
        self._progress: AreaProgress | None = None
        self._worker = hasattr(config, "workerinput")
        self._document: RunDocument | None = None

    @classmethod
    def begin(cls, config: pytest.Config) -> Conductor:
        """Read the profile and start the target, or, in a worker, join the run that the controller began.

        Raises:
            pytest.UsageError: the profile, the command or the report folder cannot be used.

        """
        options = _options(config)
        try:
            if hasattr(config, "workerinput"):
                return cls(config, Run.join(options, config.workerinput[_PARCEL]))
            return cls(config, Run.begin(options))
        except (ProfileError, LaunchError, ReportError) as error:
            raise pytest.UsageError(str(error)) from None

    # -- before

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what the run is about."""
        node.workerinput[_PARCEL] = self.run.share()

    def pytest_report_header(self) -> str:
        """What is judged."""
        return f"authconform: {self.run.target.name} ({self.run.path})"

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Our own progress lines, where every test is a requirement."""
        declared = [declared_by(item) for item in session.items]
        if not self._worker and declared and all(declared):
            self._begin_progress(Counter(d.area for d in declared if d))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """With workers the controller collects nothing itself; areas are learned from the names of the suites."""
        del node
        areas = [_area(nodeid) for nodeid in ids]
        if self._progress is None and areas and all(areas):
            self._begin_progress(Counter(area for area in areas if area))

    def _begin_progress(self, totals: Counter[str]) -> None:
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        if reporter is None or self.config.option.verbose > 0:
            return
        reporter.showfspath = False
        live = bool(reporter.isatty)
        self._progress = AreaProgress(reporter.write, totals, colour=bool(reporter.hasmarkup), live=live)
        reporter.ensure_newline()
        reporter.write_line(LEGEND)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Nothing is judged before the target that we started listens."""
        if self.run.launched is None:
            return
        try:
            self.run.launched.wait_until_ready()
        except LaunchError as error:
            self.run.end()
            raise pytest.UsageError(str(error)) from None

    # -- each requirement

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A requirement that does not apply costs no request."""
        declared = declared_by(item)
        if declared is not None:
            admit(declared, self.run.target, self.run.options.allow)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the end of a requirement's test into its verdict."""
        report = yield
        declared = declared_by(item)
        if declared is None or call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
            return report
        error = self._unreached(call.excinfo.value) if call.excinfo else None
        verdict, bug = _judge(declared, item.stash.get(EXPECT, None), error)
        verdict = self._scrubbed(verdict)
        if not bug:
            _shape(report, verdict, item)
        elif error is None:
            report.outcome, report.longrepr = "failed", bug
        item.user_properties.append(("outcome", verdict.outcome.value))
        parcel = {**self._parcel(), "verdict": verdict.as_json(), "bug": bool(bug)}
        report.authconform = parcel  # type: ignore[attr-defined]
        return report

    def _unreached(self, error: BaseException) -> BaseException:
        """What a request without an answer is to a requirement: no verdict, with what was asked and what happened."""
        if not isinstance(error, Unreachable):
            return error
        asked = (
            next((e for e in self.recorder.exchanges if e.number == error.exchange), None) if self.recorder else None
        )
        said = f"{asked.method} {asked.url}: {error.line}" if asked else error.line
        return Inconclusive(said, *([asked.number] if asked else []), cause="target does not answer")

    def _scrubbed(self, verdict: Verdict) -> Verdict:
        """The verdict without secrets: its texts quote what the target said and where, and go into every report."""
        if self.recorder is None:
            return verdict
        clean = self.recorder.redactor.scrub
        findings = [replace(f, observed=clean(f.observed), expected=clean(f.expected)) for f in verdict.findings]
        return replace(verdict, reason=clean(verdict.reason), cause=clean(verdict.cause), findings=tuple(findings))

    def _parcel(self) -> Json:
        """What was recorded since the last parcel, as plain JSON."""
        fresh = self.recorder.exchanges[self._shipped :] if self.recorder else []
        self._shipped += len(fresh)
        matrix, self.run.measured = self.run.measured, []
        return {"exchanges": [e.as_json() for e in fresh], "matrix": matrix, "doubtful": self.run.doubtful}

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Requirements are counted under their outcomes; their progress is printed by us."""
        parcel = getattr(report, "authconform", None)
        if parcel is None or parcel["bug"]:
            return None
        outcome = parcel["verdict"]["outcome"].replace("_", " ")
        return (outcome, "", "") if self._progress else (outcome, outcome[0], outcome.upper())

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Collect what a test brought (on the controller, where there are workers)."""
        parcel = getattr(report, "authconform", None)
        if parcel is None or self._worker:
            return
        node = getattr(report, "node", None)
        verdict = self.run.collect(parcel, node.gateway.id if node else "")
        if self._progress is not None and verdict is not None:
            self._progress.add(verdict["area"], verdict["outcome"])

    # -- after

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None]:
        """A worker sends home what is left; the controller stops the target and writes the document."""
        yield
        if self._worker:
            self.config.workeroutput[_PARCEL] = self._parcel()  # type: ignore[attr-defined]
            return
        self.run.collect(self._parcel())
        if self._progress is not None:
            self._progress.close()
        self.run.end()
        if not self.run.verdicts:
            return
        self._document = self.run.document(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
        write(self._document, self.run.options.report)
        if self.run.doubtful and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """Take what a worker sends home at its end."""
        del error
        parcel = getattr(node, "workeroutput", {}).get(_PARCEL)
        if parcel:
            self.run.collect(parcel, node.gateway.id)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The verdicts, for a person."""
        if self._document is None:
            return
        from harness.report.terminal import render  # noqa: PLC0415 - what draws is needed only now

        width = min(shutil.get_terminal_size((100, 24)).columns, 140)
        text = render(self._document, width=width, colour=bool(terminalreporter.hasmarkup))
        terminalreporter.ensure_newline()
        for line in text.splitlines():
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"Written: {self.run.options.report}/run.json")

    def pytest_unconfigure(self) -> None:
        """Whatever happened, nothing is left running."""
        self.run.end()


def _options(config: pytest.Config) -> Options:
    def given(name: str) -> Any:
        chosen = getattr(config.option, f"auth_{name}")
        return chosen if chosen is not None else config.getini(f"auth_{name}")

    allow = frozenset(given("allow"))
    unknown = sorted(allow - set(ALLOWANCES))
    if unknown:
        raise pytest.UsageError(f"--auth-allow {unknown[0]}: expected one of {', '.join(ALLOWANCES)}")
    return Options(
        given("profile"),
        given("target") or None,
        Path(given("report") or "authconform-report"),
        tuple(given("only")),
        allow,
    )


def _judge(declared: Requirement, expect: Expect | None, error: BaseException | None) -> tuple[Verdict, str]:
    """The verdict of a test's end, and the bug in the suite that it shows, if any."""
    try:
        verdict = conclude(expect or Expect(declared), error)
        bug = f"{type(error).__name__}: {error}" if verdict is None else ""
    except AssertionError as unjudged:
        verdict, bug = None, str(unjudged)
    if verdict is None:
        verdict = Verdict(
            declared,
            Outcome.INCONCLUSIVE,
            "a bug of the suite, not of the target; see pytest's report of it",
            cause=declared.id,
        )
    return verdict, bug


def _shape(report: pytest.TestReport, verdict: Verdict, item: pytest.Item) -> None:
    """Make pytest count a verdict as what it is; no traceback: nobody's code is at fault here."""
    said = f"{verdict.requirement.id}: {verdict.outcome.value.replace('_', ' ')}: {verdict.reason}"
    if verdict.outcome.red:
        report.outcome, report.longrepr = "failed", said
    elif verdict.outcome in {Outcome.NOT_APPLICABLE, Outcome.NOT_RUN}:
        path, line, _ = item.reportinfo()
        report.outcome, report.longrepr = "skipped", (str(path), (line or 0) + 1, verdict.reason)
    else:
        report.outcome, report.longrepr = "passed", None


def _area(nodeid: str) -> str | None:
    """The area that a suite's file stands for: ``suites/test_login.py::…`` is login."""
    name = nodeid.partition("::")[0].replace("\\", "/").rpartition("/")[2]
    return name.removeprefix("test_").removesuffix(".py") if name.startswith("test_") else None
