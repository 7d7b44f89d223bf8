"""CORS with credentials: who may read what the target says to its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.matrix import call
from harness.requirement import INFO, MUST, SHOULD, requirement
from harness.sources import ASVS, CWE, FETCH, RFC9110, RFC9111, WSTG, ZAP
from harness.user_agent.cors import cors_check
from harness.verdict import NotApplicable
from suites.acts.cross_origin import (
    ATTACKER,
    Call,
    calls_of,
    lookalikes,
    mode_of,
    named_headers,
    permission,
    preflight,
    read_from,
    shared_with,
)

if TYPE_CHECKING:
    from harness.discovery import Operation
    from harness.flows import Flows
    from harness.flows.credentials import Captured
    from harness.matrix import Matrix
    from harness.target import Target
    from harness.user_agent import Answer
    from harness.verdict import Expect

NOT_SERVED = "the trusted origin is not served itself; judged by cors.trusted-origin-served"
NO_CREDENTIALS = "CORS is granted without credentials: a foreign page holds none that it could send"
MOST_ORIGINS = 3
MOST_PATHS = 8


@requirement(
    "cors.untrusted-origin-refused",
    MUST,
    [ASVS("3.4.2"), FETCH("cors-protocol-and-credentials"), WSTG("CLNT-07"), CWE(942), ZAP("40040")],
    defects=["cors-reflects-any-origin"],
    remedy="List the front end's origins; never answer with whatever Origin came while allowing credentials.",
)
def test_foreign_origins_get_no_credentialed_access(
    target: Target, flows: Flows, held: Captured, expect: Expect
) -> None:
    """A foreign origin is never granted credentialed read access.

    Why: any page that a user visits could then read the user's data, and the anti-forgery token with it.
    Test: ask from a foreign origin with and without credentials, and send the preflights that its scripts would need.
    """
    data = target.write.check if target.write else target.probe.path
    answers = {
        "the probe, anonymously": read_from(flows, target.probe.path, ATTACKER),
        "the probe, with the credential": read_from(flows, target.probe.path, ATTACKER, held.access),
    }
    if data != target.probe.path:
        answers[f"{data}, with the credential"] = read_from(flows, data, ATTACKER, held.access)
    answers["preflight for the probe"] = preflight(flows, target.probe.path, ATTACKER, "GET", ["authorization"])
    for section in (target.login, target.refresh, target.write):
        if section is not None:
            answers[f"preflight for {section.path}"] = preflight(
                flows, section.path, ATTACKER, section.method, ["content-type"]
            )
    for scope, answer in answers.items():
        expect.that(
            not shared_with(answer, ATTACKER),
            expected=f"nothing that lets {ATTACKER} read with credentials",
            observed=f"{scope}: {permission(answer)}.",
            evidence=[answer],
            scope=scope,
        )


@requirement(
    "cors.origin-matching-exact",
    MUST,
    [ASVS("3.4.2"), FETCH("http-responses"), WSTG("CLNT-07"), CWE(346), ZAP("40040")],
    needs=["front_origin"],
    defects=["cors-regex-unanchored"],
    remedy="Compare the whole Origin with a list; if it must be a pattern, anchor both ends and escape the dots.",
)
def test_origins_are_matched_exactly(target: Target, flows: Flows, held: Captured, expect: Expect) -> None:
    """Origins are compared exactly, scheme, host and port, and null is none of them.

    Why: whoever can register a name that fits the pattern, or opens a sandboxed frame, reads as if trusted.
    Test: ask from origins that resemble each trusted one: prefixes, suffixes, other ports and schemes, null.
    """
    if shared_with(read_from(flows, target.probe.path, ATTACKER, held.access), ATTACKER):
        raise NotApplicable("any foreign origin is served; judged by cors.untrusted-origin-refused")
    for trusted in target.cors.origins[:MOST_ORIGINS]:
        honest = read_from(flows, target.probe.path, trusted, held.access)
        if not shared_with(honest, trusted):
            served = cors_check(tuple(honest.headers), trusted, mode_of(target)) is None
            raise NotApplicable(NO_CREDENTIALS if served else NOT_SERVED)
        for like in lookalikes(target, trusted):
            answer = read_from(flows, target.probe.path, like.origin, held.access)
            expect.that(
                not shared_with(answer, like.origin),
                expected=f"{like.origin} is not {trusted}, and is refused",
                observed=f"{like.what}, {like.origin}: {permission(answer)}.",
                evidence=[honest, answer],
                scope=f"{trusted}, {like.what}",
                level=like.level,
            )


@requirement(
    "cors.trusted-origin-served",
    MUST,
    [FETCH("http-responses"), FETCH("cors-protocol-and-credentials"), FETCH("cors-preflight-fetch")],
    needs=["front_origin"],
    defects=["cors-auth-before-preflight", "cors-wildcard-headers-with-cookies"],
    remedy="Answer preflights before authentication; name origin, methods and headers, and allow credentials.",
)
def test_the_trusted_origin_gets_what_it_needs(target: Target, flows: Flows, held: Captured, expect: Expect) -> None:
    """The declared front end gets a usable CORS answer to every request that it makes.

    Why: a front end that the browser blocks tempts people to open CORS to everybody.
    Test: send the preflight of each real method and header pair, then a request, and judge as a browser does.
    """
    mode = mode_of(target)
    for origin in target.cors.origins[:MOST_ORIGINS]:
        honest = read_from(flows, target.probe.path, origin, held.access)
        why = cors_check(tuple(honest.headers), origin, mode)
        if honest.status < 400:
            observed = f"GET {target.probe.path} from {origin}: {why or 'readable'}; {permission(honest)}."
            expect.that(
                why is None,
                expected="the front end may read it",
                observed=observed,
                evidence=[honest],
                scope=f"{origin}, GET {target.probe.path}",
            )
        for wanted in calls_of(target, origin, held.proof.headers):
            answer = wanted.asked_by(origin, flows, authorized=held.access.authorization is not None)
            why = wanted.blocked(answer, origin, mode)
            if why and "*" in named_headers(answer) and "header" in target.session.carriers:
                raise NotApplicable(
                    "preflights allow * and name no header; judged by cors.authorization-header-allowed"
                )
            expect.that(
                why is None,
                expected=f"an answer after which a browser sends {wanted.method} {wanted.path} from {origin}",
                observed=f"the preflight {permission(answer)}: {why or 'allowed'}.",
                evidence=[answer],
                scope=f"{origin}, {wanted.method} {wanted.path}",
            )


@requirement(
    "cors.authorization-header-allowed",
    MUST,
    [FETCH("cors-non-wildcard-request-header-name"), FETCH("cors-preflight-fetch")],
    needs=["header", "front_origin"],
    defects=["cors-wildcard-headers", "cors-wildcard-headers-with-cookies"],
    remedy="Name Authorization in Access-Control-Allow-Headers: a wildcard does not cover it.",
)
def test_preflights_name_the_authorization_header(target: Target, flows: Flows, expect: Expect) -> None:
    """Preflights allow the Authorization header by its name.

    Why: browsers never let * stand for Authorization, so every call of the front end is blocked before it is sent.
    Test: send a preflight for authorization and content-type from each trusted origin, and read the list that comes.
    """
    for origin in target.cors.origins[:MOST_ORIGINS]:
        answer = preflight(flows, target.probe.path, origin, "GET", ["authorization", "content-type"])
        if Call("GET", target.probe.path, ()).blocked(answer, origin, mode_of(target)) is not None:
            raise NotApplicable(NOT_SERVED)
        named = named_headers(answer)
        expect.that(
            "authorization" in named,
            expected="authorization in Access-Control-Allow-Headers",
            observed=f"to {origin}, Access-Control-Allow-Headers is {', '.join(sorted(named)) or 'absent'}.",
            evidence=[answer],
            scope=origin,
        )


@requirement(
    "cors.vary-origin",
    SHOULD,
    [FETCH("cors-protocol-and-http-caches"), RFC9110("12.5.5"), RFC9111("4.1")],
    needs=["front_origin"],
    defects=["cors-vary-missing"],
    remedy="Send Vary: Origin on every answer whose CORS headers depend on the request's Origin.",
)
def test_answers_that_differ_by_origin_say_so(
    target: Target, flows: Flows, held: Captured, operations: list[Operation], expect: Expect
) -> None:
    """Cacheable answers whose CORS headers depend on Origin say Vary: Origin.

    Why: a cache hands one origin's answer to another, which then cannot read it, or may read what it should not.
    Test: ask for what may be stored, the probe and public pages, from a trusted and a foreign origin, and compare.
    """
    trusted = target.cors.origins[0]
    for path in _public(target, operations)[:MOST_PATHS]:
        credentials = held.access if path == target.probe.path else None
        answers = {trusted: read_from(flows, path, trusted, credentials)}
        if not _storable(answers[trusted]):
            continue
        answers[ATTACKER] = read_from(flows, path, ATTACKER, credentials)
        if len({answer.headers.get("Access-Control-Allow-Origin") for answer in answers.values()}) == 1:
            continue
        for origin, answer in answers.items():
            vary = answer.headers.get("Vary") or ""
            expect.that(
                bool({"origin", "*"} & {name.strip().lower() for name in vary.split(",")}),
                expected="Vary: Origin, since the answer depends on it",
                observed=f"{path} to {origin} {permission(answer)}, Vary {vary or 'absent'}.",
                evidence=list(answers.values()),
                scope=f"{path}, {origin}",
                level=None if origin == trusted else INFO,  # frameworks often leave it out of refusals
            )
    if not expect.judged:
        raise NotApplicable("no answer that may be stored depends on Origin")


@requirement(
    "cors.errors-readable",
    INFO,
    [FETCH("http-responses")],
    needs=["front_origin"],
    defects=["cors-errors-bare"],
    remedy="Let the CORS layer wrap everything, error handlers included.",
)
def test_the_front_end_can_read_refusals(
    target: Target, flows: Flows, held: Captured, matrix: Matrix, expect: Expect
) -> None:
    """Refusals and errors carry the CORS headers too.

    Why: otherwise the front end sees a network error where it should ask the user to sign in again.
    Test: provoke the refusals that the target knows, such as 401, 403 and 422, from the trusted origin; judge likewise.
    """
    origin, mode = target.cors.origins[0], mode_of(target)
    if cors_check(tuple(read_from(flows, target.probe.path, origin, held.access).headers), origin, mode) is not None:
        raise NotApplicable(NOT_SERVED)
    refusals = {"without a credential": read_from(flows, target.probe.path, origin)}
    for cell in matrix.by(*target.session.carriers):
        status = cell.answer.status if cell.answer else 0
        if 400 <= status < 500 and all(status != refusal.status for refusal in refusals.values()):
            refusals[cell.operation.name] = call(flows, cell.operation, held.access, held, headers=[("Origin", origin)])
    for what, answer in refusals.items():
        why = cors_check(tuple(answer.headers), origin, mode)
        expect.that(
            why is None,
            expected=f"{origin} may read the refusal",
            observed=f"{what}: {permission(answer)}: {why or 'readable'}.",
            evidence=[answer],
            scope=f"{answer.status}",
        )


def _public(target: Target, operations: list[Operation]) -> list[str]:
    """Paths whose answers may be stored: of public operations, of pages, and the probe, which should say no-store."""
    found = [target.probe.path, target.login.page, target.at.openapi]
    found += [o.path for o in operations if o.method == "GET" and o.path == o.template and not o.protected]
    return list(dict.fromkeys(path for path in found if path))


def _storable(answer: Answer) -> bool:
    return answer.status == 200 and "no-store" not in (answer.headers.get("Cache-Control") or "").lower()
