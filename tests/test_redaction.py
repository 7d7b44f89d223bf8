from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from harness.evidence.redaction import MASK, Redactor
from harness.evidence.secret_shapes import is_plain, is_random, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "Zq7Xk-9vL/2+w=é"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
RANDOM = "q3R9xT7vK2mP8wZ4nB6cY1dF5gH0jL"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(b"salt")


def test_a_mask_tells_length_and_a_salted_tag(redactor: Redactor) -> None:
    mask = redactor.mask("hunter2")
    assert MASK.fullmatch(mask)
    assert "secret 7 #" in mask
    assert redactor.mask("hunter2") == mask
    assert redactor.mask("hunter3") != mask
    assert Redactor(b"other").mask("hunter2") != mask
    assert redactor.mask("") == ""
    assert redactor.mask(mask) == mask


SPELLINGS = {
    "plain": SECRET,
    "percent-encoded": quote(SECRET, safe=""),
    "percent-encoded path": quote(SECRET),
    "percent-encoded, lower case": "Zq7Xk-9vL%2f2%2bw%3d%c3%a9",
    "form": quote_plus(SECRET),
    "JSON": json.dumps(SECRET)[1:-1],
    "HTML": html.escape(SECRET),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_learned_secret_is_masked_in_every_spelling(redactor: Redactor, spelling: str) -> None:
    redactor.learn(SECRET)
    assert SPELLINGS[spelling] not in redactor.scrub(f"before {SPELLINGS[spelling]} after")


@pytest.mark.parametrize("before", ["", "x", "xy", "alice:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_learned_secret_is_masked_inside_base64(
    redactor: Redactor, before: str, encode: Callable[[bytes], bytes]
) -> None:
    redactor.learn(SECRET)
    encoded = encode(f"{before}{SECRET}!".encode()).decode()
    scrubbed = redactor.scrub(f"Basic {encoded}")
    assert MASK.search(scrubbed)
    assert encoded[-16:-8] not in scrubbed


def test_learning_leaves_short_values_and_masks_themselves_alone(redactor: Redactor) -> None:
    redactor.learn("a1", "secret", "secret-longer")
    assert redactor.known == 2
    once = redactor.scrub("a1 is secret-longer, a secret")
    assert once.startswith("a1 is ")
    assert redactor.scrub(once) == once
    assert len(MASK.findall(once)) == 2


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Authorization", f"Bearer {RANDOM}", ["Bearer "]),
        ("Authorization", "Basic YWxpY2U6aHVudGVyMg==", ["Basic "]),
        ("authorization", "hunter2hunter2", []),
        ("Cookie", 'sid=hunter2a; theme="hunter2b"; hunter2c', ["sid=", "theme="]),
        ("Set-Cookie", "sid=hunter2a; Path=/; HttpOnly; SameSite=Lax", ["sid=", "; Path=/; HttpOnly; SameSite=Lax"]),
        (
            "Location",
            "/callback?code=hunter2a&state=hunter2b&error=access_denied#id_token=hunter2c",
            ["/callback?code="],
        ),
        ("Location", "https://u:hunter2@a.example/?next=%2Fcb%3Ftoken%3Dhunter2b", ["https://", "@a.example/"]),
        ("Referer", "https://a.example/reset-password/hunter2aaa", ["https://a.example/reset-password/"]),
        ("X-CSRF-Token", "hunter2", []),
        ("X-Api-Key", "hunter2", []),
        ("X-Whatever", f"see {JWT} and {RANDOM}", ["see ", " and "]),
    ],
)
def test_headers_keep_their_structure_and_lose_their_secrets(
    redactor: Redactor, name: str, value: str, kept: list[str]
) -> None:
    masked = redactor.header(name, value)
    assert "hunter2" not in masked
    assert RANDOM not in masked
    assert "eyJ" not in masked
    assert "YWxp" not in masked
    assert MASK.search(masked)
    assert all(part in masked for part in kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Type", "application/json"),
        ("Access-Control-Allow-Headers", "authorization, x-csrf-token"),
        ("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'),
        ("Location", "/login?next=/notes/3f2504e0-4f89-41d3-9a0c-0305e82c3301&error=access_denied"),
        ("Location", "/login?state=active&code=invalid_grant"),
        ("Cache-Control", "no-store"),
        ("Set-Cookie", "sid=; Max-Age=0"),
        ("Link", "</style.css>; rel=preload; as=style"),
    ],
)
def test_what_is_no_secret_stays_readable(redactor: Redactor, name: str, value: str) -> None:
    assert redactor.header(name, value) == value


@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        ("application/json", '{"username": "alice", "password": "hunter2"}', '"username": "alice"'),
        ("application/json", '{"tokens": {"access": "hunter2"}, "token_type": "Bearer"}', '"token_type": "Bearer"'),
        ("application/json", '{"otp": 1234567, "code": ["hunter2"], "ok": true}', '"ok": true'),
        ("application/json", '{"inner": "{\\"password\\": \\"hunter2\\"}", "id": 7}', '"id": 7'),
        ("application/json", '{"password": "hunter2", "cut": "here', '"cut": "here'),
        ("application/problem+json", '[{"csrfToken": "hunter2"}, "plain"]', '"plain"'),
        ("text/plain", '{"secret": "hunter2", "x": 1}', '"x": 1'),
        (
            "application/x-www-form-urlencoded",
            "username=alice&password=hunter2%21&pin=1234567",
            "username=alice&password=",
        ),
        (
            "multipart/form-data; boundary=x",
            '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--x--\r\n',
            'name="password"',
        ),
        ("text/html", '<input type=hidden name=next value="hunter2"><input name="q" value="kept">', 'value="kept"'),
        ("text/html", "<meta content='hunter2' name='csrf-token'>", "csrf-token"),
        ("text/html", "<script>var csrfToken = 'hunter2', api_key: \"hunter2\";</script>", "csrfToken = "),
        ("text/plain", "token=hunter2;x=1", ";x=1"),
        ("", "go to https://a.example/cb?code=hunter2&x=1 now", "&x=1 now"),
    ],
)
def test_bodies_keep_their_structure_and_lose_their_secrets(
    redactor: Redactor, content_type: str, body: str, kept: str
) -> None:
    masked = redactor.body(content_type, body)
    assert "hunter2" not in masked
    assert "1234567" not in masked
    assert kept in masked
    assert MASK.search(masked)


def test_what_is_found_by_its_place_is_masked_elsewhere_too(redactor: Redactor) -> None:
    redactor.header("Set-Cookie", "sid=hunter2-hunter2; Path=/")
    assert "hunter2" not in redactor.scrub("you are hunter2-hunter2")


def test_error_codes_stay_readable_where_one_time_codes_do_not(redactor: Redactor) -> None:
    body = '{"code": 401, "state": "expired", "error": {"code": "invalid_token"}}'
    assert redactor.body("application/json", body) == body
    assert "123456" not in redactor.body("application/json", '{"code": 123456, "otp": "12345"}')


def test_plain_words_are_masked_in_place_only(redactor: Redactor) -> None:
    assert "dark" not in redactor.header("Cookie", "theme=midnight; lang=en-GB").replace("theme", "")
    assert redactor.scrub("at midnight, in en-GB") == "at midnight, in en-GB"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "newPassword",
            "PASSWD",
            "pwd",
            "accessToken",
            "refresh_token",
            "csrfmiddlewaretoken",
            "x-xsrf-token",
        ),
        *(
            "connect.sid",
            "PHPSESSID",
            "session",
            "client_secret",
            "api_key",
            "apikey",
            "privateKey",
            "otp",
            "totp_code",
        ),
        *("code", "code_verifier", "SAMLResponse", "client_assertion", "credential", "user[password]"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("username", "email", "token_type", "expires_in", "password_changed_at", "csrf_header_name", "error_code"),
        *("status_code", "country_code", "keyboard", "monkey", "", "id", "redirect_uri", "token_endpoint", "author"),
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


def test_random_strings_are_told_from_written_ones() -> None:
    assert is_random(RANDOM)
    assert is_random("0123456789abcdef0123456789abcdef")
    assert is_random("mfk3x9q2hv7w1d8r5t0y4z6bnsgj")
    for written in (
        "XMLHttpRequestEventTarget",
        "access-control-allow-credentials",
        "a-rather-long-slug-of-an-article-2024",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "--------------------------------",
        "AbstractSingletonProxyFactoryBean",
        "111111111111111111111111",
    ):
        assert not is_random(written), written


def test_plain_text() -> None:
    assert all(map(is_plain, ["dark", "en-GB", "invalid_grant", "/dashboard", "42", "Bearer", "https://a.example/x"]))
    assert not any(map(is_plain, ["hunter2", "s3cret-value", "a" * 20, "correctHorse", "https://a.example/?a=b"]))


@pytest.mark.parametrize(
    "hostile",
    [
        "a=" * 30_000,
        '"' * 60_000,
        "<input " * 9_000,
        "token=" + " " * 60_000,
        "/reset-" * 9_000,
        "?a=/" * 15_000,
        "[" * 60_000,
    ],
)
def test_hostile_text_is_read_in_one_go(redactor: Redactor, hostile: str) -> None:
    """Whatever is quadratic in the length of evidence takes minutes here, and the test never ends."""
    redactor.learn(SECRET)
    for content_type in ("text/html", "application/json", "multipart/form-data", "application/x-www-form-urlencoded"):
        assert SECRET not in redactor.body(content_type, hostile + SECRET)
    assert SECRET not in redactor.url(hostile + SECRET)
