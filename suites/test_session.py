"""The life of a session: how it begins, whom it belongs to, how it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness.flows.credentials import Credentials
from harness.requirement import MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, RFC6265BIS, RFC6749, RFC9110, RFC9111, WSTG, ZAP
from harness.verdict import Inconclusive, NotApplicable, numbers
from suites.acts import accounts, entropy, lifetimes, planting, url_sessions
from suites.acts.caching import personal_answers, storage
from suites.acts.issued import Issued, issued, value_of
from suites.acts.lifetimes import After, still_alive

if TYPE_CHECKING:
    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.run import Run
    from harness.verdict import Expect

CALLS = 50
AT_ONCE = 8


@pytest.fixture
def issued_values(held: Captured, access_cookies: frozenset[str]) -> list[Issued]:
    """The values that authenticate the shared login."""
    return issued(held, access_cookies)


@requirement(
    "session.id-renewed-on-login",
    MUST,
    [ASVS("7.2.4"), RFC6265BIS("8.4"), WSTG("SESS-03"), CWE(384), ZAP("40013")],
    needs=["cookie"],
    defects=["session-fixation"],
    remedy="Make a new session credential at every login, and never adopt a value that the client sent.",
)
def test_a_login_makes_a_new_credential(
    flows: Flows, login: Login, access_cookies: frozenset[str], expect: Expect
) -> None:
    """A login issues a new credential; no value known before it becomes signed in.

    Why: an attacker who can put a cookie into the victim's browser waits for the login and then shares the session.

    Test: visit as nobody, sign in, and replay what stayed the same; then plant a value of our own under each name that
    authenticates, sign in, and replay that from a clean client.
    """
    if not access_cookies:
        raise NotApplicable("no cookie authenticates")
    visitor = flows.agent("visitor")
    visit = visitor.navigate(flows.target.url(flows.target.login.page or flows.target.probe.path))
    before = flows.cookies(visitor)
    signed_in = flows.log_in(agent=visitor)
    after = flows.cookies(visitor)
    kept = {name: after[name] for name in access_cookies if name in after and before.get(name) == after[name]}
    replayed = flows.probe(Credentials(kept)) if kept else None
    said = f"{', '.join(sorted(kept))} kept the value from before the login"
    expect.that(
        replayed is None or not replayed.names(login.account),
        expected="what authenticates is new after the login",
        observed=f"{said}, and with it {replayed.said() if replayed else ''}.",
        evidence=[visit, *signed_in.answers, *([replayed] if replayed else [])],
        scope="anonymous visit",
    )
    victim = flows.agent("victim")
    planted = planting.plant(flows, login, access_cookies, victim)
    answers = flows.attempt(login.account, agent=victim).answers
    stolen = flows.probe(Credentials(planted), label="attacker")
    said = f"The attacker's own {', '.join(sorted(planted))} became the victim's session at login"
    expect.that(
        not stolen.names(login.account),
        expected="a value that the client brought along stays worthless",
        observed=f"{said}: {stolen.said()}.",
        evidence=[*answers, stolen],
        scope="planted cookie",
    )


@requirement(
    "session.previous-terminated-on-relogin",
    MUST,
    [ASVS("7.2.4")],
    needs=["cookie"],
    defects=["relogin-keeps-old-session"],
    remedy="When a login arrives with a live session, end that session before the new one begins.",
)
def test_signing_in_again_ends_the_session_before(flows: Flows, sign_in: SignIn, expect: Expect) -> None:
    """Signing in again in the same client ends the session that it had.

    Why: the old credential is in nobody's hands any more but a thief's.

    Test: sign in, keep the credentials, sign in again in the same user agent, and replay the first from a clean client.
    """
    login = sign_in()
    first = flows.capture(login)
    again = lifetimes.sign_in_again(flows, login)
    after = After("signing in again in the same user agent", again.answers)
    still_alive(flows, expect, first, login.account, after)


@requirement(
    "session.credential-unguessable",
    MUST,
    [ASVS("7.2.3"), RFC6749("10.10"), WSTG("SESS-01"), CWE(331)],
    defects=["session-id-sequential"],
    remedy="Take at least 128 bits from the system's random generator, for example secrets.token_urlsafe(32).",
)
def test_credentials_cannot_be_guessed(
    flows: Flows, issued_values: list[Issued], login: Login, sign_in: SignIn, expect: Expect
) -> None:
    """A credential that is a mere reference has 128 bits that nobody can guess, and none comes twice.

    Why: an attacker who can count, or try all of them, needs no password.

    Test: compare the values of twenty logins, those of this run included; strip what is the same in all and count what
    varies. Self-contained tokens only must not come twice (three logins); their signature is judged by tokens.*.
    """
    values = issued_values
    if all(one.self_contained and not (one.jwt and "jti" in one.jwt.claims) for one in values):
        raise NotApplicable(
            "the credential is a self-contained token without an id; tokens.integrity-verified judges it"
        )
    wanted = 3 if all(one.self_contained for one in values) else entropy.ENOUGH_VALUES
    logins = list({each.agent: each for each in (login, *flows.logins)}.values())[:wanted]
    logins += [sign_in() for _ in range(wanted - len(logins))]
    for one in values:
        series = [value for each in logins if (value := value_of(flows, each, one.name))]
        fault = entropy.fault(series, self_contained=one.self_contained)
        expect.that(
            fault is None,
            expected="at least 128 bits that vary at random, and no value twice",
            observed=f"{one.where}: {fault}.",
            evidence=numbers(a for each in logins for a in each.answers[:1]) or [flows.probe(flows.credentials(login))],
            scope=one.where,
        )


@requirement(
    "session.not-in-url",
    MUST,
    [ASVS("14.2.1"), RFC9110("17.9"), WSTG("SESS-04"), CWE(598), ZAP("3")],
    defects=["session-in-query"],
    remedy="Read the session from its cookie or header alone; switch off URL rewriting and query fallbacks.",
)
def test_sessions_are_neither_put_into_urls_nor_taken_from_them(
    flows: Flows, issued_values: list[Issued], login: Login, expect: Expect
) -> None:
    """No session credential is put into a URL, or taken from one.

    Why: URLs stay in histories, logs and Referer headers, and people send them to each other, session included.

    Test: look for the credential in links and forms of the recorded login's pages; then ask the probe with the
    credential in the URL only, as parameter session, sid, jsessionid and under the cookie's own name.
    """
    values = issued_values
    for page, link in url_sessions.links_with(login.answers, [one.value for one in values]):
        expected, observed = (
            "links and forms without credentials",
            f"A {link} on the page {page.shown} holds the credential.",
        )
        expect.that(False, expected=expected, observed=observed, evidence=[page], scope=link)
    for name, probe in url_sessions.asked_by_url(flows, values):
        expect.that(
            probe.anonymous,
            expected="a credential in the URL signs nobody in",
            observed=f"With the credential in the URL only, as {name}, the probe answered as {probe.identity}.",
            evidence=[probe],
            scope=name,
        )


@requirement(
    "session.authenticated-responses-not-stored",
    SHOULD,
    [
        ASVS("14.3.2"),
        ASVS("14.2.2"),
        RFC9111("5.2.2.5"),
        RFC9111("7.3"),
        RFC9111("3.5"),
        WSTG("ATHN-06"),
        CWE(525),
        ZAP("10015"),
    ],
    defects=["me-cacheable"],
    act="writes",
    remedy="Send Cache-Control: no-store with every answer that is for one user or that sets or returns a credential.",
)
def test_answers_for_one_user_are_not_stored(
    flows: Flows, login: Login, opening: tuple[Login, Probe], sign_in: SignIn, expect: Expect
) -> None:
    """Answers for a signed-in user, and answers that carry credentials, may be stored nowhere.

    Why: a shared cache hands one user's answer to the next; a browser's cache shows it after logout.

    Test: read Cache-Control of login, probe, refresh and logout. Answers with tokens in the body are judged by
    tokens.response-not-cacheable.
    """
    by_header = bool(login.header)
    for name, answer in personal_answers(flows, opening, sign_in):
        found = storage(answer, by_header=by_header)
        expect.that(
            found.forbidden,
            expected="Cache-Control: no-store",
            observed=f"{name}: {answer.method} {answer.shown} answered {answer.status} with {found.said}.",
            evidence=[answer],
            scope=name,
            level=found.level,
        )


@requirement(
    "session.users-isolated",
    MUST,
    [ASVS("7.2.1"), ASVS("8.2.2")],
    needs=["second_account"],
    defects=["user-in-module-global"],
    remedy="Keep the current user in the request (or a context variable), never in a module, a class or a singleton.",
)
def test_users_at_the_same_time_stay_apart(flows: Flows, login: Login, other_login: Login, expect: Expect) -> None:
    """Two users at the same time never see each other's identity.

    Why: under load, and only then, one user is served as another.

    Test: fifty calls of the probe by two users in turn, eight at a time, over shared connections.
    """
    users = [(login.account, flows.credentials(login)), (other_login.account, flows.credentials(other_login))]
    turns = [users[number % 2] for number in range(CALLS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        probes = list(pool.map(lambda turn: flows.probe(turn[1], label=turn[0].username), turns))
    pairs = [(account, probe) for (account, _), probe in zip(turns, probes, strict=True)]
    if not any(probe.names(account) for account, probe in pairs):
        raise Inconclusive("no call at the same time was answered", probes[0], cause="parallel calls refused")
    crossed = [probe for account, probe in pairs if not probe.anonymous and not probe.names(account)]
    expect.that(
        not crossed,
        expected="every call is answered as the user who made it",
        observed=f"{len(crossed)} of {CALLS} calls were answered as the other user.",
        evidence=(crossed or probes)[:4],
    )


@requirement(
    "session.timeouts-enforced",
    SHOULD,
    [ASVS("7.3.1"), ASVS("7.3.2"), ASVS("9.2.1"), WSTG("SESS-07"), CWE(613)],
    needs=["timeouts"],
    defects=["session-never-expires"],
    act="writes",
    remedy="Store when a session began and was last used, and refuse it on the server once a limit has passed.",
)
def test_sessions_end_when_their_time_is_up(flows: Flows, auth_run: Run, sign_in: SignIn, expect: Expect) -> None:
    """The declared idle and absolute limits are enforced by the server.

    Why: a cookie's Max-Age binds browsers only; a stolen credential without a limit works for ever.

    Test: sign in, let the limit and a tenth of it pass (by the clock header, or by waiting), and replay the access
    credential and ask for a fresh one; for the absolute limit the session is kept in use until then.
    """
    for name, limit in lifetimes.limits(flows.target):
        clock = lifetimes.clock(flows, auth_run, limit)
        login = sign_in()
        held = lifetimes.refreshed_once(flows, login)
        lifetimes.keep_in_use(flows, held, clock, name, limit)
        late = clock.at(lifetimes.past(limit))
        said = f"{lifetimes.past(limit):.0f} s ({name} limit {limit} s, and a tenth)"
        still_alive(flows, expect, held, login.account, After(said, login.answers, late, f"{name} limit, "))


@requirement(
    "session.revoked-on-credential-change",
    SHOULD,
    [ASVS("7.4.2"), ASVS("7.4.3"), WSTG("SESS-11"), CWE(613)],
    needs=["spare_account", "password_change"],
    defects=["password-change-keeps-sessions"],
    act="writes",
    remedy="End all other sessions of the user, refresh credentials included, when the password changes, or offer to.",
)
def test_changing_the_password_ends_other_sessions(
    flows: Flows, access_cookies: frozenset[str], expect: Expect
) -> None:
    """Other sessions end when the password changes.

    Why: people change the password because somebody else is in; that somebody must be out afterwards.

    Test: sign in twice with an account that may be changed, change the password in one, see that the new one signs in,
    and replay access and refresh credentials of the other.
    """
    del access_cookies  # it tells which cookie carries the refresh credential
    account = accounts.spare_account(flows)
    here, elsewhere = accounts.sign_in_spare(flows, account), accounts.sign_in_spare(flows, account)
    held = flows.capture(elsewhere)
    with accounts.password_changed(flows, here) as answer:
        still_alive(flows, expect, held, account, After("a change of the password elsewhere", [answer]))
