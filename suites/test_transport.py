"""Credential transport: where a credential may travel, and where it must not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from harness.credentials import Credentials
from harness.matrix import tokens_of
from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, OAUCH, RFC6265BIS, RFC6750, RFC9110, RFC9700, WSTG, ZAP
from harness.verdict import Inconclusive, NotApplicable
from suites.carriers import (
    QUERY_NAMES,
    STRAY_COOKIES,
    authenticates,
    credential_values,
    parameters_of,
    same_subject,
    who,
    words,
)
from suites.identity import IDENTITY_HEADERS, PATH_HEADERS, names_of
from suites.injection import PAYLOADS, attributes, extended, lines_with, new_word

if TYPE_CHECKING:
    import pytest

    from harness.credentials import Captured, Login, Probe
    from harness.flows import Flows
    from harness.matrix import Matrix
    from harness.requirement import Level
    from harness.target import Target
    from harness.verdict import Expect

YEAR_S = 31_536_000


@requirement(
    "transport.declared-channel-works",
    MUST,
    [RFC6750("2.1")],
    defects=["route-ignores-carrier"],
    remedy="Read the credential in one shared dependency and use it on every protected route.",
)
def test_every_protected_operation_takes_the_declared_carrier(target: Target, matrix: Matrix, expect: Expect) -> None:
    """Every protected operation accepts the credential in every declared carrier.

    Why: a route that looks elsewhere locks honest users out, and is usually one that forgot the other checks as well.
    Test: call each protected operation anonymously and with the credential in each declared carrier, and compare.
    """
    usable = [carrier for carrier in target.session.carriers if matrix.at_probe(carrier).recognised]
    for cell in matrix.by(*usable):
        if cell.outcome == "unclear":
            continue
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
    remedy="Read the credential from the declared carrier only; declare the second one, with its defences, if it is wanted.",
)
def test_credentials_are_not_honoured_elsewhere(  # noqa: PLR0913
    target: Target, flows: Flows, login: Login, held: Captured, access_cookies: frozenset[str], matrix: Matrix, expect: Expect
) -> None:
    """The credential is not honoured in a carrier that the target does not declare.

    Why: a forgotten second way in has none of the defences of the first; cookies, above all, are sent by browsers unasked.
    Test: move the token to cookies of usual names, or the cookie to the Authorization header, and ask as before.
    """
    declared = target.session.carriers[0]
    for value in credential_values(held, access_cookies):
        moved = Credentials.bearer(value)
        if declared == "header":
            moved = Credentials(dict.fromkeys([*STRAY_COOKIES, *flows.cookies(login.agent)], value))
        probe = flows.probe(moved, label="undeclared carrier")
        accepted = probe.names(login.account)
        names = [name for name in moved.cookies if accepted and flows.probe(moved.only(name)).names(login.account)]
        forged = f" through {', '.join(names)}: browsers send cookies on their own, so requests can now be forged" if names else ""
        expect.that(
            not accepted,
            expected="nobody is signed in: the credential travelled in an undeclared carrier",
            observed=f"with the credential in {'cookies' if moved.cookies else words('header')}, {who(probe)}{forged}.",
            evidence=[probe],
            scope="cookies" if moved.cookies else "Authorization header",
        )
    for cell in matrix.by("header" if declared == "cookie" else "cookie", "form"):
        if cell.operation.path == target.probe.path or not matrix.cell(cell.operation, declared).recognised:
            continue  # judged above, or by transport.declared-channel-works
        expect.that(
            not cell.recognised,
            expected=f"{cell.operation.name} answers as to anybody: the credential travelled in an undeclared carrier",
            observed=f"with the credential in {words(cell.carrier)}, {cell.said()}.",
            evidence=[cell, matrix.anonymous(cell.operation)],
            scope=f"{cell.operation.name}, {cell.carrier}",
        )


@requirement(
    "transport.query-token-refused",
    MUST,
    [RFC9700("4.3.2"), RFC6750("2.3"), RFC6750("5.3"), ASVS("14.2.1"), OAUCH("TokenAsQueryParameterDisabled"), CWE(598)],
    defects=["token-in-query"],
    remedy="Never read credentials from the query string: URLs end up in logs, histories and Referer headers.",
)
def test_tokens_in_the_query_are_refused(flows: Flows, held: Captured, access_cookies: frozenset[str], expect: Expect) -> None:
    """A token in the query string signs nobody in.

    Why: URLs are kept in histories, server logs and Referer headers; whoever reads one would be signed in.
    Test: ask the probe with the credential in query parameters of usual names and nothing else.
    """
    for name in QUERY_NAMES:
        for value in credential_values(held, access_cookies):
            probe = flows.probe(query=urlencode({name: value}), label="token in query")
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
    [RFC9700("4.3.2"), RFC9700("2.1.2"), RFC6750("5.3"), ASVS("14.2.1"), RFC9110("17.9"), CWE(598)],
    defects=["login-redirect-carries-token"],
    remedy="Set the cookie on the answer that redirects, or hand over a one-time code; never put a token into a Location.",
)
def test_no_hop_of_the_login_carries_a_credential(
    flows: Flows, login: Login, held: Captured, access_cookies: frozenset[str], expect: Expect
) -> None:
    """No hop of a login carries an access, refresh or session token in a URL.

    Why: the URL outlives the redirect in histories, logs and Referer headers, and with it the token.
    Test: look at every URL and Location of a recorded login for values that authenticate, and try the long unknown ones.
    """
    if not login.answers:
        raise NotApplicable("the login is not made of requests that could be looked at ([login])")
    known = {*credential_values(held, access_cookies), held.refresh or ""}
    for answer in login.answers:
        leaks = {
            f"{where} carries a credential in its parameter {name}"
            for where, name, value in parameters_of(answer)
            if value in known or same_subject(value, known) or authenticates(flows, value, login.account, access_cookies)
        }
        expect.that(
            not leaks,
            expected="no URL of the login carries a value that authenticates",
            observed=f"the answer {answer.status} to {answer.method}: {'; '.join(sorted(leaks)) or 'no credential in its URLs'}.",
            evidence=[answer],
            scope=f"{answer.method} {answer.url.partition('?')[0]}",
        )


@requirement(
    "transport.cookie-setter-injection",
    MUST,
    [ASVS("1.2.1"), RFC6265BIS("4.1.1"), WSTG("INPV-15"), CWE(113), ZAP("10029"), ZAP("40003")],
    needs=["cookie_setter"],
    defects=["set-cookie-interpolated"],
    remedy="Set cookies through the framework's cookie API and allow only known values; never build the line by hand.",
)
def test_request_data_cannot_extend_a_set_cookie_line(target: Target, flows: Flows, held: Captured, expect: Expect) -> None:
    """Request data cannot add attributes or headers to a Set-Cookie line.

    Why: a link could then set cookies of the attacker's choice, for the whole site, or split the response.
    Test: send separators, line breaks and quotes to each parameter that reaches a cookie, and compare the lines that come back.
    """
    for setter in target.cookie_setters:
        url = f"{target.url(setter.path)}?{quote(setter.parameter)}="
        agent, cookies, word = flows.agent("cookie setter"), dict(held.access.cookies), new_word()
        honest = agent.send("GET", url + word, headers=held.access.headers, cookies=cookies or "none", store=False)
        if not lines_with(honest, word):
            raise Inconclusive(f"{setter.path} put its parameter {setter.parameter} into no cookie; check [[cookie_setters]]", honest)
        usual = attributes(lines_with(honest, word)[0])
        for what, payload in PAYLOADS.items():
            sent = url + payload.format(word=word)
            answer = agent.send("GET", sent, headers=held.access.headers, cookies=cookies or "none", store=False)
            added = extended(answer, word, usual)
            expect.that(
                not added,
                expected="the value is refused, or encoded: the cookie's line keeps its attributes",
                observed=f"{what} in {setter.parameter}: answered {answer.status}, adding {', '.join(added) or 'nothing'}.",
                evidence=[honest, answer],
                scope=f"{setter.path}, {what}",
            )


@requirement(
    "transport.scheme-parsing-strict",
    SHOULD,
    [RFC9110("11.1"), RFC6750("2.1"), RFC6750("3.1")],
    needs=["header"],
    defects=["scheme-unchecked"],
    remedy="Split the header into scheme and token, compare the scheme with bearer without regard to case, refuse anything else.",
)
def test_the_authorization_header_is_parsed_strictly(  # noqa: PLR0913
    flows: Flows, login: Login, held: Captured, access_cookies: frozenset[str], matrix: Matrix, expect: Expect
) -> None:
    """The scheme is matched without regard to case, and only Bearer credentials are accepted.

    Why: parsers that look only at the end of the header are confused by proxies that add or translate credentials.
    Test: send the token under bearer, BEARER, Token, Basic and no scheme, beside a bad header, and a bad one beside a good cookie.
    """
    token, _ = tokens_of(held, access_cookies)
    if token is None or not matrix.at_probe("header").recognised:
        raise NotApplicable("the login hands out no token for the Authorization header")

    def judge(probe: Probe, scope: str, expected: str, *, accepted: bool = False, level: Level | None = None) -> None:
        observed = f"with {scope}, {who(probe)}."
        expect.that(probe.names(login.account) is accepted, expected=expected, observed=observed, evidence=[probe], scope=scope, level=level)

    for scheme in ("bearer", "BEARER"):
        probe = flows.probe(Credentials(authorization=f"{scheme} {token}"), label="scheme")
        judge(probe, f"the scheme {scheme}", "schemes are compared without regard to case", accepted=True)
    judge(flows.probe(Credentials(authorization=f"Token {token}"), label="scheme"), "the scheme Token", "only Bearer is accepted")
    for cell in matrix.by("other scheme", "no scheme"):
        if matrix.cell(cell.operation, "header").recognised and cell.outcome != "unclear":
            observed, scope = f"with {words(cell.carrier)}, {cell.said()}.", f"{cell.operation.name}, {cell.carrier}"
            expect.that(not cell.recognised, expected="only Bearer is accepted", observed=observed, evidence=[cell], scope=scope)
    twice = flows.probe(Credentials.bearer(token), headers=[("Authorization", "Bearer not-a-credential")], label="two headers")
    judge(twice, "a good and a bad Authorization header", "400: which of the two counts would depend on who reads", level=INFO)
    fallback = matrix.at_probe("bad header + cookie")
    if fallback.answer is not None:
        judge(flows.read_probe(fallback.answer), "a bad Authorization header beside a good cookie", "a bad credential is refused, whatever came along", level=INFO)


@requirement(
    "transport.identity-headers-ignored",
    SHOULD,
    [ASVS("4.1.3"), RFC9700("4.13"), CWE(290)],
    defects=["identity-header-trusted"],
    remedy="Take the user from the credential alone; accept a proxy's identity headers from that proxy only, and strip the client's.",
)
def test_identity_headers_choose_no_user(  # noqa: PLR0913
    target: Target, flows: Flows, login: Login, held: Captured, request: pytest.FixtureRequest, expect: Expect
) -> None:
    """Identity and proxy headers that a client sends neither sign in nor change the user.

    Why: whoever reaches the application past its proxy, or through one that does not strip them, becomes anyone by naming them.
    Test: ask the probe, anonymously and signed in, with the usual headers naming another user.
    """
    victim: Login = request.getfixturevalue("other_login") if target.other_user else login
    for kind, value in names_of(victim.account, flows.probe_in(victim.agent, victim.header)).items():
        for credentials in [None, held.access] if victim is not login else [None]:
            probe = flows.probe(credentials, headers=[(name, value) for name in IDENTITY_HEADERS], label="identity headers")
            fooled = probe.names(victim.account)
            culprits = [name for name in IDENTITY_HEADERS if fooled and flows.probe(credentials, headers=[(name, value)]).names(victim.account)]
            expect.that(
                not fooled,
                expected="the headers change nothing",
                observed=f"{'signed in' if credentials else 'without a credential'}, with a user's {kind} in {', '.join(culprits) or 'identity headers'}, {who(probe)}.",
                evidence=[probe],
                scope=f"{kind}, {'signed in' if credentials else 'anonymous'}",
            )
    elsewhere = flows.probe(headers=[(name, "/") for name in PATH_HEADERS], label="path headers")
    observed = f"with another path in {', '.join(PATH_HEADERS)}, {who(elsewhere)}."
    expect.that(elsewhere.anonymous, expected="nobody is signed in", observed=observed, evidence=[elsewhere], scope="path headers")


@requirement(
    "transport.hsts",
    SHOULD,
    [ASVS("3.4.1"), WSTG("CONF-07")],
    needs=["https", "public_name"],
    defects=["hsts-missing"],
    remedy="Send Strict-Transport-Security: max-age=31536000 on every https answer, at the proxy or in a middleware.",
)
def test_https_answers_demand_https_for_a_year(
    target: Target, flows: Flows, opening: tuple[Login, Probe], anonymous: Probe, expect: Expect
) -> None:
    """Answers over https carry Strict-Transport-Security of at least one year.

    Why: without it the first request typed without https:// can be kept in the clear, with the session in it.
    Test: read the header on the login, on the login page, and on the probe's answers to a user and to a stranger.
    """
    login, probe = opening
    answers = [*login.answers[:1], probe.answer, anonymous.answer]
    if target.login.page:
        answers.append(flows.agent("visitor").navigate(target.url(target.login.page)))
    for answer in answers:
        # Only the first counts (RFC 6797, section 8.1).
        policy = next(iter(answer.headers.all("Strict-Transport-Security")), None)
        found = re.search(r'(?:^|;)\s*max-age\s*=\s*"?(\d+)', policy or "", re.IGNORECASE)
        expect.that(
            found is not None and int(found[1][:18]) >= YEAR_S,
            expected=f"Strict-Transport-Security with a max-age of at least {YEAR_S}",
            observed=f"the answer {answer.status} has {f'Strict-Transport-Security: {policy}' if policy else 'no such header'}.",
            evidence=[answer],
            scope=f"{answer.method} {answer.url.partition('?')[0]}, {answer.status}",
        )
