"""The tokens that the application issues: what it takes for its own, for how long, and what they tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from harness.flows.pages import point_text
from harness.requirement import INFO, MUST, SHOULD, Level, requirement
from harness.sources import ASVS, CWE, OAUCH, RFC6265BIS, RFC6749, RFC6750, RFC7518, RFC7519, RFC8725, RFC10017, WSTG
from harness.tokens import forge, guess_key
from harness.verdict import Inconclusive, NotApplicable
from suites.acts import contents, forging
from suites.acts.caching import directives
from suites.acts.issued import Issued, issued, value_of
from suites.acts.waiting import Clock

if TYPE_CHECKING:
    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.run import Run
    from harness.target import Target
    from harness.user_agent import Answer
    from harness.verdict import Expect

LEEWAY_S = 300
"""How far clocks may differ."""
LONG_S = 3600


@pytest.fixture(scope="module")
def values(flows: Flows, login: Login, held: Captured, access_cookies: frozenset[str]) -> list[Issued]:
    """The values that authenticate the shared login, seen to do so: what refusals are held against."""
    found = issued(held, access_cookies)
    probe = flows.probe(found[0].held)
    if not probe.names(login.account):
        raise Inconclusive(
            f"the credential of the shared login does not work any more: {probe.said()}",
            probe,
            cause="shared login ended",
        )
    return found


@pytest.fixture(scope="module")
def signed(values: list[Issued]) -> list[Issued]:
    """Those that are signed tokens (JWT)."""
    found = [one for one in values if one.jwt is not None]
    if not found:
        raise NotApplicable("the access credential is opaque: a reference, not a token")
    return found


@requirement(
    "tokens.integrity-verified",
    MUST,
    [ASVS("9.1.1"), RFC8725("3.3"), RFC7519("7.2"), WSTG("SESS-10"), CWE(347)],
    defects=["jwt-signature-unverified"],
    remedy="Verify the signature of every token before reading any of it, with a library, verification switched on.",
)
def test_altered_tokens_are_refused(
    flows: Flows, values: list[Issued], request: pytest.FixtureRequest, expect: Expect
) -> None:
    """A credential that was altered is refused.

    Why: whoever may write into a token writes another user's name into it.

    Test: change the payload, the signature, cut or remove it, take another token's, name another user; of an opaque
    credential change characters; ask the probe with each.
    """
    other: Login | None = request.getfixturevalue("other_login") if flows.target.other_user else None
    for one in values:
        for forgery in forging.tampered(one, value_of(flows, other, one.name) if other else None):
            probe = flows.probe(one.with_token(forgery.token), label="forger")
            expect.that(
                probe.anonymous,
                expected="an altered credential signs nobody in",
                observed=f"Forged ({forgery.name}): {probe.said()}.",
                evidence=[probe],
                scope=f"{one.where}: {forgery.name}",
            )


@requirement(
    "tokens.alg-restricted",
    MUST,
    [ASVS("9.1.2"), RFC8725("3.1"), RFC8725("3.2"), CWE(347)],
    defects=["jwt-alg-from-header"],
    remedy="Give the verifier the one algorithm and key that you sign with; take neither from the token.",
)
def test_only_the_expected_algorithm_is_taken(flows: Flows, signed: list[Issued], expect: Expect) -> None:
    """A token is accepted under the expected algorithm and key only.

    Why: a verifier that does as the token says takes "none" for a signature, or a public key for a secret.

    Test: re-declare a genuine token as unsigned in several spellings, sign it with an empty key, with a key it brings
    along or that its kid points at, and with the keys that the target publishes.
    """
    for one in signed:
        assert one.jwt is not None
        control = flows.probe(one.with_token(forge.flip_signature(one.jwt.raw)), label="forger")
        if not control.anonymous:
            raise NotApplicable("signatures are not verified at all, which is judged by tokens.integrity-verified")
        for forgery in forging.misdeclared(flows, one.jwt):
            probe = flows.probe(one.with_token(forgery.token), label="forger")
            expect.that(
                probe.anonymous,
                expected="the token signs nobody in",
                observed=f"Forged ({forgery.name}): {probe.said()}.",
                evidence=[control, probe],
                scope=f"{one.where}: {forgery.name}",
            )


@requirement(
    "tokens.key-not-guessable",
    MUST,
    [RFC8725("3.5"), RFC7518("3.2"), ASVS("13.3.1"), CWE(798), CWE(521)],
    defects=["jwt-key-tutorial"],
    act="aggressive",
    remedy="Generate the key (secrets.token_hex(32)), keep it out of the code, and replace the published one now.",
)
def test_the_signing_key_is_in_no_book(
    flows: Flows, signed: list[Issued], login: Login, target: Target, expect: Expect
) -> None:
    """Tokens are not signed with a key that everyone can look up.

    Why: with the key of a tutorial anyone signs in as anyone.

    Test: try the sample keys of frameworks, templates and tutorials on one token, here, without asking the target; if
    one fits, sign a token with it and show it to the probe once.
    """
    for one in signed:
        assert one.jwt is not None
        if not one.jwt.algorithm.startswith("HS"):
            raise NotApplicable(f"tokens are signed with {one.jwt.algorithm}, which has no secret to guess")
        key = guess_key(one.jwt.raw, extra=[target.name, target.origin, target.at.architecture])
        proof: list[Answer | Probe] = [*login.answers[:1]]
        said = ""
        if key is not None:
            probe = flows.probe(
                one.with_token(forge.hs256({**one.jwt.claims, "forged": True}, key, header=one.jwt.header)),
                label="forger",
            )
            proof.append(probe)
            said = f"; with a token signed by us {probe.said()}"
        expect.that(
            key is None,
            expected="a key that no list of sample keys holds",
            observed=f"The key of {len(key or '')} characters is a published sample{said}.",
            evidence=proof or [flows.probe(one.held)],
            scope=one.where,
        )


@requirement(
    "tokens.expiry-enforced",
    MUST,
    [RFC7519("4.1.4"), ASVS("9.2.1"), RFC6750("5.3")],
    defects=["jwt-exp-ignored"],
    remedy="Put exp into every access token, minutes rather than hours ahead; let the verifier demand and check it.",
)
def test_tokens_expire(flows: Flows, auth_run: Run, signed: list[Issued], sign_in: SignIn, expect: Expect) -> None:
    """An access token says when it expires, soon, and is refused afterwards.

    Why: a stolen token that does not expire is good for ever.

    Test: read exp; then replay the token six minutes after it has passed (five are leeway), by the clock header or by
    waiting where that is short and allowed.
    """
    for one in signed:
        assert one.jwt is not None
        now, expires = flows.probe(one.held, headers=flows.later(0)), one.jwt.expires_at
        expect.that(
            expires is not None,
            expected="an expiry (exp)",
            observed="The token has no exp.",
            evidence=[now],
            scope=one.where,
        )
        if expires is None:
            continue
        lifetime = one.jwt.lifetime_s or expires - time.time()
        level = _level_of_long_life(flows, sign_in) if lifetime > LONG_S else SHOULD
        expect.that(
            lifetime <= LONG_S,
            expected="a life of an hour at most",
            observed=f"The token lives for {lifetime:.0f} s{', though logout ends it' if level is INFO else ''}.",
            evidence=[now],
            scope=one.where,
            level=level,
        )
        if not now.names(flows.target.user):
            raise Inconclusive(f"the genuine token does not work: {now.said()}", now, cause="shared login ended")
        ahead = max(0.0, expires - time.time()) + LEEWAY_S + 60
        late = flows.probe(one.held, headers=Clock(flows, auth_run, ahead).at(ahead))
        expect.that(
            late.anonymous,
            expected="an expired token signs nobody in",
            observed=f"Six minutes after its expiry: {late.said()}.",
            evidence=[now, late],
            scope=one.where,
        )


def _level_of_long_life(flows: Flows, sign_in: SignIn) -> Level:
    """A long life matters less where logout ends the token all the same."""
    if flows.target.logout is None:
        return SHOULD
    own = sign_in()
    taken = flows.credentials(own)
    flows.log_out(own)
    return INFO if flows.probe(taken).anonymous else SHOULD


@requirement(
    "tokens.response-not-cacheable",
    MUST,
    [RFC6749("5.1"), OAUCH("CacheControl"), ASVS("14.3.2")],
    needs=["token_body"],
    defects=["token-answer-cacheable"],
    act="writes",
    remedy="Send Cache-Control: no-store (for old caches also Pragma: no-cache) with every token in a body.",
)
def test_answers_with_tokens_are_not_stored(flows: Flows, login: Login, sign_in: SignIn, expect: Expect) -> None:
    """Answers with a token in the body forbid storing.

    Why: the browser's disk, or a proxy's, would hold the token.

    Test: read Cache-Control of the answers to login and refresh that have a token in their body.
    """
    answers = {"login": login.answers[0]} if login.answers else {}
    if flows.target.refresh is not None:
        answers["refresh"] = flows.refresh(sign_in()).answer
    refresh = flows.target.refresh
    pointers = {flows.target.login.access_token, refresh.access_token if refresh else None}
    for name, answer in answers.items():
        if not any(point_text(answer.json(), pointer) for pointer in pointers):
            continue
        stored = answer.headers.get("Cache-Control") or "absent"
        said = f"{name}: {answer.method} {answer.shown} answered with a token and Cache-Control: {stored}"
        forbidden = "no-store" in directives(answer)
        expect.that(forbidden, expected="no-store", observed=f"{said}.", evidence=[answer], scope=name)
        if forbidden:
            expect.that(
                "no-cache" in (answer.headers.get("Pragma") or "").lower(),
                expected="Pragma: no-cache, for old caches",
                observed=f"{said}, without Pragma.",
                evidence=[answer],
                scope=f"{name}: Pragma",
                level=INFO,
            )
    if not expect.judged:
        raise NotApplicable("no answer has a token in its body")


@requirement(
    "tokens.payload-minimal",
    INFO,
    [RFC6265BIS("8.3"), ASVS("14.2.6"), ASVS("14.1.1"), RFC10017("6.1.3.2")],
    defects=["jwt-carries-user-row"],
    remedy="Put an identifier into the token and nothing else; look up the rest where it is needed.",
)
def test_tokens_tell_little(login: Login, held: Captured, expect: Expect) -> None:
    """Self-contained credentials hold no secrets, and no more about people than they must.

    Why: a signed token is readable by everyone who gets hold of it, in logs and browsers too.

    Test: decode every token and signed cookie of the login; look for password hashes, keys and other tokens, and for
    e-mail addresses, names and roles.
    """
    carried = [*held.cookies.values(), held.refresh or "", (held.access.authorization or "").partition(" ")[2]]
    read = [claims for value in dict.fromkeys(carried) for claims in contents.contents(value)]
    if not read or not login.answers:
        raise NotApplicable("the login gave no token that can be read")
    for claim, kind in {found for claims in read for found in contents.telling(claims)}:
        expect.that(
            False,
            expected="identifiers only",
            observed=f"The claim {claim} is {kind}, and readable by whoever holds the token.",
            evidence=login.answers[:1],
            scope=claim,
            level=MUST if kind == contents.SECRET else INFO,
        )
    expect.that(True, expected="tokens that could be read", observed="", evidence=login.answers[:1])
