"""Credential transport: where a credential may travel, and where it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

from harness.flows.credentials import Credentials
from harness.matrix import tokens_of
from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, OAUCH, RFC6265BIS, RFC6750, RFC9110, RFC9700, WSTG, ZAP
from harness.verdict import Inconclusive, NotApplicable
from suites.acts.carriers import QUERY_NAMES, SignedIn, parameters_of, who, words
from suites.acts.hsts import YEAR_S, policy
from suites.acts.identity import IDENTITY_HEADERS, PATH_HEADERS, claim, claims, convincing
from suites.acts.injection import PAYLOADS, ask, extended, lines_with, new_word

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.matrix import Matrix
    from harness.target import Target
    from harness.verdict import Expect

SCHEMES = ("bearer", "BEARER", "Token", "Digest")  # the last is as long as Bearer: auth[7:] takes it
BAD = [("Authorization", "Bearer not-a-credential")]
IN_URLS = [RFC9700("4.3.2"), RFC6750("5.3"), ASVS("14.2.1"), CWE(598)]


@pytest.fixture(scope="module")
def user(flows: Flows, login: Login, held: Captured, access_cookies: frozenset[str]) -> SignedIn:
    """Who is signed in, and by what."""
    return SignedIn(flows, login, held, access_cookies)


@requirement(
    "transport.declared-channel-works",
    MUST,
    [RFC6750("2.1")],
    defects=["route-ignores-carrier"],
    remedy="Read the credential in one shared dependency and use it on every protected route.",
)
def test_every_protected_operation_takes_the_declared_carrier(target: Target, matrix: Matrix, expect: Expect) -> None:
    """Every protected operation accepts the credential in every declared carrier.

    Why: a route that looks elsewhere locks honest users out, and usually forgot the other checks as well.
    Test: call each protected operation anonymously and with the credential in each declared carrier, and compare.
    """
    usable = [carrier for carrier in target.session.carriers if matrix.at_probe(carrier).recognised]
    for cell in matrix.told(*usable):
        anonymous = matrix.anonymous(cell.operation)
        expect.that(
            cell.outcome != "refused",
            expected=f"{cell.operation.name} takes the credential in {words(cell.carrier)}, as the probe does",
            observed=f"with the credential in {words(cell.carrier)}, {cell.said()}; without one, {anonymous.said()}.",
            evidence=[cell, anonymous],
            scope=f"{cell.operation.name}, {cell.carrier}",
        )


@requirement(
    "transport.undeclared-channel-ignored",
    SHOULD,
    [RFC6750("2"), ASVS("6.3.4")],
    needs=["one_carrier"],
    defects=["cookie-fallback", "header-fallback"],
    remedy="Read the credential from the declared carrier only; if the second one is wanted, declare and defend it.",
)
def test_credentials_are_not_honoured_elsewhere(user: SignedIn, matrix: Matrix, expect: Expect) -> None:
    """The credential is not honoured in a carrier that the target does not declare.

    Why: a forgotten second way in lacks the defences of the first; browsers, above all, send cookies unasked.
    Test: move the token to cookies of usual names, or the cookie to the Authorization header, and ask as before.
    """
    declared = user.flows.target.session.carriers[0]
    undeclared = "cookie" if declared == "header" else "header"
    for value in user.values:
        moved = user.elsewhere(value, undeclared)
        probe = user.flows.probe(moved, label="undeclared carrier")
        accepted = probe.names(user.login.account)
        names = [name for name in moved.cookies if accepted and user.is_known_by(moved.only(name))]
        forgery = "; browsers send cookies on their own, so that requests can now be forged" if names else ""
        expect.that(
            not accepted,
            expected=f"nobody is signed in: {words(undeclared)} is not declared",
            observed=f"with the credential in {', '.join(names) or words(undeclared)}, {who(probe)}{forgery}.",
            evidence=[probe],
            scope=words(undeclared),
        )
    for cell in matrix.by(undeclared, "form"):
        if cell.operation.path == matrix.probe or not matrix.cell(cell.operation, declared).recognised:
            continue  # judged above, or by transport.declared-channel-works
        expect.that(
            not cell.recognised,
            expected=f"{cell.operation.name} answers as to anybody: {words(cell.carrier)} is not declared",
            observed=f"with the credential in {words(cell.carrier)}, {cell.said()}.",
            evidence=[cell, matrix.anonymous(cell.operation)],
            scope=f"{cell.operation.name}, {cell.carrier}",
        )


@requirement(
    "transport.query-token-refused",
    MUST,
    [*IN_URLS, RFC6750("2.3"), OAUCH("TokenAsQueryParameterDisabled")],
    defects=["token-in-query"],
    remedy="Never read credentials from the query string: URLs end up in logs, histories and Referer headers.",
)
def test_tokens_in_the_query_are_refused(user: SignedIn, expect: Expect) -> None:
    """A token in the query string signs nobody in.

    Why: URLs are kept in histories, server logs and Referer headers; whoever reads one would be signed in.
    Test: ask the probe with the credential in query parameters of usual names and nothing else.
    """
    for name in QUERY_NAMES:
        for value in user.values:
            probe = user.flows.probe(query=urlencode({name: value}), label="token in query")
            expect.that(
                probe.anonymous,
                expected=f"nobody is signed in by ?{name}=",
                observed=f"with the credential as ?{name}= and nothing else, {who(probe)}.",
                evidence=[probe],
                scope=f"?{name}=",
            )


@requirement(
    "transport.no-token-in-redirects",
    MUST,
    [*IN_URLS, RFC9700("2.1.2"), RFC9110("17.9")],
    defects=["login-redirect-carries-token"],
    remedy="Set the cookie on the answer that redirects, or hand over a one-time code; no token in a Location.",
)
def test_no_hop_of_the_login_carries_a_credential(user: SignedIn, expect: Expect) -> None:
    """No hop of a login carries an access, refresh or session token in a URL.

    Why: the URL outlives the redirect in histories, logs and Referer headers, and with it the token.
    Test: look at every URL and Location of a recorded login for values that authenticate; try the long unknown ones.
    """
    if not user.login.answers:
        raise NotApplicable("the login is not made of requests that could be looked at ([login])")
    for answer in user.login.answers:
        found = {(where, name) for where, name, value in parameters_of(answer) if user.gives_away(value)}
        leaks = "; ".join(f"{where} carries a credential in its parameter {name}" for where, name in sorted(found))
        expect.that(
            not leaks,
            expected="no URL of the login carries a value that authenticates",
            observed=f"the answer {answer.status} to {answer.method}: {leaks or 'no credential in its URLs'}.",
            evidence=[answer],
            scope=f"{answer.method} {urlsplit(answer.url).path}",
        )


@requirement(
    "transport.cookie-setter-injection",
    MUST,
    [ASVS("1.2.1"), RFC6265BIS("4.1.1"), WSTG("INPV-15"), CWE(113), ZAP("10029"), ZAP("40003")],
    needs=["cookie_setter"],
    defects=["set-cookie-interpolated"],
    remedy="Set cookies through the framework's cookie API and allow only known values; never build the line by hand.",
)
def test_request_data_cannot_extend_a_set_cookie_line(user: SignedIn, expect: Expect) -> None:
    """Request data cannot add attributes or headers to a Set-Cookie line.

    Why: a link could then set cookies of the attacker's choice, for the whole site, or split the response.
    Test: send separators, line breaks and quotes to each parameter that reaches a cookie, and compare the lines.
    """
    for setter in user.flows.target.cookie_setters:
        word = new_word()
        honest = ask(user.flows, setter, user.held.access, word)
        if not lines_with(honest, word):
            raise Inconclusive(
                f"{setter.path} puts {setter.parameter} into no cookie; check [[cookie_setters]]", honest
            )
        for what, payload in PAYLOADS.items():
            answer = ask(user.flows, setter, user.held.access, payload.format(word=word))
            added = ", ".join(extended(answer, honest, word)) or "nothing"
            expect.that(
                added == "nothing",
                expected="the value is refused, or encoded: the cookie's line keeps its attributes",
                observed=f"{what} in {setter.parameter}: answered {answer.status}, and {added} was added.",
                evidence=[honest, answer],
                scope=f"{setter.path}, {what}",
            )


@requirement(
    "transport.scheme-parsing-strict",
    SHOULD,
    [RFC9110("11.1"), RFC6750("2.1"), RFC6750("3.1")],
    needs=["header"],
    defects=["scheme-unchecked"],
    remedy="Split scheme and token, compare the scheme with bearer without regard to case, refuse anything else.",
)
def test_the_authorization_header_is_parsed_strictly(user: SignedIn, matrix: Matrix, expect: Expect) -> None:
    """The scheme is matched without regard to case, and only Bearer credentials are accepted.

    Why: parsers that look only at the end of the header are confused by proxies that add or translate credentials.
    Test: send the token under other spellings, other schemes and none, and bad headers beside good credentials.
    """
    token, _ = tokens_of(user.held, user.cookies)
    if token is None or not matrix.at_probe("header").recognised:
        raise NotApplicable("the login hands out no token for the Authorization header")
    asked = {scheme: user.flows.probe(Credentials(authorization=f"{scheme} {token}")) for scheme in SCHEMES}
    asked["two Authorization headers, one bad"] = user.flows.probe(Credentials.bearer(token), headers=BAD)
    if (fallback := matrix.at_probe("bad header + cookie").answer) is not None:
        asked["a bad Authorization header beside a good cookie"] = user.flows.read_probe(fallback)
    for what, probe in asked.items():
        honest = what.lower() == "bearer"
        expect.that(
            probe.names(user.login.account) is honest,
            expected="accepted: case does not matter" if honest else "refused: only one Bearer credential counts",
            observed=f"with {what}, {who(probe)}.",
            evidence=[probe],
            scope=what,
            # Which of two counts is for the target to say; it had better say neither.
            level=INFO if " " in what else None,
        )
    for cell in matrix.told("other scheme", "no scheme"):
        if matrix.cell(cell.operation, "header").recognised:
            expect.that(
                not cell.recognised,
                expected="refused: only Bearer is accepted",
                observed=f"with the token in {words(cell.carrier)}, {cell.said()}.",
                evidence=[cell, matrix.anonymous(cell.operation)],
                scope=f"{cell.operation.name}, {cell.carrier}",
            )


@requirement(
    "transport.identity-headers-ignored",
    SHOULD,
    [ASVS("4.1.3"), RFC9700("4.13"), CWE(290)],
    defects=["identity-header-trusted"],
    remedy="Take the user from the credential alone; accept identity headers from your proxy only, and strip others'.",
)
def test_identity_headers_choose_no_user(user: SignedIn, request: pytest.FixtureRequest, expect: Expect) -> None:
    """Identity and proxy headers that a client sends neither sign in nor change the user.

    Why: whoever gets past the proxy, or through one that does not strip them, becomes anyone by naming them.
    Test: ask the probe, anonymously and signed in, with the usual headers naming another user.
    """
    flows = user.flows
    other: Login = request.getfixturevalue("other_login") if flows.target.other_user else user.login
    held = user.held.access if other is not user.login else None
    alone: list[str] = []
    for what, credentials, value in claims(other.account, flows.probe_in(other.agent, other.header), held):
        probe = claim(flows, credentials, IDENTITY_HEADERS, value)
        fooled = probe.names(other.account)
        if fooled and not alone:
            alone = convincing(flows, credentials, value, other.account)
        expect.that(
            not fooled,
            expected="the headers change nothing",
            observed=f"with {what} in {', '.join(alone) or 'identity headers'}, {who(probe)}.",
            evidence=[probe],
            scope=what,
        )
    elsewhere = claim(flows, None, PATH_HEADERS, "/")
    expect.that(
        elsewhere.anonymous,
        expected="nobody is signed in",
        observed=f"with another path in {', '.join(PATH_HEADERS)}, {who(elsewhere)}.",
        evidence=[elsewhere],
        scope="path headers",
    )


@requirement(
    "transport.hsts",
    SHOULD,
    [ASVS("3.4.1"), WSTG("CONF-07")],
    needs=["https", "public_name"],
    defects=["hsts-missing"],
    remedy="Send Strict-Transport-Security: max-age=31536000 on every https answer, at the proxy or in a middleware.",
)
def test_https_answers_demand_https_for_a_year(
    flows: Flows, opening: tuple[Login, Probe], anonymous: Probe, expect: Expect
) -> None:
    """Answers over https carry Strict-Transport-Security of at least one year.

    Why: without it the first request typed without https:// can be kept in the clear, with the session in it.
    Test: read the header on the login, on the login page, and on the probe's answers to a user and to a stranger.
    """
    login, probe = opening
    answers = [*login.answers[:1], probe.answer, anonymous.answer]
    if flows.target.login.page:
        answers.append(flows.agent("visitor").navigate(flows.target.url(flows.target.login.page)))
    for answer in answers:
        stated, seconds = policy(answer)
        expect.that(
            seconds >= YEAR_S,
            expected=f"Strict-Transport-Security with a max-age of at least {YEAR_S}",
            observed=f"the answer {answer.status} says {stated or 'nothing about it'}.",
            evidence=[answer],
            scope=f"{answer.method} {urlsplit(answer.url).path}, {answer.status}",
        )
