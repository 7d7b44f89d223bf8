"""First-party login: who gets in, with what, and where it leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, OIDC_CORE, RFC6749, RFC6750, RFC9110, RFC9700, WSTG, ZAP
from harness.verdict import NotApplicable, numbers
from suites.acts import accounts, clear_text, destinations, enumeration, guessing, throttling, urls

if TYPE_CHECKING:
    from harness.fixtures import SignIn
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.target import Target
    from harness.verdict import Expect

REPEATS_BODY = frozenset({307, 308})


@requirement(
    "login.success-authenticates",
    MUST,
    [ASVS("7.2.1"), ASVS("7.2.2")],
    defects=["login-issues-nothing", "host-prefix-with-domain"],
    remedy="Issue the credential in the answer to a successful login, in a form that a browser keeps and sends.",
)
def test_a_login_signs_its_user_in(flows: Flows, opening: tuple[Login, Probe], expect: Expect) -> None:
    """The right password turns an anonymous client into one that is signed in as that user.

    Why: nothing else about the login means anything when it does not sign anybody in, or signs in somebody else.

    Test: send the declared login from an empty user agent, follow at most five redirects, and ask the probe who one is.
    """
    login, probe = opening
    signed_in = probe.names(login.account)
    doubt = "" if signed_in else f" {flows.hint(login, probe)}"
    expect.that(
        signed_in,
        expected=f"after the login the probe names {login.account.known_as}",
        observed=f"{guessing.sent(login.answers)}, then {probe.said()}.{guessing.discarded(login.answers)}{doubt}",
        evidence=[*login.answers, probe],
    )


@requirement(
    "login.bad-credentials-rejected",
    MUST,
    [WSTG("ATHN-04"), CWE(287), ASVS("16.5.3")],
    defects=["null-password-accepted"],
    late=True,
    remedy="Demand a non-empty text for a password, and compare it with a password-hashing library; refuse all else.",
)
def test_a_wrong_password_signs_nobody_in(flows: Flows, login: Login, anonymous: Probe, expect: Expect) -> None:
    """A wrong password leaves nobody signed in, and nothing that could be used.

    Why: whoever finds the value that the comparison takes for right owns every account.

    Test: sign in with another password, an empty one and none, and where JSON is sent with null, a list and an object
    instead; then ask the probe with every cookie and token that came back.
    """
    for name, password in guessing.wrong_passwords(flows.target).items():
        tried = guessing.guess(flows, login.account, anonymous, password)
        expect.that(
            tried.probe.anonymous,
            expected="nobody is signed in",
            observed=f"With {name}: {tried.said}.",
            evidence=tried.evidence,
            scope=name,
        )


@requirement(
    "login.password-verified-exactly",
    MUST,
    [ASVS("6.2.8")],
    defects=["password-case-folded"],
    act="writes",
    late=True,
    remedy="Hash the password exactly as received: no trimming, no change of case, no cut after a number of bytes.",
)
def test_passwords_are_compared_exactly(flows: Flows, login: Login, anonymous: Probe, expect: Expect) -> None:
    """The password is compared exactly: case, length and spaces count.

    Why: every character that does not count makes guessing cheaper; a cut after 72 bytes makes long passphrases equal.

    Test: sign in with the case swapped, the last character left out, a space before and one after; where people can
    sign up, also with the first 72 characters of a password of 90.
    """
    for name, password in guessing.almost_right(login.account.password.get_secret_value()):
        tried = guessing.guess(flows, login.account, anonymous, password)
        observed = f"With {name}: {tried.said}."
        expect.that(
            tried.probe.anonymous,
            expected="nobody is signed in",
            observed=observed,
            evidence=tried.evidence,
            scope=name,
        )
    cut = guessing.cut_password(flows, anonymous)
    if cut is not None:
        observed = f"With the first 72 of its 90 characters: {cut.said}."
        expect.that(
            cut.probe.anonymous,
            expected="nobody is signed in",
            observed=observed,
            evidence=cut.evidence,
            scope="first 72 characters",
        )


@requirement(
    "login.no-user-enumeration",
    INFO,
    [ASVS("6.3.8"), WSTG("IDNT-04"), CWE(204), ZAP("40023")],
    needs=["login_request"],
    defects=["unknown-user-404"],
    late=True,
    remedy="Answer an unknown user exactly as a wrong password, and compute a hash in both cases.",
)
def test_a_failed_login_does_not_tell_whether_the_user_exists(flows: Flows, login: Login, expect: Expect) -> None:
    """A failed login looks the same whether or not the user exists.

    Why: an attacker who can tell makes a list of users first, and guesses passwords for those alone.

    Test: three failed logins each for the test user and for users who do not exist, in turn; compare status, redirects,
    names of headers and cookies, and bodies, without what changes from answer to answer.
    """
    tries = [
        (enumeration.features(flows), enumeration.features(flows, enumeration.nobody(login.account.username)))
        for _ in range(3)
    ]
    for feature in tries[0][0].looks:
        known = {there.looks[feature] for there, _ in tries}
        unknown = {nowhere.looks[feature] for _, nowhere in tries}
        expect.that(
            not known.isdisjoint(unknown),
            expected="answers that do not differ between users who exist and users who do not",
            observed=f"The {feature} of the answer tells them apart: {enumeration.difference(known, unknown)}.",
            evidence=[tries[0][0].answer, tries[0][1].answer],
            scope=feature,
        )


@requirement(
    "login.throttling-present",
    MUST,
    [ASVS("6.3.1"), ASVS("6.1.1"), WSTG("ATHN-03"), RFC6749("2.3.1"), RFC6749("10.10"), CWE(307)],
    needs=["spare_account", "login_request"],
    defects=["login-unthrottled"],
    act="aggressive",
    remedy="Count failed logins by account (and by address), and answer 429 or delay after a handful.",
)
def test_guessing_passwords_meets_a_limit(flows: Flows, login: Login, expect: Expect) -> None:
    """Guessing passwords for one account soon meets a control: a refusal, a delay, a lock.

    Why: without one, a list of common passwords is tried in minutes.

    Test: up to 30 wrong passwords for an account that may be locked, two a second at most beyond this machine, then the
    right one. A 423, 429 or 403, a captcha, answers five times slower, or a refusal of the right password passes.
    """
    del login  # the control: an honest login works
    account = accounts.spare_account(flows)
    accounts.sign_in_spare(flows, account)
    met = throttling.guess_until_limited(flows, account)
    expect.that(
        met.limit is not None,
        expected=f"a control within {throttling.GUESSES} wrong passwords in a row",
        observed=f"{met.guesses} wrong passwords were answered {met.status}, and the right one then signed in at once.",
        evidence=met.evidence,
    )


@requirement(
    "login.credentials-not-in-url",
    MUST,
    [ASVS("14.2.1"), RFC9110("17.9"), CWE(598), ZAP("10024")],
    needs=["login_request"],
    defects=["login-by-get"],
    remedy="Read user name and password from the body of a POST only, not from what a framework finds in the query.",
)
def test_passwords_in_a_url_are_not_taken(flows: Flows, login: Login, anonymous: Probe, expect: Expect) -> None:
    """The login takes no password from a URL.

    Why: URLs stay in histories, logs and Referer headers, and a link with credentials in it signs a victim in as the
    attacker.

    Test: send the right user name and password in the query string, by GET and by a POST without a body.
    """
    for method in ("GET", "POST"):
        answer, probe = urls.log_in_by_query(flows, login.account, method, anonymous)
        expect.that(
            not probe.names(login.account),
            expected="a login by query string signs nobody in",
            observed=f"{method} with the credentials in the query answered {answer.status}, then {probe.said()}.",
            evidence=[answer, probe],
            scope=method,
        )


@requirement(
    "login.post-redirect-not-307",
    MUST,
    [RFC9700("4.12"), OIDC_CORE("16.22"), RFC9110("15.4.4"), RFC9110("15.4.8")],
    needs=["login_request"],
    defects=["login-redirect-307"],
    remedy="Redirect after a login with 303 See Other; several frameworks redirect with 307 unless told otherwise.",
)
def test_the_redirect_after_login_does_not_repeat_the_password(
    opening: tuple[Login, Probe], target: Target, expect: Expect
) -> None:
    """A redirect that answers a password is no 307 or 308.

    Why: both make the browser send the same body again, password included, to wherever the redirect leads.

    Test: look at the answers to the recorded login. A redirect that only adds or drops a closing slash is tolerated.
    """
    login, _ = opening
    if not login.answers:
        raise NotApplicable("no request carries the password")
    for answer in login.answers:
        repeats = answer.status in REPEATS_BODY and answer.redirect_to is not None
        if repeats and destinations.same_but_for_slash(answer):
            continue
        where = destinations.origin_of(answer)
        foreign = repeats and login.agent.origin_of(answer.redirect_to or "") != target.origin
        expect.that(
            not repeats,
            expected="2xx, 302 or 303 in answer to a password",
            observed=f"The login answered {answer.status}: the browser sends the password again, to {where}.",
            evidence=[answer],
            level=MUST if foreign else SHOULD,
        )
        if not repeats:
            break


@requirement(
    "login.no-open-redirect",
    MUST,
    [RFC9700("2.1"), RFC9700("4.11.1"), OIDC_CORE("4"), ASVS("3.7.2"), WSTG("CLNT-04"), CWE(601)],
    needs=["return_parameters"],
    defects=["open-redirect-prefix"],
    remedy="Accept as return address only a path that starts with one slash and holds no backslash; ignore all else.",
)
def test_the_return_address_cannot_lead_elsewhere(flows: Flows, sign_in: SignIn, expect: Expect) -> None:
    r"""The parameter that says where to go after login leads nowhere else.

    Why: a link to the trusted login page would end on the attacker's copy of it, which asks for the password again.

    Test: give the parameter foreign addresses in the spellings that checks miss (//host, /\host, https:host, a name
    before an @, encoded slashes, javascript:), on the login page signed in and not, and at the login where it
    redirects; resolve where that leads as browsers do.
    """
    user = sign_in()
    for parameter in flows.target.login.return_parameters:
        for payload, answer in urls.visits(flows, user, parameter):
            led = destinations.leads_away(answer)
            expect.that(
                led is None,
                expected="a return address on another origin is ignored",
                observed=f"With {parameter}={payload} {answer.method} answered {answer.status}, and {led}.",
                evidence=[answer],
                scope=f"{parameter}={payload}",
            )


@requirement(
    "login.https-only",
    MUST,
    [ASVS("12.2.1"), ASVS("4.1.2"), RFC6750("5.3"), WSTG("ATHN-01"), CWE(319)],
    needs=["https", "public_name", "login_request"],
    defects=["plain-http-served"],
    remedy="Let nothing but a redirect to https listen on the clear-text port, and send Strict-Transport-Security.",
)
def test_nothing_is_served_in_clear_text(
    flows: Flows, login: Login, held: Captured, access_cookies: frozenset[str], expect: Expect
) -> None:
    """Credentials are not taken over clear-text HTTP.

    Why: anyone on the way, in a café's network say, reads password and session.

    Test: repeat the probe and the login on the clear-text port, first with nothing worth stealing; only where the
    application itself answers, with real credentials. A refused connection or a redirect to https passes.
    """
    for attempt in (clear_text.probe(flows, held), clear_text.log_in(flows, login.account, access_cookies)):
        expect.that(
            not attempt.accepted,
            expected="a refused connection, a refusal, or a redirect to https",
            observed=attempt.said,
            evidence=numbers(attempt.evidence),
            scope=attempt.scope,
        )
