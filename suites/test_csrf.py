"""Cross-site request forgery: what other sites' pages can make a signed-in browser do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.requirement import MUST, SHOULD, requirement
from harness.sources import ASVS, CHEATSHEET, CWE, RFC6265BIS, RFC6750, RFC9110, RFC10017, WSTG, ZAP
from harness.user_agent.websocket import WebSockets
from harness.verdict import Inconclusive, NotApplicable
from suites.acts.attempts import carry_out, honest_write
from suites.acts.cross_origin import ATTACKER
from suites.acts.forged_proof import variants
from suites.acts.forged_session import body_less, logins
from suites.acts.forgery import Bare, sent_by_browser, sent_with_cookies
from suites.acts.safe_methods import as_get, refresh_by_get
from suites.acts.simple_types import in_simple_types

if TYPE_CHECKING:
    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Login
    from harness.run import Run
    from harness.verdict import Expect

PREVENTION = CHEATSHEET("Cross-Site Request Forgery Prevention")
NO_COOKIE = "no cookie authenticates after this login, and browsers send nothing else on their own"
UNDEFENDED = "forged writes are accepted as they stand; judged by csrf.cross-site-write-blocked"
SAMESITE_ONLY = (
    "protected by SameSite only, which does not apply to requests from sibling hosts, nor to a cookie without the "
    "attribute in its first two minutes."
)


@pytest.fixture(scope="module")
def bare(flows: Flows, login: Login, access_cookies: frozenset[str]) -> Bare:
    """A forged write in its plainest form, on which much depends."""
    del login  # the shared one stays clean
    if not access_cookies:
        raise NotApplicable(NO_COOKIE)
    victim = flows.log_in()
    honest_write(flows, victim)
    (forged,), view = carry_out(flows, victim, lambda: iter([sent_with_cookies(flows, victim)]))
    return Bare(victim, forged, view)


@requirement(
    "csrf.cross-site-write-blocked",
    MUST,
    [ASVS("3.5.1"), RFC6750("5.3"), RFC6265BIS("8.8.1"), WSTG("SESS-05"), CWE(352), ZAP("10202"), PREVENTION],
    needs=["cookie", "write"],
    act="writes",
    defects=["csrf-unchecked-samesite-none", "csrf-check-absent"],
    remedy="Demand a token or check Origin on every write that a cookie authenticates; SameSite is the second line.",
)
def test_forged_writes_change_nothing(flows: Flows, bare: Bare, access_cookies: frozenset[str], expect: Expect) -> None:
    """A forged cross-site request carrying the user's cookies changes nothing.

    Why: any page that the user visits could otherwise act in the user's name.
    Test: submit forms and scripted requests from another site in the signed-in user agent, SameSite applied, and look
    for their effect; then attach the cookies regardless, to see whether SameSite alone was in the way.
    """
    tried, view = carry_out(flows, bare.victim, lambda: sent_by_browser(flows, bare.victim.agent))
    for forged in tried:
        expect.that(
            forged.marker not in view.text,
            expected="the user's data is as before",
            observed=f"{forged.how} on {ATTACKER}: {forged.outcome(view)}.",
            evidence=[forged.answer, view],
            scope=forged.how,
        )
    # Without SameSite nothing of the browser's is in the way, and what the target itself does decides. So it does where
    # the operator declares more than SameSite: that more is there is what this run was asked.
    csrf = flows.target.csrf
    declared = csrf.defence if csrf and csrf.defence != "samesite" else ""
    lax = not declared and any(c.same_site != "None" for c in bare.victim.agent.cookies if c.name in access_cookies)
    missing = f" The profile declares csrf.defence = {declared!r}, and nothing of it was asked for." if declared else ""
    expect.that(
        not bare.effective,
        expected="the target itself refuses what another site sent",
        observed=f"{bare.forged.how} from {ATTACKER}, cookies attached: {bare.forged.outcome(bare.view)}.{missing}",
        evidence=[bare.forged.answer, bare.view],
        scope="cookies attached whatever SameSite says",
        accepted=SAMESITE_ONLY if lax else "",
    )


@requirement(
    "csrf.simple-content-types-closed",
    MUST,
    [ASVS("3.5.2"), RFC10017("6.1.3.3.2"), PREVENTION],
    needs=["cookie"],
    act="writes",
    defects=["csrf-skips-text-plain"],
    remedy="Answer 415 to any media type but application/json; guard endpoints without a body by Origin or token.",
)
def test_bodies_that_forms_can_send_are_refused(
    flows: Flows, sign_in: SignIn, access_cookies: frozenset[str], request: pytest.FixtureRequest, expect: Expect
) -> None:
    """Endpoints that rely on a preflight refuse the content types that need none.

    Why: a form can send JSON as text/plain without the browser asking first; the preflight never happens.
    Test: send the write's JSON, cookies attached, from another site under every such type; refresh and logout likewise.
    """
    if not access_cookies:
        raise NotApplicable(NO_COOKIE)
    if flows.target.write is not None:
        bare: Bare = request.getfixturevalue("bare")
        if bare.effective:
            raise NotApplicable(UNDEFENDED)
        tried, view = carry_out(flows, bare.victim, lambda: in_simple_types(flows, bare.victim))
        for forged in tried:
            expect.that(
                forged.marker not in view.text,
                expected="refused: nothing in it shows that a page of the target sent it",
                observed=f"{forged.how} from {ATTACKER}: {forged.outcome(view)}.",
                evidence=[forged.answer, view],
                scope=forged.how,
            )
    for what, acted, answers in body_less(flows, sign_in, access_cookies):
        expect.that(
            not acted,
            expected=f"a {what} that another site asks for is refused",
            observed=f"the {what} that {ATTACKER} asked for was {'' if acted else 'not '}carried out.",
            evidence=answers,
            scope=what,
            level=SHOULD,  # no content type can close an endpoint without a body
        )
    if not expect.judged:
        raise NotApplicable("neither a write nor a refresh or logout that cookies and POST carry is declared")


@requirement(
    "csrf.safe-methods-safe",
    MUST,
    [ASVS("3.5.3"), RFC9110("9.2.1"), RFC6265BIS("5.6.7.1")],
    needs=["write"],
    act="writes",
    defects=["write-by-get"],
    remedy="Register writes for POST, PUT, PATCH or DELETE only, and switch method overrides off.",
)
def test_safe_methods_change_nothing(
    flows: Flows, sign_in: SignIn, access_cookies: frozenset[str], expect: Expect
) -> None:
    """GET, HEAD and OPTIONS never perform the state change, also not with a method override.

    Why: links and images send GET, with SameSite=Lax cookies at that: no form and no script is needed.
    Test: repeat the declared write and the refresh as GET, HEAD and OPTIONS, and as GET with method overrides.
    """
    user = sign_in()
    honest_write(flows, user)
    tried, view = carry_out(flows, user, lambda: as_get(flows, user))
    for forged in tried:
        expect.that(
            forged.marker not in view.text,
            expected="nothing is written by a safe method",
            observed=f"{forged.how}: {forged.outcome(view)}.",
            evidence=[forged.answer, view],
            scope=forged.how,
        )
    for how, answer, acted in refresh_by_get(flows, user, access_cookies):
        expect.that(
            not acted,
            expected="no credential is issued by a safe method",
            observed=f"{how} answered {answer.status} and {'issued a credential' if acted else 'issued nothing'}.",
            evidence=[answer],
            scope=how,
        )


@requirement(
    "csrf.token-bound-to-session",
    MUST,
    [ASVS("3.5.1"), RFC10017("6.1.3.3.2"), PREVENTION],
    needs=["cookie", "write", "csrf_token"],
    act="writes",
    defects=["csrf-token-unbound", "csrf-token-double-submit-naive"],
    remedy="Derive the token from the session with an HMAC and verify it on every write, or keep it in the session.",
)
def test_anti_forgery_tokens_belong_to_their_session(
    flows: Flows, bare: Bare, request: pytest.FixtureRequest, expect: Expect
) -> None:
    """The anti-forgery token or header is required, checked, and tied to the session.

    Why: a token that anyone can supply, or bring along from an account of their own, stops nobody.
    Test: write from the front end's origin with the token missing, empty, random, of another user, and as a matching
    pair of cookie and header that an attacker chose.
    """
    if bare.effective:
        raise NotApplicable(UNDEFENDED)
    other: Login | None = request.getfixturevalue("other_login") if flows.target.other_user else None
    tried, view = carry_out(flows, bare.victim, lambda: variants(flows, bare.victim, other))
    if not tried:
        raise NotApplicable("the declared defence needs no token or header ([csrf])")
    loose = False
    for variant in tried:
        if variant.pair and loose:
            continue  # a token that is not checked at all is no double submit
        effective = variant.marker in view.text
        loose = loose or effective
        expect.that(
            not effective,
            expected="the write is refused: the token is not the one of this session",
            observed=f"{variant.how}: {variant.outcome(view)}.",
            evidence=[variant.answer, view],
            scope=variant.how,
            level=SHOULD if variant.pair else None,
        )


@requirement(
    "csrf.login-forgery-blocked",
    SHOULD,
    [ASVS("7.6.2"), PREVENTION, CWE(352)],
    needs=["cookie", "login_request"],
    defects=["login-cross-site-accepted", "csrf-unchecked-samesite-none"],
    remedy="Check Origin or Sec-Fetch-Site on the login, or bind its form to a token in a cookie set before.",
)
def test_other_sites_cannot_sign_a_visitor_in(
    flows: Flows, login: Login, access_cookies: frozenset[str], expect: Expect
) -> None:
    """A cross-site page cannot log the user into the attacker's account.

    Why: the user then works, searches and pays in an account that the attacker reads along in.
    Test: submit the login from another site with valid credentials in a clean user agent, and see who is in it then.
    """
    if not access_cookies:
        raise NotApplicable(NO_COOKIE)
    attacker = flows.target.other_user or login.account
    for how, agent, answer in logins(flows, attacker):
        # A user agent that kept no cookie is nobody's: there is nothing to ask.
        probe = flows.probe_in(agent) if len(agent.cookies) else None
        planted = probe is not None and probe.names(attacker)
        expect.that(
            not planted,
            expected="nobody is signed in",
            observed=f"{how} on {ATTACKER}: answered {answer.status}, the visitor is {'' if planted else 'not '}in.",
            evidence=[answer, *([probe] if probe else [])],
            scope=how,
        )


@requirement(
    "csrf.websocket-origin-checked",
    SHOULD,
    [ASVS("4.4.2"), WSTG("CLNT-10"), CWE(346)],
    needs=["cookie", "websocket"],
    defects=["websocket-origin-unchecked"],
    remedy="Compare Origin with the front end's before accepting the handshake; CORS does not cover WebSockets.",
)
def test_websockets_look_at_the_origin(flows: Flows, login: Login, auth_run: Run, expect: Expect) -> None:
    """WebSocket handshakes that cookies authenticate check Origin.

    Why: any page may open a WebSocket to any host and read what comes; the user's cookies go along.
    Test: shake hands with the user's cookies from the front end, which must work, and from another site, and listen.
    """
    target, section = flows.target, flows.target.websocket
    cookies = flows.cookies(login.agent, target.url(section.path)) if section else {}
    if section is None or not cookies:
        raise NotApplicable(NO_COOKIE)
    says = section.says or login.account.known_as
    sockets = WebSockets(target, flows.recorder, auth_run.path.parent / target.at.ca if target.at.ca else None)
    honest = sockets.listen(section.path, origin=target.front_origin, cookies=cookies, until=says, label="front end")
    if says not in honest.text:
        reason = f"the front end's handshake answered {honest.status} and no message for the user; check [websocket]"
        raise Inconclusive(reason, honest, cause="the declared WebSocket does not speak to its user")
    for origin in (ATTACKER, "null"):
        heard = sockets.listen(section.path, origin=origin, cookies=cookies, until=says, label="page elsewhere")
        spoke = says in heard.text
        expect.that(
            not spoke,
            expected="the handshake is refused, or nothing is said to it",
            observed=f"from {origin}: answered {heard.status}, {'a' if spoke else 'no'} message for the user followed.",
            evidence=[honest, heard],
            scope=origin,
        )
