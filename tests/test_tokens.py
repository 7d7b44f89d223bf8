"""Reading and forging tokens: what an independent library makes of them is the judge."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tokens import Jwt, find_jwts, forge, forgeries, guess_key, looks_like_jwt, tamper_opaque
from harness.tokens.jwt import encode
from harness.tokens.secrets import SAMPLE_KEYS

KEY = "a key of thirty-two bytes or more, never published"
OTHER_KEY = "another key of thirty-two bytes, also unpublished"
CLAIMS = {"sub": "alice", "iat": 1_700_000_000, "exp": 4_100_000_000, "role": "user"}


def token(key: str = KEY, algorithm: str = "HS256", **claims: Any) -> str:
    return pyjwt.encode({**CLAIMS, **claims}, key, algorithm=algorithm)


def accepted(text: str, key: str | bytes = KEY) -> bool:
    try:
        pyjwt.decode(text, key, algorithms=["HS256", "HS384", "HS512"])
    except pyjwt.InvalidTokenError:
        return False
    return True


def unverified(text: str) -> dict[str, Any]:
    claims: dict[str, Any] = pyjwt.decode(text, options={"verify_signature": False})
    return claims


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# -- reading


def test_a_token_is_read_without_its_key() -> None:
    parsed = Jwt.parse(token())
    assert parsed is not None
    assert parsed.header == {"alg": "HS256", "typ": "JWT"}
    assert parsed.claims == CLAIMS
    assert parsed.algorithm == "HS256"
    assert parsed.subject == "alice"
    assert parsed.issued_at == 1_700_000_000
    assert parsed.expires_at == 4_100_000_000
    assert parsed.lifetime_s == 2_400_000_000
    assert ".".join(parsed.segments) == parsed.raw
    assert len(parsed.signature) == 32


def test_its_repr_keeps_the_secret() -> None:
    text = token()
    shown = repr(Jwt.parse(text)) + repr(forgeries(text))
    assert "alice" not in shown
    assert not any(part in shown for part in text.split("."))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a.b",
        "a.b.c.d",
        "opaque-credential",
        "not base64!.e30.e30",
        f"{segment({'alg': 'HS256'})}.{segment([1])}.",  # the payload is no object
        f"{segment({'typ': 'JWT'})}.{segment({})}.c2ln",  # no alg
        f"{segment({'alg': 1})}.{segment({})}.c2ln",
        f"{segment({'alg': 'HS256'})}.{segment({})}.s",  # no base64 has this length
        f"{segment({'alg': 'dir', 'enc': 'A256GCM'})}..aXY.Y2lwaGVy.dGFn",  # encrypted: five segments
        f"{segment({'alg': 'HS256'})}.{base64.urlsafe_b64encode(b'[' * 40_000).decode().rstrip('=')}.c2ln",
        "e" * 100_000,
    ],
)
def test_what_is_no_signed_token_is_none(text: str) -> None:
    assert Jwt.parse(text) is None
    assert not looks_like_jwt(text)


@given(st.text() | st.lists(st.text(alphabet="eyJhbGciOiJ_-09."), max_size=5).map(".".join))
def test_reading_never_raises(text: str) -> None:
    Jwt.parse(text)
    find_jwts(text)


@pytest.mark.parametrize("odd", ["soon", None, True, 1e400, 10**400, [1]])
def test_dates_that_are_none(odd: object) -> None:
    parsed = Jwt.parse(f"{segment({'alg': 'none'})}.{segment({'exp': odd, 'iat': odd, 'sub': odd and 7})}.")
    assert parsed is not None
    assert (parsed.expires_at, parsed.issued_at, parsed.lifetime_s, parsed.subject) == (None, None, None, None)


def test_tokens_are_found_wherever_they_stand() -> None:
    one, two = token(), token(sub="bob")
    text = f'{{"access_token": "{one}"}}\nSet-Cookie: t=s%3A{two}; Path=/\nAgain, {one}.'
    assert [found.raw for found in find_jwts(text)] == [one, two]
    assert find_jwts(f"x{one}") == []
    assert find_jwts("version 1.2.3, e.g.this.that, eyJ.eyJ.sig") == []


def test_a_token_with_spaces_in_its_header_is_found() -> None:
    header = base64.urlsafe_b64encode(b'{ "alg": "none" }').decode().rstrip("=")
    odd = f"{header}.{segment(CLAIMS)}."
    assert [found.raw for found in find_jwts(f"token={odd}&x=1")] == [odd]


def test_a_long_text_is_searched_quickly() -> None:
    started = time.process_time()
    assert find_jwts("ey" * 500_000) == []
    assert find_jwts("ey." * 300_000) == []
    assert time.process_time() - started < 20


# -- forging


def test_no_forgery_is_accepted_and_each_is_another() -> None:
    genuine = token()
    made = forgeries(genuine, other=token(sub="bob"))
    assert accepted(genuine)
    assert not [forgery.name for forgery in made if accepted(forgery.token)]
    assert len({forgery.token for forgery in made} | {genuine}) == len(made) + 1
    assert len({forgery.name for forgery in made}) == len(made)
    assert len(made) >= 12


def test_a_reader_that_skips_one_check_accepts_the_forgery_made_for_it() -> None:
    """Each forgery must be well-formed: a target refuses it for the signature alone."""
    for forgery in forgeries(token(), other=token(sub="bob")):
        claims = unverified(forgery.token)
        assert claims["sub"] == "alice", forgery.name
        assert abs(claims["exp"] - CLAIMS["exp"]) <= 1, forgery.name


def test_an_unsigned_token_loses_no_signature() -> None:
    made = forgeries(forge.alg_none(token()))
    assert not [forgery.name for forgery in made if "half" in forgery.name]


@pytest.mark.parametrize("spelling", forge.NONE_SPELLINGS)
def test_alg_none_in_every_spelling(spelling: str) -> None:
    bare = forge.alg_none(token(), spelling)
    assert pyjwt.get_unverified_header(bare)["alg"] == spelling
    assert bare.endswith(".")
    assert forge.alg_none(token(), spelling, keep_signature=True).split(".")[2] == token().split(".")[2]


def test_flipping_the_payload_keeps_everything_but_one_second() -> None:
    genuine = Jwt.parse(token())
    flipped = Jwt.parse(forge.flip_payload(token()))
    assert genuine is not None
    assert flipped is not None
    assert flipped.claims == {**CLAIMS, "exp": CLAIMS["exp"] + 1}  # type: ignore[operator]
    assert flipped.segments[::2] == genuine.segments[::2]


@pytest.mark.parametrize("claims", [{}, {"exp": 1.5e9, "sub": "x"}, {"a": {"exp": 3}}, {"iat": -5}])
def test_flipping_a_payload_without_a_date(claims: dict[str, Any]) -> None:
    genuine = forge.hs256(claims, KEY)
    flipped = forge.flip_payload(genuine)
    parsed = Jwt.parse(flipped)
    assert parsed is not None
    assert parsed.claims != claims
    assert flipped.split(".")[2] == genuine.split(".")[2]


@given(st.binary(min_size=1, max_size=80))
def test_a_flipped_signature_always_differs_in_its_bytes(signature: bytes) -> None:
    genuine = f"{segment({'alg': 'HS256'})}.{segment(CLAIMS)}.{encode(signature)}"
    before, after = Jwt.parse(genuine), Jwt.parse(forge.flip_signature(genuine))
    assert before is not None
    assert after is not None
    assert len(after.signature) == len(before.signature)
    assert after.signature != before.signature


def test_single_forgeries_do_what_they_say() -> None:
    genuine, other = token(), token(OTHER_KEY)
    assert forge.empty_signature(genuine) == genuine.rsplit(".", 1)[0] + "."
    assert forge.other_signature(genuine, other).split(".") == [*genuine.split(".")[:2], other.split(".")[2]]
    assert len(getattr(Jwt.parse(forge.truncate_signature(genuine)), "signature", b"")) == 16
    assert (
        pyjwt.decode(forge.swap_claim(genuine, "role", "admin"), options={"verify_signature": False})["role"] == "admin"
    )
    assert "role" not in pyjwt.decode(forge.strip_claim(genuine, "role"), options={"verify_signature": False})
    header = pyjwt.get_unverified_header(forge.with_header(genuine, kid="../x", typ=None))
    assert header == {"alg": "HS256", "kid": "../x"}


def test_an_expired_token_is_expired_and_otherwise_genuine() -> None:
    with pytest.raises(pyjwt.ExpiredSignatureError):
        pyjwt.decode(forge.expired(token(), key=KEY), KEY, algorithms=["HS256"])
    with pytest.raises(pyjwt.InvalidSignatureError):
        pyjwt.decode(forge.expired(token()), KEY, algorithms=["HS256"])


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_hmac_signatures_are_those_of_the_standard(algorithm: str) -> None:
    key = KEY * 2
    assert accepted(forge.hs256(CLAIMS, key, header={"alg": algorithm}), key)
    with pytest.raises(ValueError, match="RS256"):
        forge.hs256(CLAIMS, KEY, header={"alg": "RS256"})


def test_the_example_of_rfc_7515_is_guessed() -> None:
    example = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert (
        guess_key(example) == "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    )


def test_only_what_can_be_forged_is_forged() -> None:
    for act in (forgeries, forge.flip_payload, forge.flip_signature, forge.alg_none):
        with pytest.raises(ValueError, match="not a signed JWT") as raised:
            act("opaque-secret-credential")
        assert "opaque" not in str(raised.value)
    with pytest.raises(ValueError, match="no signature"):
        forge.flip_signature(forge.alg_none(token()))


@given(st.from_regex(r"[0-9A-Za-z%._~-]*[0-9A-Za-z][0-9A-Za-z._~-]*", fullmatch=True))
def test_a_tampered_credential_differs_in_one_character_of_its_kind(text: str) -> None:
    try:
        tampered = tamper_opaque(text)
    except ValueError:
        return  # nothing but escapes
    changed = [(a, b) for a, b in zip(text, tampered, strict=True) if a != b]
    assert len(changed) == 1
    (before, after) = changed[0]
    assert before.isdigit() == after.isdigit()
    assert before.isupper() == after.isupper()
    if set(text) <= set("0123456789abcdef"):
        assert int(tampered, 16) != int(text, 16)


def test_tampering_leaves_escapes_alone() -> None:
    assert tamper_opaque("a%2Fb") in {"b%2Fb", "a%2Fc"}
    for nothing in ("", "--", "%2F"):
        with pytest.raises(ValueError, match="letter or digit"):
            tamper_opaque(nothing)


# -- well-known keys


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_sample_key_is_guessed(algorithm: str) -> None:
    for key in ("secret", "your-secret-key-change-in-production", SAMPLE_KEYS[0]):
        assert guess_key(forge.hs256(CLAIMS, key, header={"alg": algorithm})) == key


def test_a_sample_key_is_guessed_where_the_library_decodes_it() -> None:
    key = "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970"
    assert guess_key(forge.hs256(CLAIMS, base64.b64decode(key))) == key


def test_other_keys_are_not_guessed() -> None:
    assert guess_key(token()) is None
    assert guess_key(token(), extra=["x", KEY]) == KEY
    assert guess_key("opaque") is None
    assert guess_key(forge.alg_none(token("secret" * 6))) is None


def test_the_sample_keys_are_a_bounded_list_of_different_ones() -> None:
    assert 80 <= len(SAMPLE_KEYS) <= 160
    assert len(set(SAMPLE_KEYS)) == len(SAMPLE_KEYS)
