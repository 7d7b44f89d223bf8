"""No password, token or cookie value of a run is found in any file it writes or line it prints."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from harness.report.terminal import render
from harness.user_agent import Wire
from tests.judging import judge, reference_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.user_agent.wire import WireRequest, WireResponse

HARMLESS = {"", "garbage", "xx.yy.zz", "...", ".", "not-a-credential"}
"""What the harness itself sends in the place of a credential."""
PREFERENCES = {"theme"}
"""Cookies of the reference app that hold no secret."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every secret value that crosses the wire, as it crosses."""
    values: set[str] = set()
    send = Wire.send

    def listening(self: Wire, request: WireRequest) -> WireResponse:
        response = send(self, request)
        values.update(_sent(request))
        values.update(_received(response))
        return response

    monkeypatch.setattr(Wire, "send", listening)
    return values


def _sent(request: WireRequest) -> Iterator[str]:
    for name, value in request.headers:
        if name.lower() == "cookie":
            pairs = (pair.partition("=") for pair in value.split("; "))
            yield from (text for key, _, text in pairs if key not in PREFERENCES)
        if name.lower() == "authorization":
            yield value.partition(" ")[2]
    try:
        body = json.loads(request.body or b"null")
    except ValueError:
        return
    if isinstance(body, dict):
        yield from (
            v
            for k, v in body.items()
            if isinstance(v, str) and ("password" in k or "token" in k) and k != "token_delivery"
        )


def _received(response: WireResponse) -> Iterator[str]:
    for name, value in response.headers:
        if name.lower() == "set-cookie":
            key, _, text = value.partition(";")[0].partition("=")
            yield from [text] if key not in PREFERENCES else []
    try:
        body: Any = json.loads(response.body)
    except ValueError:
        return
    if isinstance(body, dict):
        yield from (v for k, v in body.items() if isinstance(v, str) and k in {"access_token", "refresh_token"})


@pytest.mark.parametrize(
    ("profile", "defects"),
    [
        ("cookie", []),
        ("bearer", []),
        ("cookie", ["error-shows-traceback"]),
        ("cookie", ["login-redirect-carries-token"]),
        ("cookie", ["client-token-twin"]),
        ("bearer", ["token-in-query"]),
        ("bearer", ["jwt-carries-user-row"]),
    ],
    ids=str,
)
def test_no_secret_of_a_run_is_written_or_drawn(
    profile: str, defects: list[str], seen: set[str], tmp_path: Path
) -> None:
    alice, bob = (f"{name}-{secrets.token_hex(8)}-Canary" for name in ("Alice", "Bob"))
    path = reference_profile(
        tmp_path,
        profile,
        defects=defects,
        settings={"alice_password": alice, "bob_password": bob},
        replace={"Alice-correct-horse-1": alice, "Bob-battery-staple-2": bob},
    )
    document = judge(path, tmp_path / "report", allow=["aggressive"])
    secret = {alice, bob, *seen} - HARMLESS
    written = (tmp_path / "report" / "run.json").read_text() + render(document, width=120, colour=False)  # type: ignore[arg-type]
    forms = {
        value: {value, quote(value, safe=""), base64.b64encode(value.encode()).decode()}
        for value in secret
        if len(value) >= 6
    }
    leaked = sorted(value[:12] for value, written_as in forms.items() if any(form in written for form in written_as))
    assert len(secret) > 4
    assert leaked == []
    assert "‹secret" in written  # noqa: RUF001 - the mark of a mask


def test_no_secret_is_printed(tmp_path: Path) -> None:
    """The terminal, verbose and with pytest's own failure output, from the outside."""
    password = f"Alice-{secrets.token_hex(8)}"
    path = reference_profile(
        tmp_path,
        "cookie",
        defects=["login-issues-nothing"],
        settings={"alice_password": password},
        replace={"Alice-correct-horse-1": password},
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "suites",
        "-p",
        "no:cacheprovider",
        "-vv",
        "-rA",
        "--showlocals",
        "--auth-profile",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stdout
    assert password not in done.stdout + done.stderr
