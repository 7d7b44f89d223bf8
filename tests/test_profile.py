"""Profiles: every mistake is one line that names file and key, says what to do, and never repeats a secret."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import profile
from harness.profile import ProfileError
from harness.profile import docs as profile_docs
from harness.profile.examples import EXAMPLES, minimal

ROOT = Path(__file__).parents[1]
SECRET = "Tr0ub4dor-and-3"
SOUND = f"""
[target]
origin = "https://app.example.com"
[accounts.alice]
username = "alice"
password = "{SECRET}"
[probe]
path = "/me"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | str, **more: Any) -> str:
    with pytest.raises(ProfileError) as raised:
        profile.load(str(path), **more)
    line = str(raised.value)
    assert "\n" not in line
    assert SECRET not in line
    assert "pydantic" not in line
    assert str(path) in line
    return line


def test_a_sound_profile_is_a_target(tmp_path: Path) -> None:
    target = profile.load(str(written(tmp_path, SOUND)))
    assert target.origin == target.front_origin == target.name == "https://app.example.com"
    assert target.user.password.get_secret_value() == SECRET
    assert SECRET not in repr(target)
    assert target.session.carriers == ["cookie"]
    assert (target.refresh, target.logout, target.csrf, target.write) == (None, None, None, None)


# -- the file


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    written(tmp_path, SOUND)
    assert refusal(tmp_path / "shop.tml").endswith(f"did you mean {tmp_path / 'shop.toml'}?")
    assert "reference:NAME" in refusal(tmp_path / "elsewhere" / "x.toml")
    assert "no such profile" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[target\n", "is not TOML: "),
        (b"a = 1\na = 2\n", "is not TOML: "),
        (b'a = "\xff"', "is not UTF-8 text (byte 5)"),
    ],
)
def test_a_file_that_is_not_toml(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_bytes(content)
    assert told in refusal(path)


def test_a_profile_shipped_with_the_reference_app() -> None:
    assert profile.locate("reference:cookie").name == "cookie.toml"
    assert "reference:bearer, reference:both, reference:cookie" in refusal("reference:cookies")


# -- its keys


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("[probe]", "[prob]"), "prob: unknown key; did you mean probe?"),
        (('path = "/me"', 'pth = "/me"'), "probe.pth: unknown key; did you mean probe.path?"),
        (('username = "alice"', 'user = "alice"'), "accounts.alice.user: unknown key; did you mean"),
        (("[probe]", "zzz = 1\n[probe]"), "accounts.alice.zzz: unknown key; known here: disposable, identity"),
        (('[probe]\npath = "/me"', ""), "probe: missing; add it as [probe] (The protected endpoint"),
        (('path = "/me"', ""), "probe.path: missing; add it (Path of a GET endpoint"),
        (('origin = "https://app.example.com"', ""), "target.origin: missing; add it (Origin of the application"),
        ((f'password = "{SECRET}"', ""), "accounts.alice.password: missing; add it (The password"),
        (("https://app.example.com", "app.example.com"), "target.origin: expected an origin such as"),
        (("https://app.example.com", "https://app.example.com/x"), "target.origin: expected an origin such as"),
        (("https://app.example.com", "ftp://app.example.com"), "target.origin: expected an origin such as"),
        (('"/me"', '"me"'), "probe.path: expected a path that begins with one /"),
        (('"/me"', '"//me"'), "probe.path: expected a path that begins with one /"),
        (('"/me"', '"/me"\nidentity = "name"'), "probe.identity: expected a JSON pointer"),
        (('"/me"', "7"), "probe.path: expected a valid string"),
        (("[probe]", '[login]\nencoding = "xml"\n[probe]'), "login.encoding: expected 'json', 'form', 'multipart' or"),
        (("[probe]", '[session]\ncarriers = ["body"]\n[probe]'), "session.carriers.0: expected 'cookie' or 'header'"),
        (("[probe]", '[csrf]\ndefence = "token"\n[probe]'), "csrf: expected [csrf.token]"),
        (("[probe]", '[csrf]\ndefence = "custom-header"\n[probe]'), 'csrf: expected `header = "Name: value"`'),
        (
            ("[probe]", '[write]\npath = "/x"\ncheck = "/x"\nfields = { a = "b" }\n[probe]'),
            "write: expected `{marker}` in one of `fields`",
        ),
        (("[probe]", '[login.anti_forgery]\nheader = "X"\n[probe]'), "login.anti_forgery: expected `page`"),
        (("[probe]", '[login.anti_forgery]\npage = "/x"\n[probe]'), "login.anti_forgery: expected `header` or `field`"),
        (("[probe]", '[[login.steps]]\npath = "/x"\nmthod = "X"\n[probe]'), "did you mean login.steps.0.method?"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    path = written(tmp_path, SOUND.replace(*change, 1))
    assert refusal(path).startswith(f"{path}: ")
    assert told in refusal(path)


@pytest.mark.parametrize(
    "accounts",
    [
        "",
        "accounts = {}",
        f'accounts = "{SECRET}"',
        f'[accounts]\nalice = "{SECRET}"',
        f'[accounts.a]\npassword = ["{SECRET}"]',
    ],
)
def test_accounts_that_are_none(accounts: str, tmp_path: Path) -> None:
    rest = '[target]\norigin = "https://app.example.com"\n[probe]\npath = "/me"\n'
    assert "accounts" in refusal(written(tmp_path, f"{accounts}\n{rest}"))


# -- secrets


def with_password(tmp_path: Path, value: str) -> Path:
    return written(tmp_path, SOUND.replace(SECRET, value))


def test_a_password_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_password(tmp_path, "env:AUTHCONFORM_TEST_PASSWORD")
    monkeypatch.delenv("AUTHCONFORM_TEST_PASSWORD", raising=False)
    told = "accounts.alice.password: the environment variable AUTHCONFORM_TEST_PASSWORD is not set"
    assert told in refusal(path)
    monkeypatch.setenv("AUTHCONFORM_TEST_PASSWORD", "")
    assert told in refusal(path)
    monkeypatch.setenv("AUTHCONFORM_TEST_PASSWORD", SECRET)
    assert profile.load(str(path)).user.password.get_secret_value() == SECRET


def test_a_password_of_a_file_beside_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_password(tmp_path, "file:secrets/alice")
    monkeypatch.chdir("/")
    assert f"accounts.alice.password: the file {tmp_path}/secrets/alice cannot be read" in refusal(path)
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "alice"
    file.write_text("\n")
    assert "is empty" in refusal(path)
    file.write_bytes(b"\xff" + SECRET.encode())
    assert "cannot be read (UnicodeDecodeError)" in refusal(path)
    file.write_text(f" {SECRET} \r\n")
    assert profile.load(str(path)).user.password.get_secret_value().strip() == SECRET


def test_another_mistake_beside_a_resolved_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHCONFORM_TEST_PASSWORD", SECRET)
    path = with_password(tmp_path, 'env:AUTHCONFORM_TEST_PASSWORD"\ndisposable = "perhaps')
    assert "accounts.alice.disposable: expected a valid boolean" in refusal(path)


# -- what a command line adds


LAUNCHED = """
[target]
origin = "http://127.0.0.1:{port}"
ca = "{dir}/ca.pem"
plain_http_port = "{plain_port}"
[launch]
command = ["{python}", "-m", "app", "{port}"]
env = { DATA = "{dir}" }
[accounts.alice]
username = "alice"
password = "{port}"
[login]
fields = { hint = "{username}" }
[probe]
path = "/me"
"""


def test_placeholders_are_filled_in_where_the_target_is_started(tmp_path: Path) -> None:
    values = {"python": "py", "port": "8001", "plain_port": "8002", "dir": "/run"}
    target = profile.load(str(written(tmp_path, LAUNCHED)), values=values)
    assert (target.origin, target.at.ca, target.at.plain_http_port) == ("http://127.0.0.1:8001", "/run/ca.pem", 8002)
    assert target.launch is not None
    assert target.launch.command == ["py", "-m", "app", "8001"]
    assert target.launch.env == {"DATA": "/run"}
    assert target.login.fields == {"hint": "{username}"}
    assert target.user.password.get_secret_value() == "{port}"


def test_a_running_target_has_none_of_what_placeholders_would_point_at(tmp_path: Path) -> None:
    target = profile.load(str(written(tmp_path, LAUNCHED)), origin="https://staging.example.com")
    assert (target.origin, target.at.ca, target.at.plain_http_port) == ("https://staging.example.com", None, None)


def test_an_origin_of_the_command_line_is_judged_like_one_of_the_file(tmp_path: Path) -> None:
    assert "target.origin: expected an origin" in refusal(written(tmp_path, SOUND), origin="example.com/login")
    bare = written(tmp_path, SOUND.replace("[target]", "target = 1\n[other]"))
    assert "target" in refusal(bare, origin="https://a.example")
    without = SOUND.replace('[target]\norigin = "https://app.example.com"', "")
    assert profile.load(str(written(tmp_path, without)), origin="https://a.example").origin == "https://a.example"


# -- the documentation


@pytest.mark.parametrize("name", profile_docs.documents())
def test_the_documents_are_the_present_ones(name: str) -> None:
    made = profile_docs.documents()[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made, "python -m harness.profile.docs writes it"


def test_checking_the_documents_writes_nothing() -> None:
    command = [sys.executable, "-m", "harness.profile.docs", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("text", [minimal(), minimal("http://127.0.0.1:8000"), *(text for _, _, text in EXAMPLES)])
def test_the_examples_are_sound(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALICE", "BOB", "SPARE"):
        monkeypatch.setenv(f"{name}_PASSWORD", SECRET)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "alice").write_text(SECRET)
    assert profile.load(str(written(tmp_path, text))).user.username.startswith("alice")
    jsonschema.validate(tomllib.loads(text), profile_docs.json_schema(), cls=jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_the_profile_refuses() -> None:
    schema = profile_docs.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    sound = tomllib.loads(SOUND)
    jsonschema.validate(sound, schema)
    wrong: list[dict[str, Any]] = [
        {**sound, "prob": {}},
        {**sound, "accounts": {}},
        {**sound, "login": {"encoding": "xml"}},
        {key: value for key, value in sound.items() if key != "probe"},
    ]
    for document in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)


def test_the_page_explains_every_key_of_the_schema() -> None:
    page = profile_docs.markdown()
    schema = json.loads(json.dumps(profile_docs.json_schema()))
    models = [*schema["$defs"].values(), schema]
    for name in {name for model in models for name in model.get("properties", {})}:
        assert f"`{name}`" in page or f"[{name}" in page or f".{name}" in page, name
    assert page.count("```toml") == 1 + len(EXAMPLES)
