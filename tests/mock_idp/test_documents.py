"""The provider's documents say what it does."""

from __future__ import annotations

import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from mock_idp import start

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("generator", ["mock_idp.configuration.docs", "mock_idp.control.docs"])
def test_generated_documents_are_current(generator: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_module(generator).main(["--check"]) == 0, capsys.readouterr().err


def test_the_control_commands_work_as_they_stand() -> None:
    text = re.search(r"```console\n(.*?)```", (DOCS / "provider-control.md").read_text(), re.DOTALL)
    assert text is not None
    _, alias, *commands = (line.removeprefix("$ ") for line in text[1].splitlines())
    control = shlex.split(alias.partition("=")[2])[0]
    with start(control_token="secret") as provider:
        for command in commands:
            said = command.replace("control", control, 1).replace("localhost:9000", provider.base)
            if "wait=5" in said:
                provider.tenant("acme").authorize(exchange=True)
            done = subprocess.run(["bash", "-c", said], capture_output=True, text=True, timeout=30, check=True)
            assert done.stdout
            assert '"error"' not in done.stdout, f"{command}: {done.stdout}"
