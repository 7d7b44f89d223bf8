"""Cookie attributes: what the Set-Cookie lines of the cookies that authenticate say, and what browsers make of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CHEATSHEET, CWE, RFC6265BIS, RFC6750, RFC10017, WSTG, ZAP
from harness.tokens import find_jwts
from harness.user_agent.sites import Origin, same_site
from harness.verdict import Inconclusive, NotApplicable
from suites.auth_cookies import Line, lifetime_s, lines, live_lines
from suites.discarded import discarded, needed
from suites.disclosure import readable_places, shows

if TYPE_CHECKING:
    from harness.credentials import Login, Probe
    from harness.flows import Flows
    from harness.target import Target
    from harness.user_agent import Answer
    from harness.verdict import Expect

PREFIXES = ("__Host-", "__Secure-", "__Http-", "__Host-Http-")
LONGEST_S = 400 * 86400
"""No user agent keeps a cookie for longer (RFC 6265bis, section 5.5)."""
SLACK_S = 60


@pytest.fixture(scope="module")
def visit(flows: Flows, login: Login, access_cookies: frozenset[str]) -> list[Answer]:
    """Everything that was answered between one login and its logout."""
    del login, access_cookies  # the shared login must work, and tell what the refresh cookie is called
    own = flows.log_in()
    answers = list(own.answers)
    # A refresh or a logout that cannot be had is judged elsewhere; the lines of the login can be judged without it.
    with contextlib.suppress(Inconclusive, NotApplicable):
        answers.append(flows.refresh(own).answer)
    answers.append(flows.probe_in(own.agent, own.header).answer)
    with contextlib.suppress(Inconclusive, NotApplicable):
        answers.append(flows.log_out(own))
    return answers


@pytest.fixture(scope="module")
def refresh_cookie(flows: Flows, login: Login, access_cookies: frozenset[str]) -> str | None:
    """The name of the cookie that carries the refresh credential, where one does."""
    return flows.find_refresh_cookie(login, access_cookies)


@pytest.fixture(scope="module")
def credentials(
    visit: list[Answer], access_cookies: frozenset[str], refresh_cookie: str | None
) -> dict[str, list[Line]]:
    """The lines that set a cookie which authenticates, by the cookie's name."""
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
def test_scripts_cannot_read_what_authenticates(credentials: dict[str, list[Line]], expect: Expect) -> None:
    """Every cookie needed for authentication is HttpOnly.

    Why: a script injected into any page of the site could read the session and send it elsewhere.

    Test: sign in, find by elimination which cookies authenticate, read their Set-Cookie lines at login and refresh.
    """
    for name, set_by in credentials.items():
        bad = [line for line in set_by if not line.parsed.http_only]
        expect.that(
            not bad,
            expected=f"every Set-Cookie line of {name}, which authenticates, says HttpOnly",
            observed="".join(f"{line.said()}: any script of the site can read it. " for line in bad[:1]),
            evidence=bad or set_by,
            scope=name,
        )


@requirement(
    "cookies.auth-secure",
    MUST,
    [RFC6750("5.3"), RFC10017("6.1.3.2"), ASVS("3.3.1"), RFC6265BIS("8.3"), CWE(614), ZAP("10011")],
    needs=["cookie", "https"],
    defects=["cookie-not-secure"],
    remedy="Set Secure on every cookie that authenticates, on every deployment reached over https, whatever its name.",
)
def test_what_authenticates_never_travels_in_clear_text(credentials: dict[str, list[Line]], expect: Expect) -> None:
    """Authentication cookies are Secure on https deployments.

    Why: one request to http://, which anyone on the network can provoke, would carry the session in clear text.

    Test: sign in over https, find by elimination which cookies authenticate, read their Set-Cookie lines.
    """
    for name, set_by in credentials.items():
        bad = [line for line in set_by if not line.parsed.secure]
        expect.that(
            not bad,
            expected=f"every Set-Cookie line of {name}, which authenticates, says Secure",
            observed="".join(f"{line.said()}: it goes with requests in clear text too. " for line in bad[:1]),
            evidence=bad or set_by,
            scope=name,
        )


@requirement(
    "cookies.samesite-deliberate",
    SHOULD,
    [ASVS("3.3.2"), RFC10017("6.1.3.2"), RFC6265BIS("4.1.2.7"), CWE(1275), ZAP("10054")],
    needs=["cookie"],
    defects=["samesite-none-undeclared", "csrf-unchecked-samesite-none"],
    remedy="State SameSite=Lax or Strict on cookies that authenticate; None only where a front end lives on another site.",
)
def test_same_site_is_chosen_on_purpose(
    credentials: dict[str, list[Line]], target: Target, expect: Expect
) -> None:
    """Each authentication cookie states a SameSite value that fits its use.

    Why: with None every page on the web can make requests in the user's name; unstated, each browser decides for itself.

    Test: read SameSite on the cookies that authenticate; None fits only a declared front end on another site.
    """
    here = Origin.of(target.origin)
    cross_site = any(not same_site(Origin.of(front), here) for front in (target.front_origin, *target.cors.origins))
    fitting = {"Strict", "Lax", "None"} if cross_site else {"Strict", "Lax"}
    for name, set_by in credentials.items():
        bad = [line for line in set_by if line.parsed.same_site not in fitting]
        none = " and no front end on another site is declared (cors.origins)" if not cross_site else ""
        expect.that(
            not bad,
            expected=f"{name} says SameSite={' or '.join(sorted(fitting))}{none}",
            observed="".join(f"{line.said()}. " for line in bad[:1]),
            evidence=bad or set_by,
            scope=name,
        )


@requirement(
    "cookies.accepted-by-browsers",
    MUST,
    [RFC6265BIS("5.7"), RFC6265BIS("5.6"), RFC6265BIS("5.4"), RFC6265BIS("8.9"), ASVS("3.3.5")],
    needs=["cookie"],
    defects=["host-prefix-with-domain"],
    remedy="Set the cookie in a form browsers store: __Host- with Secure, Path=/ and no Domain; SameSite=None with Secure; "
    "a Domain that covers the host and is no public suffix.",
)
def test_browsers_keep_what_authenticates(flows: Flows, opening: tuple[Login, Probe], expect: Expect) -> None:
    """No authentication Set-Cookie is of a form that conforming browsers discard.

    Why: a discarded cookie looks fine to curl and in the server's log, while no one can sign in, or stay signed in.

    Test: apply the storage algorithm of RFC 6265bis to each raw Set-Cookie line of the login; send what it discards by
    hand, to see whether it would have authenticated.
    """
    login, probe = opening
    received = [line for line in lines(login.answers) if line.live]
    if not received:
        raise NotApplicable("the login sets no cookie; whether it signs in is judged by login.success-authenticates")
    refused = discarded(flows.target, received)
    expect.that(True, expected="browsers keep the login's cookies", observed="", evidence=received)
    for line, why in refused:
        use = needed(flows, opening, received, line)
        expect.that(
            False,
            expected=f"browsers keep {line.name}",
            observed=f"{line.said()}: discarded by browsers, because: {why}. {use or 'The probe answers without it.'} "
            f"As a browser: {probe.said()}.",
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
    remedy="Set each cookie once in an answer, each attribute once, in the grammar of RFC 6265bis: one place that sets it.",
)
def test_set_cookie_lines_follow_the_grammar(visit: list[Answer], expect: Expect) -> None:
    """Set-Cookie lines follow the server grammar and do not repeat a name or an attribute.

    Why: of two lines with one name clients keep now this, now that; the user is signed in in one browser and not in another.

    Test: parse every Set-Cookie line of login, refresh and logout; two live values for one cookie in one answer are a
    finding, other deviations are reported.
    """
    seen = lines(visit)
    if not seen:
        raise NotApplicable("neither login nor refresh nor logout sets a cookie")
    expect.that(True, expected="Set-Cookie lines follow RFC 6265bis", observed="", evidence=seen)
    values: dict[tuple[int, str, str, str], Line] = {}
    for line in seen:
        cookie = line.outcome.cookie
        if cookie is not None and line.live:
            first = values.setdefault((line.exchange, cookie.name, cookie.domain, cookie.path), line)
            expect.that(
                first.parsed.value == line.parsed.value,
                expected=f"{line.name} is set once in an answer",
                observed=f"{line.said()}, and set it to another value in the same answer",
                evidence=[line],
                scope=line.name,
            )
        expect.that(
            not line.parsed.deviations,
            expected=f"the Set-Cookie line of {line.name} follows the grammar of RFC 6265bis section 4.1.1",
            observed=f"{line.said()}: {'; '.join(line.parsed.deviations)}",
            evidence=[line],
            scope=line.name,
            level=INFO,
        )


@requirement(
    "cookies.name-prefix",
    SHOULD,
    [RFC6265BIS("4.1.3"), RFC10017("6.1.3.2"), ASVS("3.3.1"), ASVS("3.3.3")],
    needs=["cookie", "https"],
    defects=["cookie-unprefixed"],
    remedy="Name cookies that authenticate __Host-…, or __Secure-… where another host or a narrower path needs them.",
)
def test_names_make_browsers_insist_on_the_attributes(credentials: dict[str, list[Line]], expect: Expect) -> None:
    """Authentication cookie names carry __Host- (or __Secure- when shared across hosts).

    Why: without the prefix a sibling host, or anyone on the network, can plant a cookie of the same name on the user.

    Test: over https, read the names of the cookies that authenticate, by case.
    """
    secure = {name: set_by for name, set_by in credentials.items() if all(line.parsed.secure for line in set_by)}
    if not secure:
        raise NotApplicable("no cookie that authenticates is Secure, which is judged by cookies.auth-secure")
    for name, set_by in secure.items():
        expect.that(
            name.startswith(PREFIXES),
            expected=f"{name}, which authenticates, is named __Host-… or __Secure-…",
            observed=f"{set_by[0].said()}",
            evidence=set_by,
            scope=name,
        )


@requirement(
    "cookies.host-only",
    SHOULD,
    [RFC10017("6.1.3.2"), RFC6265BIS("8.6"), ASVS("3.3.3"), CWE(565), ZAP("90033")],
    needs=["cookie"],
    defects=["cookie-domain-wide"],
    remedy="Leave Domain out: the cookie then belongs to the host that set it alone.",
)
def test_no_other_host_gets_what_authenticates(
    credentials: dict[str, list[Line]], target: Target, expect: Expect
) -> None:
    """Authentication cookies have no Domain attribute.

    Why: with Domain every host below it receives the session: a forgotten sub-domain is enough to steal or plant it.

    Test: read Domain on the Set-Cookie lines of the cookies that authenticate.
    """
    for name, set_by in credentials.items():
        wide = [line for line in set_by if line.parsed.domain and line.outcome.cookie and not line.outcome.cookie.host_only]
        expect.that(
            not wide,
            expected=f"{name} belongs to the host that set it alone",
            observed="".join(f"{line.said()}: every host below {line.parsed.domain} receives it. " for line in wide[:1]),
            evidence=wide or set_by,
            scope=name,
            level=INFO if target.session.shared_domain else None,
        )


@requirement(
    "cookies.no-readable-duplicate",
    SHOULD,
    [ASVS("3.3.4")],
    needs=["cookie"],
    defects=["client-token-twin"],
    remedy="Hand the credential out once, in the HttpOnly cookie; scripts need a CSRF token at most, never the credential.",
)
def test_no_second_copy_is_within_reach_of_scripts(
    credentials: dict[str, list[Line]], visit: list[Answer], expect: Expect
) -> None:
    """The value of an HttpOnly credential is not handed to scripts through any other channel.

    Why: a copy that a script can read makes HttpOnly void: an injected script takes the copy.

    Test: look for the values of HttpOnly authentication cookies, also encoded, in readable cookies and in bodies.
    """
    hidden = {name: [line for line in set_by if line.parsed.http_only] for name, set_by in credentials.items()}
    values = {name: {line.parsed.value for line in set_by} for name, set_by in hidden.items() if set_by}
    if not values:
        raise NotApplicable("no cookie that authenticates is HttpOnly, which is judged by cookies.auth-httponly")
    places = readable_places(visit)
    expect.that(True, expected="scripts find no copy", observed="", evidence=visit)
    for name, known in values.items():
        for place in places:
            expect.that(
                not any(shows(place.text, value) for value in known),
                expected=f"the value of {name} is in its HttpOnly cookie alone",
                observed=f"{place.name} holds the value of {name}, where a script can read it",
                evidence=[place],
                scope=name,
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
    credentials: dict[str, list[Line]], target: Target, refresh_cookie: str | None, expect: Expect
) -> None:
    """Cookie lifetime, token lifetime and declared policy agree.

    Why: a cookie that outlives its token sends a dead credential with every request; one that ends early signs users out.

    Test: compare Max-Age or Expires with the lifetime of the JWT in the cookie, with declared limits, and with 400 days.
    """
    for name, set_by in credentials.items():
        line = set_by[-1]
        policy = target.session.absolute_timeout_s
        if name == refresh_cookie and target.refresh is not None:
            policy = target.refresh.absolute_lifetime_s or policy
        wrong = _odd_lifetime(line, policy)
        expect.that(
            not wrong,
            expected=f"{name} lasts as long as what it carries, within the declared limit and 400 days",
            observed=f"{line.said()}: {wrong}",
            evidence=[line],
            scope=name,
        )


def _odd_lifetime(line: Line, policy_s: int | None) -> str:
    """What does not agree with the cookie's lifetime; empty where all does."""
    lasts = lifetime_s(line)
    if lasts is None:
        return ""
    token = next((jwt.lifetime_s for jwt in find_jwts(line.parsed.value)), None)
    if lasts > LONGEST_S + SLACK_S:
        return f"it asks for {lasts:.0f} s, more than the 400 days for which browsers keep any cookie"
    if token is not None and abs(lasts - token) > SLACK_S:
        return f"it lasts {lasts:.0f} s, the token in it {token:.0f} s"
    if policy_s is not None and lasts > policy_s + SLACK_S:
        return f"it lasts {lasts:.0f} s, the session {policy_s} s at most, as declared"
    return ""


@requirement(
    "cookies.refresh-scope",
    INFO,
    [CHEATSHEET("Session Management"), RFC6265BIS("4.1.2.4"), RFC6265BIS("8.5")],
    needs=["cookie", "refresh"],
    defects=["refresh-cookie-path-root"],
    remedy="Nothing has to be done; a Path that covers only refresh and logout keeps the value out of ordinary requests.",
)
def test_scope_of_the_refresh_cookie(
    flows: Flows, opening: tuple[Login, Probe], access_cookies: frozenset[str], refresh_cookie: str | None, expect: Expect
) -> None:
    """The scope of a refresh cookie is reported, not judged.

    Why: what goes with every request shows up in more logs and more code; yet Path is no security boundary.

    Test: see whether the browser sends the refresh cookie with an ordinary request, the probe.
    """
    login, probe = opening
    if refresh_cookie is None or refresh_cookie in access_cookies:
        raise NotApplicable("no cookie carries a refresh credential of its own")
    paths = sorted({line.outcome.cookie.path for line in lines(login.answers) if line.name == refresh_cookie and line.outcome.cookie})
    carried = flows.cookies(login.agent, probe.answer.url)
    expect.that(
        refresh_cookie not in carried,
        expected=f"{refresh_cookie} goes with requests to refresh and logout alone",
        observed=f"{refresh_cookie} (Path {', '.join(paths)}) goes with ordinary requests too, such as {probe.answer.method} {probe.answer.url}",
        evidence=[*login.answers[:1], probe],
        scope=refresh_cookie,
    )
