"""Ways to sign in beyond one JSON request: several steps, the user's own function, a token from a page or a cookie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.judging import coloured, judge
from tests.small_app import Handler, SmallApp, small_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "anti-forgery-0123456789"
PAGE = f'<!doctype html><form method="post"><input type="hidden" name="csrf" value="{TOKEN}"></form>'
PLAIN = '[login]\npath = "/in"\n'


@pytest.fixture
def app() -> Iterator[SmallApp]:
    """The small application, which here also wants a token that its page and a cookie hold."""

    def page(handler: Handler) -> None:
        handler.answer(
            200,
            None,
            ("Content-Type", "text/html"),
            ("Set-Cookie", f"seed={TOKEN}; Path=/"),
            ("X-Seed", TOKEN),
            body=PAGE.encode(),
        )

    def guarded(handler: Handler) -> None:
        sent = json.loads(handler.sent) if handler.headers.get("Content-Type") == "application/json" else {}
        if TOKEN in {handler.headers.get("X-CSRF"), sent.get("csrf")}:
            handler.sign_in()
        else:
            handler.answer(403, {"detail": "forged"})

    with small_app() as running:
        running.misbehaviours = {"/page": page, "/in": guarded}
        yield running


def signs_in(app: SmallApp, folder: Path, login: str) -> bool:
    """Whether a run with this [login] passes the first requirement."""
    profile = app.profile(folder)
    text = profile.read_text()
    assert PLAIN in text
    profile.write_text(text.replace(PLAIN, login))
    document = judge(profile, folder / "report", only=["login.success-authenticates"])
    assert TOKEN not in json.dumps(document)
    return coloured(document) == {}


@pytest.mark.parametrize(
    "login",
    [
        '[login]\npath = "/in"\nanti_forgery = { page = "/page", field = "csrf" }\n',
        '[login]\npath = "/in"\nanti_forgery = { page = "/page", field = "csrf", header = "X-CSRF" }\n',
        '[login]\npath = "/in"\nanti_forgery = { page = "/page", cookie = "seed", header = "X-CSRF" }\n',
        """[[login.steps]]
path = "/page"
method = "GET"
take = { csrf = { field = "csrf" } }
[[login.steps]]
path = "/in"
fields = { username = "{username}", password = "{password}", csrf = "{csrf}" }
""",
        """[[login.steps]]
path = "/page"
method = "GET"
take = { seed = { header = "X-Seed" } }
[[login.steps]]
path = "/in"
headers = { X-CSRF = "{seed}" }
fields = { username = "{username}", password = "{password}" }
""",
        """[[login.steps]]
path = "/page"
method = "GET"
take = { seed = { cookie = "seed" } }
[[login.steps]]
path = "/in"
headers = { X-CSRF = "{seed}" }
fields = { username = "{username}", password = "{password}" }
""",
    ],
    ids=[
        "field of a page",
        "header from a page",
        "header from a cookie",
        "steps, field",
        "steps, header",
        "steps, cookie",
    ],
)
def test_tokens_are_found_and_sent_back(app: SmallApp, tmp_path: Path, login: str) -> None:
    assert signs_in(app, tmp_path, login)


def test_a_login_without_its_token_is_a_finding(app: SmallApp, tmp_path: Path) -> None:
    assert not signs_in(app, tmp_path, PLAIN)


def test_a_function_of_the_users_own(app: SmallApp, tmp_path: Path) -> None:
    (tmp_path / "signin.py").write_text(
        "from harness.user_agent import Body\n"
        "def sign_in(user_agent, account):\n"
        "    password = account.password.get_secret_value()\n"
        f"    body = Body.json({{'username': account.username, 'password': password, 'csrf': {TOKEN!r}}})\n"
        f"    user_agent.send('POST', {app.origin + '/in'!r}, body=body)\n"
    )
    assert signs_in(app, tmp_path, '[login]\nfunction = "signin.py:sign_in"\n')


@pytest.mark.parametrize(
    ("name", "text"), [("nowhere.py:sign_in", ""), ("signin.py:other", "x = 1\n"), ("signin.py:sign_in", "1/0\n")]
)
def test_a_function_that_is_not_there_is_a_usage_error(
    app: SmallApp, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    (tmp_path / "signin.py").write_text(text)
    profile = app.profile(tmp_path)
    profile.write_text(profile.read_text().replace(PLAIN, f'[login]\nfunction = "{name}"\n'))
    with pytest.raises(AssertionError, match="USAGE_ERROR"):
        judge(profile, tmp_path / "report")
    assert "small.toml: login.function: " in capsys.readouterr().err
    assert app.seen == 0


def test_a_function_that_fails_is_a_root_cause_without_its_message(app: SmallApp, tmp_path: Path) -> None:
    (tmp_path / "signin.py").write_text(
        "def sign_in(user_agent, account):\n    raise RuntimeError(account.password.get_secret_value())\n"
    )
    profile = app.profile(tmp_path)
    profile.write_text(profile.read_text().replace(PLAIN, '[login]\nfunction = "signin.py:sign_in"\n'))
    document = judge(profile, tmp_path / "report", only=["login.success-authenticates"])
    (verdict,) = document["verdicts"]
    assert verdict["outcome"] == "inconclusive"
    assert "RuntimeError in line 2" in verdict["reason"]
    assert "Ann-secret" not in json.dumps(document)
