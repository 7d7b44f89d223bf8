"""Configuration files: what they make, and what is said of a wrong one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from mock_idp.configuration import docs
from mock_idp.configuration.files import ConfigError, load

if TYPE_CHECKING:
    from mock_idp.configuration.config import Config

ROOT = Path(__file__).parents[2]


def read(tmp_path: Path, text: str, name: str = "idp.toml") -> Config:
    path = tmp_path / name
    path.write_text(text)
    return load(str(path))


def complaint(tmp_path: Path, text: str, name: str = "idp.toml") -> str:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text, name)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(str(tmp_path / name))
    return message.removeprefix(f"{tmp_path / name}: ")


def test_the_example_of_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SECRET", "of the environment")
    found = read(tmp_path, docs.EXAMPLE)
    acme, strict, github = found.tenants
    assert found.provider.issuer == "http://localhost:8080"
    assert (acme.name, acme.settings.auto_approve, acme.settings.access_token) == ("acme", "alice", "jwt")
    assert acme.clients["app"].secret == "of the environment"
    assert acme.accounts["alice"].claims["roles"] == ["admin"]
    assert (strict.name, strict.settings.strict) == ("realms/strict", True)
    assert strict.accounts["carol"].password == "paper-clip"
    assert github.settings.dialect == "github"


def test_the_reference_is_current() -> None:
    for name, make in docs.documents().items():
        assert (ROOT / "docs" / name).read_text() == make(), "run: python -m mock_idp.configuration.docs"


def test_every_setting_has_a_meaning() -> None:
    for line in docs.markdown().splitlines():
        if line.startswith("| `") and line.count(" | ") >= 3:
            meaning = line.rstrip(" |").rpartition(" | ")[2]
            assert len(meaning) > 3 or "`name`" in line or "`metadata`" in line, line


def test_the_schema_takes_the_example_and_refuses_what_the_reader_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", "x")
    schema = docs.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(docs.EXAMPLE), schema)
    wrong: list[dict[str, Any]] = [
        {"tenant": {}},
        {"tenants": {"a": {"auto_aprove": "x"}}},
        {"tenants": {"a": {"strict": "yes"}}},
        {"tenants": {"a": {"signing_alg": "HS256"}}},
        {"tenants": {"a": {"clients": {"c": {"registered": False}}}}},
    ]
    for document in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
        complaint(tmp_path, json.dumps(document), "idp.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tenants.a = 1", "tenants.a: expected a table"),
        ("[tenats.a]", "tenats: unknown key; did you mean tenants?"),
        ("[tenants.a]\nauto_aprove = 'x'", "tenants.a.auto_aprove: unknown key; did you mean tenants.a.auto_approve?"),
        ("[tenants.a]\nzzz = 'x'", "tenants.a.zzz: unknown key; known here: access_token, "),
        ("[tenants.a]\nstrict = 'yes'", "tenants.a.strict: expected true or false, not text"),
        ("[tenants.a]\nrefresh_grace = true", "tenants.a.refresh_grace: expected a whole number, not true or false"),
        ("[tenants.a]\nrefresh_grace = -1", "tenants.a.refresh_grace: expected seconds, at least 0"),
        ("[tenants.a]\nsigning_alg = 'RS265'", "tenants.a.signing_alg: did you mean 'RS256'?"),
        ("[tenants.a]\nsigning_alg = 'none'", "tenants.a.signing_alg: expected one of RS256, PS256, ES256, EdDSA"),
        ("[tenants.a]\nscopes = 'openid'", "tenants.a.scopes: expected a list, not text"),
        ("[tenants.a]\nscopes = [1]", "tenants.a.scopes[0]: expected text, not a whole number"),
        ("[tenants.a]\nresponse_types = ['codes']", "tenants.a.response_types[0]: expected one of 'code', "),
        ("[tenants.a.lifetimes]\ncode = 0", "tenants.a.lifetimes.code: expected seconds, at least 1"),
        ("[tenants.a]\nissuer = 'idp.test'", "tenants.a.issuer: expected an absolute http or https URL"),
        ("[tenants.a]\nissuer = 'http://idp.test/?x'", "tenants.a.issuer: expected an absolute http or https URL"),
        ("[tenants.a]\nissuer = 'http://[::1'", "tenants.a.issuer: expected an absolute http or https URL"),
        ("[tenants.a]\ncors_origins = ['localhost']", "tenants.a.cors_origins[0]: expected an origin"),
        ("[tenants.a.endpoints]\njwks_uri = '/x'", "tenants.a.endpoints.jwks_uri: expected an absolute"),
        ("[tenants.a]\nstrict = true\nauto_approve = 'zoe'", "tenants.a.auto_approve: there is no such account"),
        ("[tenants._control]", "tenants._control: no tenant's name begins with _control"),
        ("[tenants.'a//b']", "tenants.a//b: a tenant's name is segments"),
        ("[tenants.a]\nclients = ['x']", "tenants.a.clients: expected a table, one entry a name"),
        (
            "[tenants.a.clients.c]\nredirect_uris = ['/cb']",
            "tenants.a.clients.c.redirect_uris[0]: expected an absolute",
        ),
        ("[tenants.a.clients.c]\nsecret = ''", "tenants.a.clients.c.secret: is empty"),
        (
            "[tenants.a.clients.c]\nauth_methods = ['client_secret_basic']",
            "tenants.a.clients.c.auth_methods: a method by secret needs a secret",
        ),
        (
            "[tenants.a.clients.c]\nauth_methods = ['private_key_jwt']",
            "tenants.a.clients.c.auth_methods: private_key_jwt needs jwks or jwks_uri",
        ),
        ("[tenants.a.clients.c]\njwks = {}", "tenants.a.clients.c.jwks: expected a JWK set"),
        (
            "[tenants.a.clients.c]\nlenient = ['code-reused']",
            "tenants.a.clients.c.lenient[0]: did you mean 'code-reuse'?",
        ),
        ("[tenants.a.clients.c]\nclient_id = 'd'", "tenants.a.clients.c.client_id: unknown key"),
        ("[tenants.a.clients.'b.c']\nzzz = 1", 'tenants.a.clients."b.c".zzz: unknown key'),
        (
            "[tenants.a.clients.c]\nsecret = 'env:NO_SUCH_VARIABLE'",
            "the environment variable NO_SUCH_VARIABLE is not set",
        ),
        ("[tenants.a.accounts.'fault:x']", "no account's name begins with fault:"),
        ("[tenants.a]\nfaults = ['id-token.aud-wrnog']", "tenants.a.faults[0]: no fault is named"),
        ("[[tenants.a.faults]]\nfault = 'token.http-500'\ntimes = 0", "tenants.a.faults[0].times: expected at least 1"),
        ("[[tenants.a.claim_mappings]]\nmatch = '*'", "tenants.a.claim_mappings[0].parameter: missing"),
        ("[tenants.a.clock]\nat = 'soon'", "tenants.a.clock.at: expected a time such as"),
        ("[tenants.a.dialect_options]\nzzz = 1", "tenants.a.dialect_options: "),
        ("[provider]\nissuer = 'x'", "provider.issuer: expected a URL"),
        ("[provider]\nprefix = '/a?b'", "provider.prefix: expected a path"),
        ("[tenants.a", "is not TOML: "),
    ],
)
def test_a_wrong_configuration_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, text)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    for key in ("secret = 7355608", "secret = ['hush-hush']", "secert = 'hush-hush'"):
        message = complaint(tmp_path, f"[tenants.a.clients.c]\n{key}")
        assert "hush" not in message
        assert "7355608" not in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "provider.toml").write_text("")
    with pytest.raises(ConfigError, match=r"provder\.toml: no such file; did you mean .*provider\.toml\?"):
        load(str(tmp_path / "provder.toml"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"is not UTF-8 text \(byte 0\)"):
        load(str(tmp_path / "binary.toml"))
    with pytest.raises(ConfigError, match="environment variable is not set"):
        load("env:NO_SUCH_VARIABLE")
    assert "nested too deep" in complaint(tmp_path, '{"tenants":' * 100_000, "deep.json")


def test_a_configuration_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP", "[tenants.a]\nstrict = true")
    assert load("env:IDP").tenants[0].settings.strict


def test_dates_become_text(tmp_path: Path) -> None:
    found = read(tmp_path, "[tenants.a.accounts.alice.claims]\nbirthdate = 1990-02-03")
    assert found.tenants[0].accounts["alice"].claims == {"birthdate": "1990-02-03"}


NAVIKT = {
    "interactiveLogin": False,
    "httpServer": {"type": "NettyWrapper", "ssl": {"keyPassword": "x"}},
    "rotateRefreshToken": True,
    "loginPagePath": "./login.html",
    "tokenProvider": {
        "keyProvider": {"initialKeys": '{"kty":"EC"}', "algorithm": "ES256"},
        "systemTime": "2020-01-21T00:00:00Z",
    },
    "tokenCallbacks": [
        {
            "issuerId": "issuer1",
            "tokenExpiry": 120,
            "requestMappings": [
                {
                    "requestParam": "scope",
                    "match": "scope[0-9]",
                    "claims": {"sub": "subByScope", "aud": ["audByScope"]},
                    "typeHeader": "JWT2",
                }
            ],
        }
    ],
}


def test_navikts_configuration_as_it_is(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps(NAVIKT), "config.json")
    (tenant,) = found.tenants
    assert tenant.name == "issuer1"
    assert tenant.settings.signing_alg == "ES256"
    assert tenant.settings.refresh == "rotate"
    assert tenant.settings.auto_approve == "alice"
    assert (tenant.settings.lifetimes.id_token, tenant.settings.lifetimes.access_token) == (120, 120)
    assert tenant.settings.claim_mappings[0].typ == "JWT2"
    assert tenant.clock.now(5) == 1579564800
    assert found.defaults is not None
    assert found.defaults.settings.access_token == "jwt"
    assert [note.partition(" ")[0] for note in found.notes] == [
        "loginPagePath",
        "httpServer.ssl",
        "tokenProvider.keyProvider.initialKeys",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"interactiveLogin": "yes"}', "interactiveLogin: expected true or false"),
        ('{"httpServer": "UnknownServer"}', "httpServer: expected one of NettyWrapper"),
        ('{"tokenCallbacks": {}}', "tokenCallbacks: expected an array"),
        ('{"tokenCallbacks": [{"issuerId": 1}]}', "tokenCallbacks[0].issuerId: expected text"),
        ('{"tokenCallbacks": [{}]}', "tokenCallbacks[0].issuerId: a tenant's name has"),
        (
            '{"tokenCallbacks": [{"issuerId": "a", "requestMappings": [{"match": "*"}]}]}',
            "tokenCallbacks[0].requestMappings[0].requestParam: missing",
        ),
        ('{"tokenProvider": {"systemTime": "noon"}}', "tokenProvider.systemTime.at: expected a time"),
    ],
)
def test_a_wrong_navikt_configuration(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, text, "config.json")
