"""How missing and bad credentials are answered."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from harness.discovery import SAFE_METHODS
from harness.needs import loopback
from harness.requirement import INFO, SHOULD, requirement
from harness.sources import ASVS, CWE, RFC6749, RFC6750, RFC9110, WSTG
from harness.verdict import NotApplicable
from suites.acts import challenges, leaks
from suites.acts.refusals import Refusal, refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Captured, Login, Probe
    from harness.matrix import Cell, Matrix
    from harness.target import Target
    from harness.user_agent import Answer
    from harness.verdict import Expect

REDIRECTS = frozenset({302, 303, 307})


@pytest.fixture(scope="module")
def refused(flows: Flows, held: Captured, access_cookies: frozenset[str]) -> list[Refusal]:
    """Bad credentials and what the probe answered."""
    return refusals(flows, held, access_cookies)


@requirement(
    "errors.unauthenticated-is-401",
    SHOULD,
    [RFC9110("15.5.2"), RFC9110("15.5.4"), RFC6750("3.1")],
    defects=["anonymous-403"],
    remedy="Answer 401 when nobody is signed in, 403 only when somebody is and may not (HTTPBearer: FastAPI 0.122).",
)
def test_nobody_signed_in_is_401(matrix: Matrix, refused: list[Refusal], target: Target, expect: Expect) -> None:
    """A missing or bad credential is answered 401, a missing permission 403.

    Why: clients refresh or ask for a login on 401; on 403 they give up, and users are stuck.

    Test: call every protected operation without a credential, and the probe with bad and expired ones. A redirect to
    the login passes; 404 hides the operation and is a note; other statuses are judged elsewhere.
    """
    for name, answer, _ in unauthenticated(matrix, refused):
        forgery = answer.status == 403 and answer.method not in SAFE_METHODS and target.csrf is not None
        sent_to_login = answer.status in REDIRECTS and answer.redirect_to is not None
        if forgery or not (sent_to_login or answer.status in {401, 403, 404}):
            continue
        expect.that(
            sent_to_login or answer.status == 401,
            expected="401, or a redirect to the login",
            observed=f"{name}: {answer.method} {answer.shown} answered {answer.status}.",
            evidence=[answer],
            scope=name,
            level=INFO if answer.status == 404 else SHOULD,
        )
    if not expect.judged:
        raise NotApplicable("no operation refuses anonymous requests; the probe answers them without naming anyone")


@requirement(
    "errors.challenge-present",
    SHOULD,
    [RFC9110("11.6.1"), RFC9110("15.5.2"), RFC6750("3"), RFC6750("3.1")],
    defects=["challenge-missing"],
    remedy='Send WWW-Authenticate with every 401: Bearer for tokens, with error="invalid_token" if one was sent.',
)
def test_401_says_how_to_authenticate(matrix: Matrix, refused: list[Refusal], target: Target, expect: Expect) -> None:
    """Every 401 carries a challenge, with the right error code.

    Why: HTTP demands it, and clients tell "sign in" from "refresh" by it; a Basic challenge makes browsers ask for a
    password in a window of their own.

    Test: read WWW-Authenticate of every 401 to a missing or bad credential.
    """
    odd: list[Answer] = []
    said_odd: list[str] = []
    for name, answer, sent in unauthenticated(matrix, refused):
        if answer.status != 401:
            continue
        found = challenges.schemes(answer)
        said = f"{name}: 401 from {answer.method} {answer.shown}"
        expect.that(
            bool(found),
            expected="WWW-Authenticate",
            observed=f"{said} has no challenge.",
            evidence=[answer],
            scope=name,
        )
        if "basic" in found and target.login.encoding != "basic":
            observed = f"{said} has a Basic challenge: browsers ask for a password."
            expect.that(False, expected="no Basic challenge", observed=observed, evidence=[answer], scope=name)
        if "bearer" in found and sent is not None and challenges.has_error_code(answer) != bool(sent):
            odd.append(answer)
            said_odd.append(f"{'no' if sent else 'an'} error code for {name}")
    if odd:
        expect.that(
            False,
            expected='error="invalid_token" if a token was sent, no error code if none was',
            observed=f"Bearer challenges with {', '.join(said_odd)}.",
            evidence=odd[:4],
            scope="error code",
            level=INFO,
        )
    if not expect.judged:
        raise NotApplicable("nothing is answered 401; errors.unauthenticated-is-401 judges what is answered instead")


@requirement(
    "errors.invalid-token-not-5xx",
    SHOULD,
    [RFC6750("3.1"), ASVS("16.5.3"), ASVS("16.5.4")],
    defects=["pyjwt-wrong-exception"],
    remedy="Catch the base error of your token library (PyJWT: jwt.PyJWTError) around all that reads a credential.",
)
def test_bad_credentials_are_no_server_error(refused: list[Refusal], expect: Expect) -> None:
    """A malformed credential never causes a server error.

    Why: an exception on the way to a refusal is a check that did not run to its end; and anyone can fill the logs.

    Test: send the probe an empty credential, a dot, xx.yy.zz, a megabyte, letters beyond ASCII, a JWT whose payload is
    a list, one with a wrong signature, an expired one; JSON in the cookie, and a cookie without an equals sign.
    """
    for refusal in refused:
        status = refusal.answer.status if refusal.answer else 0
        expect.that(
            status < 500,
            expected="a refusal (4xx)",
            observed=f"With {refusal.name} in the {refusal.carrier} the probe answered {status}.",
            evidence=[refusal],
            scope=f"{refusal.carrier}: {refusal.name}",
        )


@requirement(
    "errors.no-sensitive-detail",
    SHOULD,
    [ASVS("16.5.1"), ASVS("13.4.2"), WSTG("ERRH-01"), WSTG("ERRH-02"), CWE(209)],
    defects=["error-shows-traceback"],
    late=True,
    remedy="Switch debug mode off, answer a constant sentence, and log the details, without the credential.",
)
def test_errors_tell_nothing_inside(
    flows: Flows, login: Login, matrix: Matrix, refused: list[Refusal], expect: Expect
) -> None:
    """Error answers show no stack traces, no SQL and no secrets.

    Why: traces tell an attacker what runs there; echoed credentials end up in logs, monitoring and screenshots.

    Test: search every error answer to a missing, bad or forbidden credential and to a wrong password for the marks of
    stack traces and databases (a note on this machine), and for the credential or password that had been sent.
    """
    word = f"wrong-{secrets.token_urlsafe(15)}"
    wrong = [] if flows.target.login.function else flows.attempt(login.account, password=word).answers
    seen = [("a wrong password", answer, word) for answer in wrong]
    seen += [(refusal.name, refusal.answer, refusal.sent) for refusal in refused if refusal.answer]
    seen += [(f"{cell.operation.name} by {cell.carrier}", cell.answer, "") for cell in matrix.cells if cell.answer]
    for name, answer, sent in seen:
        if answer.status < 300 and sent != word:
            continue
        shown = leaks.insides(answer)
        expect.that(
            shown is None,
            expected="an error answer without the program's insides",
            observed=f"The answer to {name} ({answer.status}) shows {shown}.",
            evidence=[answer],
            scope=f"{name}: insides",
            level=INFO if loopback(flows.target.origin) else SHOULD,
        )
        expect.that(
            not leaks.echoes(answer, sent),
            expected="an error answer without the secret that was sent",
            observed=f"The answer to {name} ({answer.status}) repeats what was sent.",
            evidence=[answer],
            scope=f"{name}: echo",
        )


@requirement(
    "errors.machine-readable",
    INFO,
    [ASVS("4.1.1"), RFC6749("5.2")],
    defects=["errors-html-page"],
    remedy="Answer errors of a JSON API in JSON, of one shape, with a matching Content-Type (RFC 9457 has one ready).",
)
def test_errors_are_machine_readable(
    opening: tuple[Login, Probe], matrix: Matrix, refused: list[Refusal], expect: Expect
) -> None:
    """Errors of a JSON API are JSON, of one shape.

    Why: a client that expects JSON and gets a page shows its user nothing, or an exception.

    Test: where the probe answers in JSON, look at the refusals of missing and bad credentials: their Content-Type,
    whether they parse, and whether they have the same members.
    """
    if not _is_json(opening[1].answer):
        raise NotApplicable("the probe does not answer in JSON")
    json_operations = {
        cell.operation.name
        for cell in matrix.cells
        if cell.answer and cell.outcome == "accepted" and _is_json(cell.answer)
    }
    shapes: dict[tuple[str, ...], Answer] = {}
    for name, answer, _ in unauthenticated(matrix, refused):
        operation = name.removeprefix(NO_CREDENTIAL)
        if answer.status not in {401, 403} or (name.startswith(NO_CREDENTIAL) and operation not in json_operations):
            continue
        body = answer.json()
        expect.that(
            _is_json(answer) and body is not None,
            expected="a JSON body that says it is one",
            observed=f"{name}: {answer.status} with Content-Type {answer.headers.get('Content-Type') or 'absent'}.",
            evidence=[answer],
            scope=name,
        )
        shapes.setdefault(tuple(sorted(body)) if isinstance(body, dict) else (), answer)
    if not expect.judged:
        raise NotApplicable("nothing is answered 401 or 403")
    described = " or ".join("{" + ", ".join(shape) + "}" for shape in shapes)
    expect.that(
        len(shapes) == 1,
        expected="one shape for all",
        observed=f"Members differ: {described}.",
        evidence=shapes.values(),
        scope="shape",
    )


NO_CREDENTIAL = "no credential, "


def unauthenticated(matrix: Matrix, refused: list[Refusal]) -> Iterator[tuple[str, Answer, str | None]]:
    """Answers to nobody: every protected operation without a credential, and the probe with bad ones.

    Yields:
        What was asked, the answer, and the token in the Authorization header; empty where nothing was sent, None where
        something else was.

    """
    nobody: list[Cell] = matrix.by("none")
    yield from ((f"{NO_CREDENTIAL}{cell.operation.name}", cell.answer, "") for cell in nobody if cell.answer)
    for each in refused:
        if each.answer:
            yield f"{each.carrier}: {each.name}", each.answer, (each.carrier == "header" and each.sent) or None


def _is_json(answer: Answer) -> bool:
    media_type = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
