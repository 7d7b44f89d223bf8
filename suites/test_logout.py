"""Logout: what is left of a session when its user has signed out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, RFC6265BIS, RFC7009, RFC9110, RFC9700, WSTG
from harness.tokens import find_jwts
from harness.verdict import NotApplicable
from suites.acts import ending
from suites.acts.auth_cookies import lines
from suites.acts.ending import Ended, hops, sign_out_again, worthless
from suites.acts.refreshed import access_values, said, shown

if TYPE_CHECKING:
    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.target import Target
    from harness.verdict import Expect

ATTACKER = "https://attacker.example"
LONGEST_STATELESS_S = 900
SLACK_S = 60


@pytest.fixture(scope="module")
def credential_cookies(flows: Flows, login: Login, access_cookies: frozenset[str]) -> frozenset[str]:
    """Names of the cookies that authenticate or refresh."""
    refresh = flows.find_refresh_cookie(login, access_cookies)
    return access_cookies | ({refresh} if refresh else set())


@pytest.fixture(scope="module")
def ended(flows: Flows, credential_cookies: frozenset[str]) -> Ended:
    """A session of its own, signed out of."""
    del credential_cookies  # flows know the refresh cookie once it is found
    return ending.end(flows)


@requirement(
    "logout.cookies-cleared",
    MUST,
    [RFC6265BIS("5.7"), ASVS("14.3.1")],
    needs=["cookie", "logout"],
    defects=["logout-clears-wrong-path"],
    act="writes",
    remedy="Clear each cookie with the name, Path and Domain (and Secure) it was set with, in one function.",
)
def test_no_credential_stays_in_the_browser(
    ended: Ended, flows: Flows, credential_cookies: frozenset[str], expect: Expect
) -> None:
    """Logout removes every authentication cookie with the same name, Domain and Path it was set with.

    Why: on a shared computer the next user finds the cookie, and every request keeps sending it.

    Test: sign out in a user agent that stores cookies as browsers do, and see which of its cookies are still there.
    """
    answer = ended.answers[0]
    before = {name: ended.held.cookies[name] for name in credential_cookies if name in ended.held.cookies}
    if not before:
        raise NotApplicable("no cookie authenticates; tokens travel in the header")
    after = flows.cookies(ended.login.agent)
    seen = lines(ended.answers)
    for name, value in before.items():
        why = "; ".join(f"{line.said()}: {line.outcome.why}" for line in seen if line.name == name)
        expect.that(
            after.get(name) != value,
            expected=f"after logout the browser no longer holds {name}",
            observed=f"{answer.method} {answer.url} answered {answer.status} and {name} is still in the browser "
            f"({why or 'no Set-Cookie line named it'})",
            evidence=ended.answers,
            scope=name,
        )


@requirement(
    "logout.access-invalidated",
    MUST,
    [ASVS("7.4.1"), WSTG("SESS-06"), CWE(613)],
    needs=["logout"],
    defects=["logout-only-clears-cookies", "logout-keeps-access"],
    act="writes",
    remedy="Keep a session row, end it at logout, and look at it with every request, or list ended tokens.",
)
def test_the_access_credential_is_dead(
    ended: Ended, target: Target, access_cookies: frozenset[str], expect: Expect
) -> None:
    """Credentials captured before logout stop working at the server.

    Why: whoever copied them, from a log, a backup or a shared computer, stays signed in though the user signed out.

    Test: copy what authenticates, sign out, and send the copy to the probe from a clean client.
    """
    if ended.login.authorization:
        raise NotApplicable("the password itself travels with every request (HTTP Basic); no session is there to end")
    alive = ended.replay.names(ended.login.account)
    expect.that(
        not alive,
        expected="after logout the access credential of before signs nobody in",
        observed=f"signed out, then sent the access credential of before from a clean client: {ended.replay.said()}.",
        evidence=[*ended.answers[:1], ended.replay],
        accepted=_stateless(ended, access_cookies, target.session.stateless_access_s) if alive else "",
    )


def _stateless(ended: Ended, access_cookies: frozenset[str], declared_s: int | None) -> str:
    """Why an access credential may outlive its session, with the residual risk; empty where nothing excuses it."""
    values = access_values(ended.held, access_cookies)
    tokens = [jwt for value in values for jwt in find_jwts(value)]
    lives_s = max((jwt.lifetime_s or 0.0 for jwt in tokens), default=0.0)
    if declared_s is None or declared_s > LONGEST_STATELESS_S or lives_s > declared_s + SLACK_S:
        return ""
    if ended.could_refresh and ended.refresh_after()[1] is not None:
        return ""
    rest_s = min((jwt.expires_at - time.time() for jwt in tokens if jwt.expires_at is not None), default=declared_s)
    return (
        "session.stateless_access_s declares that access tokens cannot be revoked; "
        f"a copied one stays usable for up to {rest_s:.0f} s after logout."
    )


@requirement(
    "logout.refresh-revoked",
    MUST,
    [ASVS("7.4.1"), RFC7009("2.1"), RFC9700("4.14.2"), CWE(613)],
    needs=["logout", "refresh"],
    defects=["logout-only-clears-cookies", "logout-keeps-refresh"],
    act="writes",
    remedy="Revoke the refresh credential, and all that descend from the same login, at logout.",
)
def test_the_refresh_credential_is_dead(ended: Ended, expect: Expect) -> None:
    """After logout the refresh credential is dead.

    Why: whoever copied it gets fresh access for days after the user signed out.

    Test: refresh once to see that it works, copy the refresh credential, sign out, and refresh with the copy.
    """
    if not ended.could_refresh:
        raise NotApplicable("refreshing does not work before logout either, which is judged by refresh.renews-access")
    outcome = ended.refresh_after()
    expect.that(
        outcome[1] is None,
        expected="after logout the refresh credential of before gives nothing",
        observed=f"signed out, then refreshed with the credential of before from a clean client: {said(outcome)}",
        evidence=[*ended.answers[:1], *shown(outcome)],
    )


@requirement(
    "logout.not-by-safe-method",
    SHOULD,
    [ASVS("3.5.3"), RFC9110("9.2.1"), CWE(352)],
    needs=["cookie", "logout"],
    defects=["logout-by-get"],
    act="writes",
    remedy="Let logout answer POST alone, with the same defence against forgery as any other write.",
)
def test_a_link_does_not_sign_out(sign_in: SignIn, flows: Flows, target: Target, expect: Expect) -> None:
    """A bare cross-site GET does not log the user out.

    Why: any page on the web, or an image in a message, could sign users out again and again.

    Test: from a page of another site lead the signed-in browser to the logout URL by GET and HEAD; then ask
    the probe who one is.
    """
    login = sign_in()
    if login.header:
        raise NotApplicable("the credential travels in a header, which a link does not carry")
    path = target.logout.path if target.logout else "/"
    for method in ("GET", "HEAD"):
        answers = hops(login.agent, login.agent.navigate(target.url(path), initiator=ATTACKER, method=method))
        probe = flows.probe_in(login.agent, login.header)
        kept = expect.that(
            probe.names(login.account),
            expected=f"a {method} from another site leaves the user signed in",
            observed=f"a page of another site led the browser to {method} {answers[0].url}, which answered "
            f"{answers[0].status}; then {probe.said()}",
            evidence=[*answers, probe],
            scope=method,
        )
        if not kept:
            return


@requirement(
    "logout.idempotent",
    INFO,
    [ASVS("16.5.3")],
    needs=["logout"],
    defects=["logout-anonymous-500", "pyjwt-wrong-exception"],
    act="writes",
    remedy="Treat a logout without a session as done: clear the cookies and answer as ever.",
)
def test_logout_may_be_repeated(ended: Ended, flows: Flows, credential_cookies: frozenset[str], expect: Expect) -> None:
    """Repeated or anonymous logout gives no server error.

    Why: a second tab, or a session that has just ended, meets an error page instead of being signed out.

    Test: sign out with the credentials of an ended session, with none, and with garbage; look for a server error.
    """
    for how, held in worthless(ended.held, credential_cookies).items():
        answer = sign_out_again(flows, held, how)
        expect.that(
            answer.status < 500,
            expected=f"a logout {how} is answered without a server error",
            observed=f"signed out {how}: {answer.method} {answer.url} answered {answer.status}",
            evidence=[answer],
            scope=how,
        )
