"""Refresh: what a refresh credential gives, to whom, how often and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.flows.credentials import Credentials
from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, OAUCH, RFC6749, RFC8725, RFC9700
from harness.verdict import NotApplicable
from suites.acts.extension import Extension
from suites.acts.forged_refresh import forged
from suites.acts.refreshed import access_values, present, refresh_as, said, same_access, shown
from suites.acts.renewal import Renewal, rotate
from suites.acts.reuse import independent, judge_reuse, refresh_twice

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login
    from harness.run import Run
    from harness.target import Target
    from harness.verdict import Expect

ROUNDS = 3
"""How often two refreshes are sent at once before none is said to have slipped through."""


@pytest.fixture(scope="module")
def renewal(flows: Flows, login: Login, access_cookies: frozenset[str]) -> Renewal:
    """A login of its own, refreshed twice by the front end and once from a clean client."""
    cookie = flows.find_refresh_cookie(login, access_cookies)
    return Renewal(flows, access_cookies, cookie, rotate(flows, 2))


@requirement(
    "refresh.renews-access",
    MUST,
    [RFC6749("6")],
    needs=["refresh"],
    defects=["refresh-issues-nothing"],
    act="writes",
    remedy="Answer a valid refresh credential with a new access credential for the same user, without asking for more.",
)
def test_a_refresh_credential_renews_access(renewal: Renewal, expect: Expect) -> None:
    """A valid refresh credential yields a new working access credential for the same user.

    Why: users would be signed out whenever an access credential ends, and nothing about refreshing could be told.

    Test: refresh as the front end does, then from a clean client with the refresh credential alone; with the new access
    credential ask the probe who one is.
    """
    rotations = renewal.rotations
    account = rotations.login.account
    tries = [*rotations.steps, *([rotations.bare] if rotations.bare else [])]
    for held, outcome in zip(rotations.held, tries, strict=False):
        got, probe = outcome
        scope = "without the access credential" if outcome is rotations.bare else "as the front end does"
        works = expect.that(
            probe is not None and probe.names(account),
            expected=f"a new access credential for {account.known_as}",
            observed=f"refreshed {scope}: {said(outcome)}",
            evidence=shown(outcome),
            scope=scope,
        )
        expect.that(
            not works or not same_access(held, got),
            expected="the access credential is a new one",
            observed=f"refreshed {scope}: {said(outcome)}; it is the access credential of before",
            evidence=[got],
            scope=scope,
            level=INFO,
        )


@requirement(
    "refresh.invalid-rejected",
    MUST,
    [RFC6749("6"), RFC6749("10.4"), RFC8725("3.3")],
    needs=["refresh"],
    defects=["refresh-unverified"],
    act="writes",
    remedy="Verify the refresh token's signature, or look the value up, before believing it; otherwise answer 401.",
)
def test_only_genuine_refresh_credentials_are_accepted(renewal: Renewal, flows: Flows, expect: Expect) -> None:
    """Missing, malformed or tampered refresh credentials are refused.

    Why: whoever can make up a refresh credential is signed in as anyone, for as long as they like.

    Test: refresh with no credential, a random one, and a genuine one that was tampered with in each way that shows
    what is not verified; see whether anything issued signs somebody in.
    """
    held = flows.capture(renewal.sign_in())
    for name, value in forged(renewal.separate(held)):
        outcome = refresh_as(flows, present(held, value))
        expect.that(
            outcome[1] is None,
            expected=f"a refresh with {name} is refused",
            observed=f"sent {name}: {said(outcome)}",
            evidence=shown(outcome),
            scope=name,
        )


@requirement(
    "refresh.rejects-access-token",
    MUST,
    [RFC8725("3.12"), ASVS("9.2.2"), CWE(287)],
    needs=["refresh"],
    defects=["refresh-accepts-access"],
    act="writes",
    remedy="Give each kind of token a claim, key or audience of its own, and check it where the token is used.",
)
def test_an_access_token_does_not_refresh(renewal: Renewal, flows: Flows, expect: Expect) -> None:
    """An access token cannot be used in place of a refresh token.

    Why: a stolen access token, meant to last minutes, would renew itself for ever.

    Test: put the access credential where the refresh credential belongs and ask for a fresh one.
    """
    held = flows.capture(renewal.sign_in())
    renewal.separate(held)
    values = access_values(held, renewal.access_cookies)
    if len(values) != 1:
        raise NotApplicable("the access credential is no single value that could stand in for the refresh credential")
    outcome = refresh_as(flows, present(held, values[0]))
    expect.that(
        outcome[1] is None,
        expected="an access token in place of the refresh token is refused",
        observed=f"sent the access token as refresh token: {said(outcome)}",
        evidence=shown(outcome),
    )


@requirement(
    "refresh.token-rejected-at-api",
    MUST,
    [RFC8725("3.12"), ASVS("9.2.2"), RFC6749("1.5")],
    needs=["refresh"],
    defects=["api-accepts-refresh"],
    remedy="Check the kind of token on every protected endpoint: a refresh token is for the refresh endpoint alone.",
)
def test_the_api_refuses_refresh_tokens(
    renewal: Renewal, held: Captured, flows: Flows, target: Target, expect: Expect
) -> None:
    """A refresh token does not work as an access token.

    Why: a token that lives for days would open what should be open for minutes.

    Test: send the refresh credential where the access credential belongs and ask the probe who one is.
    """
    value, names = renewal.separate(held), renewal.access_cookies
    ways: dict[str, Credentials] = {}
    if names:
        cookies = {**held.access.without(*names).cookies, **dict.fromkeys(names, value)}
        ways[f"cookie {', '.join(sorted(names))}"] = Credentials(cookies)
    if "header" in target.session.carriers:
        ways["Authorization header"] = Credentials.bearer(value)
    for way, sent in ways.items():
        probe = flows.probe(sent)
        expect.that(
            probe.anonymous,
            expected=f"the refresh token in the {way} signs nobody in",
            observed=f"sent the refresh token in the {way}: {probe.said()}",
            evidence=[probe],
            scope=way,
        )


@requirement(
    "refresh.rotation",
    SHOULD,
    [RFC9700("2.2.2"), RFC9700("4.14.2"), ASVS("10.4.5"), RFC6749("6")],
    needs=["refresh"],
    defects=["refresh-not-rotated"],
    act="writes",
    remedy="Issue a new refresh credential with every refresh and mark the old one as used.",
)
def test_every_refresh_replaces_the_refresh_credential(renewal: Renewal, expect: Expect) -> None:
    """Refresh credentials held by a browser are rotated on use.

    Why: a stolen refresh credential works to its end and nobody notices; one that changes gives the thief away.

    Test: refresh twice and compare the refresh credentials. Where scripts can read it this is a MUST.
    """
    renewal.control()
    renewal.separate(renewal.rotations.held[0])
    hidden = renewal.hidden()
    where = "in an HttpOnly cookie" if hidden else "where scripts can read it"
    for number, (got, _) in enumerate(renewal.rotations.steps, start=1):
        asked = f"{got.answer.method} {got.answer.url} answered {got.answer.status}"
        expect.that(
            got.rotated,
            expected="every refresh issues a new refresh credential",
            observed=f"{asked} and left the refresh credential, held {where}, as it was",
            evidence=[got],
            scope=f"refresh {number}",
            level=None if hidden else MUST,
        )


@requirement(
    "refresh.reuse-detected",
    MUST,
    [RFC9700("4.14.2"), ASVS("10.4.5"), RFC6749("10.4"), CWE(294)],
    needs=["refresh"],
    defects=["refresh-reuse-undetected"],
    act="writes",
    remedy="Keep a row for the used value; when it comes again after the grace, end the whole session.",
)
def test_a_used_refresh_credential_is_dead(renewal: Renewal, auth_run: Run, expect: Expect) -> None:
    """After rotation the old refresh value is refused, and its reuse ends the family.

    Why: otherwise a thief with an old copy and the user refresh side by side, and nobody ever notices.

    Test: refresh, then send the replaced value again: it must be refused and its successor be dead. Within a declared
    grace: replay it once its successor was used, and, where time can be made to pass, after the grace.
    """
    renewal.control()
    if not renewal.rotations.rotates:
        raise NotApplicable("refresh credentials are not replaced, which is judged by refresh.rotation")
    judge_reuse(renewal, expect, auth_run)


@requirement(
    "refresh.lifetime-bounded",
    SHOULD,
    [ASVS("10.4.8"), RFC9700("4.14.2")],
    needs=["refresh"],
    defects=["refresh-extends-lifetime"],
    act="writes",
    remedy="Fix the end of the session at login and give every refresh credential of it that same end.",
)
def test_refreshing_does_not_go_on_for_ever(renewal: Renewal, flows: Flows, expect: Expect) -> None:
    """Refreshing does not extend the overall lifetime without limit.

    Why: a session that renews itself for ever is never lost to its thief, however long ago the password was given.

    Test: refresh an hour later by the test deployment's clock (or after some seconds) and compare until when the
    old and the new refresh credential may be used. Where neither shows it: refresh beyond the declared limit.
    """
    login = renewal.sign_in()
    held = flows.capture(login)
    renewal.separate(held)
    Extension(flows, login, held, renewal.cookie).judge(expect)


@requirement(
    "refresh.concurrency-safe",
    INFO,
    [OAUCH("MultiFastRefresh"), RFC9700("4.14.2"), CWE(362)],
    needs=["refresh"],
    defects=["refresh-race"],
    act="aggressive",
    remedy="Check and mark the used value in one statement (UPDATE … WHERE used_at IS NULL) and look at the row count.",
)
def test_two_refreshes_at_once(renewal: Renewal, flows: Flows, expect: Expect) -> None:
    """Two refreshes in flight neither break the server nor mint independent families.

    Why: a thief who refreshes at the same moment as the user would keep a session that no reuse gives away.

    Test: send one refresh credential twice at the same moment, then refresh with what either got.
    """
    for _ in range(ROUNDS):
        held = flows.capture(renewal.sign_in())
        pair = refresh_twice(flows, held)
        statuses = " and ".join(str(got.answer.status) for got in pair)
        fine = expect.that(
            all(got.answer.status < 500 for got in pair),
            expected="no server error",
            observed=f"two refreshes at once were answered {statuses}",
            evidence=pair,
            level=SHOULD,
        )
        apart = independent(renewal, held, pair)
        one_line = expect.that(
            not apart,
            expected="at most one line of successors",
            observed=f"two refreshes at once, answered {statuses}, gave different refresh credentials; both refresh on",
            evidence=[*pair, *shown(*apart)],
        )
        if not (fine and one_line):
            return
