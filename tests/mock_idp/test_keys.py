"""Keys of tenants: the pool, rings that rotate, JWKS; signatures checked by two libraries that had no part in them."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, get_args

import jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import JWKRegistry, KeySet

from mock_idp.keys import ALGORITHMS, Algorithm, KeyRef, KeyRing, Rotation, jwk, make, signer
from mock_idp.keys.pool import FORGER_SLOT, POOL_SIZE, pool
from mock_idp.keys.rotation import rotate
from mock_idp.records import Tenant
from mock_idp.store.memory import MemoryStore
from mock_idp.tokens import jws

if TYPE_CHECKING:
    from collections.abc import Collection

# joserfc wants the algorithm to be called Ed25519 (RFC 9864), which hardly a relying party understands yet.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

NOW = 1_800_000_000.0


def jwks_document(ring: KeyRing) -> str:
    return json.dumps({"keys": [jwk(key) for key in ring.published()]})


def ring_of(tenant: str, *algs: Algorithm, taken: Collection[int] = ()) -> KeyRing:
    ring = KeyRing()
    for alg in algs:
        asyncio.run(ring.add(tenant, alg, taken))
    return ring


def rotated(ring: KeyRing, *modes: Rotation, alg: Algorithm | None = None) -> KeyRing:
    """The ring of the tenant "acme" after these rotations, as a store does them."""

    async def turn() -> KeyRing:
        store = MemoryStore()
        await store.create(Tenant("acme", keys=ring))
        for mode in modes:
            await rotate(store, "acme", mode, alg)
        tenant = await store.tenant("acme")
        assert tenant
        return tenant.keys

    return asyncio.run(turn())


def key_ids(ring: KeyRing) -> list[str]:
    return [key["kid"] for key in json.loads(jwks_document(ring))["keys"]]


def is_verified_by_both(token: str, ring: KeyRing) -> bool:
    """Whether PyJWT and joserfc, given the JWKS alone, both accept the signature."""
    document = json.loads(jwks_document(ring))
    kid = jwt.get_unverified_header(token)["kid"]
    named = [key for key in document["keys"] if key["kid"] == kid]
    if not named:
        return False
    alg = named[0]["alg"]
    jwt.decode(token, jwt.PyJWK(named[0]), algorithms=[alg], options={"verify_exp": False, "verify_aud": False})
    joserfc_jwt.decode(token, KeySet.import_key_set(document), algorithms=[alg])
    return True


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_is_verified_by_two_libraries(alg: Algorithm) -> None:
    ring = ring_of("acme", "RS256", "PS256", "ES256", "EdDSA")
    claims = {"iss": "http://127.0.0.1/acme", "sub": "Zoë", "exp": 4_000_000_000, "email": None, "n": [1, {"a": True}]}
    token = jws.sign(claims, ring.active(alg))
    assert is_verified_by_both(token, ring)
    assert jwt.decode(token, options={"verify_signature": False}) == claims
    assert jwt.get_unverified_header(token) == {"alg": alg, "typ": "JWT", "kid": ring.active(alg).kid}


def test_header_members_are_added_replaced_and_left_out() -> None:
    ref = ring_of("acme", "EdDSA").active("EdDSA")
    assert jwt.get_unverified_header(jws.sign({}, ref, typ="at+jwt"))["typ"] == "at+jwt"
    assert "typ" not in jwt.get_unverified_header(jws.sign({}, ref, typ=None))
    assert jwt.get_unverified_header(jws.sign({}, ref, header={"kid": "other", "x": 1})) == {
        "alg": "EdDSA",
        "typ": "JWT",
        "kid": "other",
        "x": 1,
    }


def test_key_ids_are_thumbprints_that_say_they_are_a_mocks() -> None:
    ring = ring_of("acme", "RS256", "PS256", "ES256", "EdDSA")
    for key in json.loads(jwks_document(ring))["keys"]:
        assert key["use"] == "sig"
        assert key["kid"] == f"mock-{JWKRegistry.import_key(key).thumbprint()}"


def test_no_private_part_is_published() -> None:
    ring = ring_of("acme", "RS256", "PS256", "ES256", "EdDSA")
    for key in json.loads(jwks_document(ring))["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


def test_the_pool_says_what_it_is_and_has_no_key_twice() -> None:
    assert len({entry["jwk"]["n"] for entry in pool()}) == POOL_SIZE + 1
    assert [entry["jwk"]["kid"] for entry in pool()] == [
        JWKRegistry.import_key({**entry["jwk"]}).thumbprint() for entry in pool()
    ]


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_named_tenant_has_the_same_keys_after_a_restart(alg: Algorithm) -> None:
    assert ring_of("acme", alg) == ring_of("acme", alg)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_tenants_have_keys_of_their_own(alg: Algorithm) -> None:
    assert len({ring_of(f"tenant-{number}", alg).active(alg).kid for number in range(50)}) == 50


def test_rsa_keys_come_from_free_slots_and_are_generated_beyond_them() -> None:
    rings: list[KeyRing] = []
    for number in range(POOL_SIZE + 2):
        taken = set[int]().union(*(ring.slots() for ring in rings))
        rings.append(ring_of(f"tenant-{number}", "RS256", taken=taken))
    assert len({ring.active("RS256").kid for ring in rings}) == POOL_SIZE + 2
    assert all(ring.slots() for ring in rings[:POOL_SIZE])
    assert [ring.slots() for ring in rings[POOL_SIZE:]] == [set(), set()]
    assert FORGER_SLOT not in set[int]().union(*(ring.slots() for ring in rings))
    assert is_verified_by_both(jws.sign({"sub": "a"}, rings[-1].active("RS256")), rings[-1])


def test_a_ring_survives_json() -> None:
    ring = rotated(ring_of("acme", "RS256", "EdDSA"), "announce")
    written = json.loads(json.dumps(dataclasses.asdict(ring)))
    assert KeyRing([KeyRef(**key) for key in written["keys"]], written["made"]) == ring


def test_an_announced_key_is_published_and_does_not_sign() -> None:
    ring = ring_of("acme", "RS256")
    old = ring.active("RS256").kid
    rotated(ring, "announce")
    assert ring.active("RS256").kid == old
    assert len(key_ids(ring)) == 2
    assert key_ids(ring)[0] == old


def test_use_lets_the_announced_key_sign_and_retire_drops_the_old() -> None:
    ring = ring_of("acme", "RS256")
    old = ring.active("RS256").kid
    rotated(ring, "announce", "use")
    assert ring.active("RS256").kid != old
    assert old in key_ids(ring)
    assert is_verified_by_both(jws.sign({}, ring.active("RS256")), ring)
    rotated(ring, "retire")
    assert key_ids(ring) == [ring.active("RS256").kid]


def test_swap_drops_the_old_key_at_once() -> None:
    ring = ring_of("acme", "ES256")
    old = ring.active("ES256")
    token = jws.sign({}, old)
    rotated(ring, "swap")
    assert key_ids(ring) == [ring.active("ES256").kid] != [old.kid]
    assert not is_verified_by_both(token, ring)


def test_unknown_signs_with_a_key_that_no_jwks_lists() -> None:
    ring = ring_of("acme", "RS256")
    published = key_ids(ring)
    rotated(ring, "unknown")
    assert key_ids(ring) == published
    assert ring.active("RS256").kid not in published
    rotated(ring, "unknown")
    assert [key.state for key in ring.keys] == ["retired", "unpublished"]
    rotated(ring, "swap")
    assert key_ids(ring) == [ring.active("RS256").kid]


@pytest.mark.parametrize("mode", ["swap", "unknown"])
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_no_key_comes_back(alg: Algorithm, mode: Rotation) -> None:
    ring = ring_of("acme", alg)
    seen = {ring.active(alg).kid}
    for _ in range(20):
        rotated(ring, mode)
        assert ring.active(alg).kid not in seen
        seen.add(ring.active(alg).kid)
    assert len(ring.keys) <= 2


def test_one_algorithm_is_rotated_alone_and_all_without_a_name() -> None:
    ring = ring_of("acme", "RS256", "EdDSA")
    rsa, ed = ring.active("RS256").kid, ring.active("EdDSA").kid
    rotated(ring, "swap", alg="EdDSA")
    assert (ring.active("RS256").kid, ring.active("EdDSA").kid != ed) == (rsa, True)
    rotated(ring, "swap")
    assert ring.active("RS256").kid != rsa


def test_what_cannot_be_done_is_said_in_a_sentence() -> None:
    ring = ring_of("acme", "RS256")
    with pytest.raises(ValueError, match="no RS256 key is announced: rotate with 'announce' first"):
        rotated(ring, "use")
    with pytest.raises(ValueError, match="the rotation 'swap' needs a new key"):
        ring.rotate("swap", "RS256")
    with pytest.raises(KeyError, match="nobody"):
        asyncio.run(rotate(MemoryStore(), "nobody", "swap"))
    with pytest.raises(LookupError, match="no key for ES256"):
        ring.active("ES256")
    with pytest.raises(ValueError, match="no rotation 'spin'"):
        rotated(ring, "spin")  # type: ignore[arg-type]
    assert get_args(Rotation) == ("announce", "use", "swap", "retire", "unknown")


def test_publishing_rsa_keys_needs_no_cryptography() -> None:
    program = (
        "import asyncio, sys\n"
        "from mock_idp.keys import KeyRing, jwk\n"
        "import mock_idp.tokens.jws\n"
        "ring = KeyRing(); jwk(asyncio.run(ring.add('acme', 'RS256')))\n"
        "sys.exit('cryptography' in sys.modules or 'jwt' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0


@pytest.mark.parametrize(
    ("alg", "function", "length"),
    [("RS256", "sha256", 16), ("ES256", "sha256", 16), ("RS384", "sha384", 24), ("EdDSA", "sha512", 32)],
)
def test_half_hash(alg: str, function: str, length: int) -> None:
    half = jwt.utils.base64url_decode(jws.half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", alg))
    assert half == hashlib.new(function, b"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y").digest()[:length]


def test_half_hash_of_the_specification() -> None:
    """The code and c_hash of OIDC Core 1.0, appendix A.6."""
    assert (
        jws.half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "RS256") == "LDktKdoQak3Pk0cnXxCltA"
    )


# -- verification of what clients send --


def client_key(alg: Algorithm) -> tuple[Any, dict[str, Any]]:
    """A private key for PyJWT and the public JWK."""
    ref = asyncio.run(make("a client", alg))
    return signer(ref).private, json.loads(jwks_document(KeyRing([ref])))["keys"][0]


def refused(token: str, key: Any, **expected: Any) -> str:
    with pytest.raises(jws.TokenRefusedError) as caught:
        jws.verify(token, key, **{"algs": ["RS256", "ES256", "EdDSA", "HS256"], "now": NOW, **expected})
    return str(caught.value)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_assertion_of_another_library_is_verified(alg: Algorithm) -> None:
    private, public = client_key(alg)
    token = jwt.encode({"iss": "c", "aud": ["x", "y"], "exp": NOW + 60}, private, alg, headers={"kid": public["kid"]})
    verified = jws.verify(token, {"keys": [public]}, algs=[alg], aud=["y"], iss="c", now=NOW, require=["exp"])
    assert verified.claims["iss"] == "c"
    assert verified.header["alg"] == alg
    assert jws.verify(token, public, algs=[alg], now=NOW).claims == verified.claims


def test_a_short_secret_is_good_enough() -> None:
    token = jws_with_secret({"sub": "a"}, "short")
    assert jws.verify(token, "short", algs=["HS256"], now=NOW).claims == {"sub": "a"}
    assert refused(token, "other") == "the signature is wrong"


def jws_with_secret(claims: dict[str, Any], secret: str) -> str:
    message = b".".join(jws.base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    return (message + b"." + jws.base64url(hmac.digest(secret.encode(), message, "sha256"))).decode()


def test_a_public_key_is_no_secret() -> None:
    _, public = client_key("RS256")
    assert "allowed are RS256, ES256, EdDSA" in refused(jws_with_secret({}, json.dumps(public)), public)
    private, _ = client_key("RS256")
    assert "allowed are HS256" in refused(jwt.encode({}, private, "RS256"), "secret")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 31}, "it expired 31 seconds ago"),
        ({"nbf": NOW + 31}, "it is not valid for another 31 seconds"),
        ({"iat": NOW + 31}, "it was issued 31 seconds in the future"),
        ({"exp": str(NOW + 60)}, "the claim 'exp' is no time in seconds"),
        ({"exp": True}, "the claim 'exp' is no time in seconds"),
        ({"exp": None}, "the claim 'exp' is no time in seconds"),
        ({"exp": float("nan")}, "the claim 'exp' is no time in seconds"),
        ({"exp": 10**400}, "the claim 'exp' is no time in seconds"),
        ({"aud": "other"}, "its aud is 'other'"),
        ({"aud": ["other", 5]}, r"its aud is ['other', 5]"),
        ({"aud": None}, "its aud is None"),
        ({"iss": "other"}, "its iss is 'other'; expected is 'c'"),
        ({"jti": ...}, "the claim 'jti' is missing"),
    ],
)
def test_times_audience_and_issuer_are_checked_by_our_clock(claims: dict[str, Any], reason: str) -> None:
    good: dict[str, Any] = {"iss": "c", "aud": "as", "exp": NOW + 60, "jti": "1"}
    changed = {name: value for name, value in {**good, **claims}.items() if value is not ...}
    expected: dict[str, Any] = {"aud": "as", "iss": "c", "require": ["jti"]}
    private, public = client_key("EdDSA")
    sent = jwt.PyJWS().encode(json.dumps(good).encode(), private, "EdDSA")
    assert jws.verify(sent, public, algs=["EdDSA"], now=NOW, **expected).claims == good
    sent = jwt.PyJWS().encode(json.dumps(changed).encode(), private, "EdDSA")
    assert reason in refused(sent, public, **expected)


def test_an_expired_hint_may_be_read() -> None:
    private, public = client_key("EdDSA")
    token = jwt.encode({"exp": 5}, private, "EdDSA")
    assert jws.verify(token, public, algs=["EdDSA"], now=NOW, check_times=False).claims == {"exp": 5}


def test_typ_is_compared_as_a_media_type() -> None:
    private, public = client_key("EdDSA")
    token = jwt.encode({}, private, "EdDSA", headers={"typ": "application/DPOP+jwt"})
    assert jws.verify(token, public, algs=["EdDSA"], now=NOW, typ=["dpop+jwt"])
    assert "allowed are JWT" in refused(token, public, typ=["JWT"])


def test_a_key_is_found_by_its_id() -> None:
    (private, mine), (_, other) = client_key("ES256"), client_key("EdDSA")
    token = jwt.encode({}, private, "ES256", headers={"kid": "strange"})
    assert "no ES256 key with kid 'strange'" in refused(token, {"keys": [mine, other]})
    assert "no ES256 key is registered" in refused(jwt.encode({}, private, "ES256"), {"keys": [other]})
    assert jws.verify(jwt.encode({}, private, "ES256"), {"keys": [other, mine]}, algs=["ES256"], now=NOW)
    assert "cannot be read" in refused(jwt.encode({}, private, "ES256"), {"kty": "EC", "crv": "P-256", "x": "AA"})


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "\ud800", "e30.e30.", "W10.W10.W10"])
def test_rubbish_is_refused_in_a_sentence(token: str) -> None:
    assert refused(token, client_key("EdDSA")[1])
