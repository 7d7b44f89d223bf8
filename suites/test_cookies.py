"""Cookie attributes: what the Set-Cookie lines of the cookies that authenticate say, and what browsers make of it."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CHEATSHEET, CWE, RFC6265BIS, RFC6750, RFC10017, WSTG, ZAP
from harness.verdict import Inconclusive, NotApplicable
from suites.acts import cookie_faults as faults
from suites.acts.auth_cookies import judge, judge_syntax, lines, live_lines
from suites.acts.discarded import discarded, needed
from suites.acts.disclosure import readable_places, shows

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.target import Target
    from harness.user_agent import Answer
    from harness.verdict import Expect
    from suites.acts.auth_cookies import Line

    Credentials = dict[str, list[Line]]


@pytest.fixture(scope="module")
def refresh_cookie(flows: Flows, login: Login, access_cookies: frozenset[str]) -> str | None:
    """The name of the cookie that carries the refresh credential, where one does."""
    return flows.find_refresh_cookie(login, access_cookies)


@pytest.fixture(scope="module")
def visit(flows: Flows, refresh_cookie: str | None) -> list[Answer]:
    """Everything that was answered between one login and its logout."""
    del refresh_cookie  # flows know it once it is found
    own = flows.log_in()
    answers = list(own.answers)
    # A refresh or a logout that cannot be had is judged elsewhere; the login can be judged without it.
    with contextlib.suppress(Inconclusive, NotApplicable):
        answers.append(flows.refresh(own).answer)
    answers.append(flows.probe_in(own.agent, own.header).answer)
    with contextlib.suppress(Inconclusive, NotApplicable):
        answers.append(flows.log_out(own))
    return answers


@pytest.fixture(scope="module")
def credentials(visit: list[Answer], access_cookies: frozenset[str], refresh_cookie: str | None) -> Credentials:
    """The lines that set a cookie which authenticates, at login or refresh, by the cookie's name."""
    found = live_lines(lines(visit), access_cookies | ({refresh_cookie} if refresh_cookie else set()))
    if not found:
        raise NotApplicable("no cookie that authenticates is set at login or refresh; tokens travel in the header")
    return found


@requirement(
    "cookies.auth-httponly",
    MUST,
    [RFC10017("6.1.3.2"), ASVS("3.3.4"), WSTG("SESS-02"), CWE(1004), ZAP("10010")],
    needs=["cookie"],
    defects=["cookie-readable"],
    remedy="Set HttpOnly on every cookie that authenticates, wherever it is set: at login and at refresh.",
)
def test_scripts_cannot_read_what_authenticates(credentials: Credentials, expect: Expect) -> None:
    """Every cookie needed for authentication is HttpOnly.

    Why: a script injected into any page of the site could read the session and send it elsewhere.

    Test: sign in, find by elimination which cookies authenticate, read their Set-Cookie lines at login and refresh.
    """
    judge(expect, credentials, "says HttpOnly", faults.readable)


@requirement(
    "cookies.auth-secure",
    MUST,
    [RFC6750("5.3"), RFC10017("6.1.3.2"), ASVS("3.3.1"), RFC6265BIS("8.3"), CWE(614), ZAP("10011")],
    needs=["cookie", "https"],
    defects=["cookie-not-secure"],
    remedy="Set Secure on every cookie that authenticates, on every deployment reached over https, whatever its name.",
)
def test_what_authenticates_never_travels_in_clear_text(credentials: Credentials, expect: Expect) -> None:
    """Authentication cookies are Secure on https deployments.

    Why: one request to http://, which anyone on the network can provoke, would carry the session in clear text.

    Test: sign in over https, find by elimination which cookies authenticate, read their Set-Cookie lines.
    """
    judge(expect, credentials, "says Secure", faults.clear_text)


@requirement(
    "cookies.samesite-deliberate",
    SHOULD,
    [ASVS("3.3.2"), RFC10017("6.1.3.2"), RFC6265BIS("4.1.2.7"), CWE(1275), ZAP("10054")],
    needs=["cookie"],
    defects=["samesite-none-undeclared", "csrf-unchecked-samesite-none"],
    remedy="State SameSite=Lax or Strict on cookies that authenticate; None only for a front end on another site.",
)
def test_same_site_is_chosen_on_purpose(credentials: Credentials, target: Target, expect: Expect) -> None:
    """Each authentication cookie states a SameSite value that fits its use.

    Why: with None every page on the web can make requests in the user's name; unstated, each browser decides.

    Test: read SameSite on the cookies that authenticate; None fits only a declared front end on another site.
    """
    unfit = partial(faults.same_site_unfit, other_site=faults.has_other_site(target))
    judge(expect, credentials, "states a SameSite value that fits its use", unfit)


@requirement(
    "cookies.accepted-by-browsers",
    MUST,
    [RFC6265BIS("5.7"), RFC6265BIS("5.6"), RFC6265BIS("5.4"), RFC6265BIS("8.9"), ASVS("3.3.5")],
    needs=["cookie"],
    defects=["host-prefix-with-domain"],
    remedy="Keep to what browsers store: __Host- with Secure, Path=/ and no Domain; SameSite=None with Secure; "
    "a Domain that covers the host and is no public suffix.",
)
def test_browsers_keep_what_authenticates(flows: Flows, opening: tuple[Login, Probe], expect: Expect) -> None:
    """No authentication Set-Cookie is of a form that conforming browsers discard.

    Why: a discarded cookie looks fine to curl and in the server's log, while nobody can sign in, or stay signed in.

    Test: apply the storage algorithm of RFC 6265bis to each raw Set-Cookie line of the login; send by hand what it
    discards, to see whether it would have authenticated.
    """
    login, probe = opening
    received = [line for line in lines(login.answers) if line.live]
    if not received:
        raise NotApplicable("the login sets no cookie; whether it signs in is judged by login.success-authenticates")
    expect.that(True, expected="browsers keep what authenticates", observed="", evidence=received)
    for line, why in discarded(flows.target, received):
        use = needed(flows, opening, received, line)
        expect.that(
            False,
            expected=f"browsers keep {line.name}",
            observed=f"{line.said()}: browsers discard it ({why}). {use or 'The probe answers without it.'} "
            f"In the browser: {probe.said()}",
            evidence=[line, probe],
            scope=line.name,
            level=None if use else INFO,
        )


@requirement(
    "cookies.syntax-conforms",
    SHOULD,
    [RFC6265BIS("4.1.1")],
    needs=["cookie"],
    defects=["session-cookie-set-twice"],
    remedy="Set each cookie once in an answer and each attribute once: one place in the code that sets it.",
)
def test_set_cookie_lines_follow_the_grammar(visit: list[Answer], expect: Expect) -> None:
    """Set-Cookie lines follow the server grammar and do not repeat a name or an attribute.

    Why: of two lines with one name clients keep now this, now that; the user is signed in here and not there.

    Test: parse every Set-Cookie line of login, refresh and logout; look for one cookie set to two values at once.
    """
    seen = lines(visit)
    if not seen:
        raise NotApplicable("neither login nor refresh nor logout sets a cookie")
    judge_syntax(expect, seen)


@requirement(
    "cookies.name-prefix",
    SHOULD,
    [RFC6265BIS("4.1.3"), RFC10017("6.1.3.2"), ASVS("3.3.1"), ASVS("3.3.3")],
    needs=["cookie", "https"],
    defects=["cookie-unprefixed"],
    remedy="Name cookies that authenticate __Host-…, or __Secure-… where other hosts or a narrower path need them.",
)
def test_names_make_browsers_insist_on_the_attributes(credentials: Credentials, expect: Expect) -> None:
    """Authentication cookie names carry __Host- (or __Secure- when shared across hosts).

    Why: without the prefix a sibling host, or anyone on the network, can plant a cookie of the same name.

    Test: over https, read the names of the cookies that authenticate, upper and lower case told apart.
    """
    secure = {name: found for name, found in credentials.items() if all(line.parsed.secure for line in found)}
    if not secure:
        raise NotApplicable("no cookie that authenticates is Secure, which is judged by cookies.auth-secure")
    judge(expect, secure, "is named __Host-… or __Secure-…", faults.unprefixed)


@requirement(
    "cookies.host-only",
    SHOULD,
    [RFC10017("6.1.3.2"), RFC6265BIS("8.6"), ASVS("3.3.3"), CWE(565), ZAP("90033")],
    needs=["cookie"],
    defects=["cookie-domain-wide"],
    remedy="Leave Domain out: the cookie then belongs to the host that set it alone.",
)
def test_no_other_host_gets_what_authenticates(credentials: Credentials, target: Target, expect: Expect) -> None:
    """Authentication cookies have no Domain attribute.

    Why: with Domain every host below it receives the session: a forgotten sub-domain can steal or plant it.

    Test: read Domain on the Set-Cookie lines of the cookies that authenticate.
    """
    level = INFO if target.session.shared_domain else None
    judge(expect, credentials, "belongs to the host that set it alone", faults.domain_wide, level)


@requirement(
    "cookies.no-readable-duplicate",
    SHOULD,
    [ASVS("3.3.4")],
    needs=["cookie"],
    defects=["client-token-twin"],
    remedy="Hand the credential out in the HttpOnly cookie alone; a script needs an anti-forgery token at most.",
)
def test_scripts_find_no_second_copy(credentials: Credentials, visit: list[Answer], expect: Expect) -> None:
    """The value of an HttpOnly credential is not handed to scripts through any other channel.

    Why: a copy that a script can read makes HttpOnly void: an injected script takes the copy.

    Test: look for the values of HttpOnly authentication cookies, also encoded, in readable cookies and in bodies.
    """
    hidden = [line for found in credentials.values() for line in found if line.parsed.http_only]
    values = {(line.name, line.parsed.value) for line in hidden}
    if not values:
        raise NotApplicable("no cookie that authenticates is HttpOnly, which is judged by cookies.auth-httponly")
    for place in readable_places(visit):
        copied = sorted({name for name, value in values if shows(place.text, value)})
        expect.that(
            not copied,
            expected="the credential is in its HttpOnly cookie alone",
            observed=f"{place.name} holds the value of {', '.join(copied)}, where scripts can read it",
            evidence=[place],
            scope=", ".join(copied),
        )


@requirement(
    "cookies.lifetime-consistent",
    INFO,
    [RFC6265BIS("5.5"), ASVS("7.3.2")],
    needs=["cookie"],
    defects=["cookie-outlives-token"],
    remedy="Give the cookie the lifetime of what it carries, from one constant.",
)
def test_cookie_and_token_end_together(
    credentials: Credentials, target: Target, refresh_cookie: str | None, expect: Expect
) -> None:
    """Cookie lifetime, token lifetime and declared policy agree.

    Why: a cookie that outlives its token sends a dead credential along; one that ends early signs users out.

    Test: compare Max-Age or Expires with the lifetime of the JWT inside, with declared limits, and with 400 days.
    """
    session_s = target.session.absolute_timeout_s
    refresh_s = (target.refresh.absolute_lifetime_s if target.refresh else None) or session_s
    judge(
        expect,
        credentials,
        "ends with what it carries, within declared limits and 400 days",
        lambda line: faults.odd_lifetime(line, refresh_s if line.name == refresh_cookie else session_s),
    )


@requirement(
    "cookies.refresh-scope",
    INFO,
    [CHEATSHEET("Session Management"), RFC6265BIS("4.1.2.4"), RFC6265BIS("8.5")],
    needs=["cookie", "refresh"],
    defects=["refresh-cookie-path-root"],
    remedy="Nothing has to be mended; a Path that covers refresh and logout alone keeps it out of other requests.",
)
def test_scope_of_the_refresh_cookie(
    opening: tuple[Login, Probe],
    flows: Flows,
    access_cookies: frozenset[str],
    refresh_cookie: str | None,
    expect: Expect,
) -> None:
    """The scope of a refresh cookie is reported, not judged.

    Why: what goes with every request is met by more code and more logs; yet Path is no security boundary.

    Test: see whether the browser sends the refresh cookie with an ordinary request, the probe.
    """
    login, probe = opening
    if refresh_cookie is None or refresh_cookie in access_cookies:
        raise NotApplicable("no cookie carries a refresh credential of its own")
    asked = f"{probe.answer.method} {probe.answer.url}"
    set_by = [line.said() for line in lines(login.answers) if line.name == refresh_cookie]
    expect.that(
        refresh_cookie not in flows.cookies(login.agent, probe.answer.url),
        expected=f"{refresh_cookie} goes with requests to refresh and logout alone",
        observed=f"{set_by[0] if set_by else refresh_cookie}: it goes with ordinary requests too, such as {asked}",
        evidence=[*login.answers[:1], probe],
        scope=refresh_cookie,
    )
