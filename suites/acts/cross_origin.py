"""What a page of another origin may do with the target: preflights, and the origins to ask from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.needs import loopback
from harness.requirement import INFO, MUST, SHOULD, Level
from harness.user_agent.cors import cors_check, preflight_check, unsafe_header_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Credentials
    from harness.target import Target
    from harness.user_agent import Answer
    from harness.user_agent.cors import Credentials as Mode

ATTACKER: Final = "https://attacker.example"
"""A page that has no business with the target."""

_LOCAL: Final = "http://localhost:3000"
_CONTENT_TYPES: Final = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
}


def read_from(flows: Flows, path: str, origin: str, credentials: Credentials | None = None) -> Answer:
    """A GET as a script of ``origin`` would send it, the credentials attached whatever SameSite says."""
    headers = [("Origin", origin), *(credentials.headers if credentials else [])]
    cookies = dict(credentials.cookies) if credentials else {}
    return flows.agent("page elsewhere").send(
        "GET", flows.target.url(path), headers=headers, cookies=cookies or "none", store=False
    )


def preflight(flows: Flows, path: str, origin: str, method: str, names: Iterable[str] = ()) -> Answer:
    """The question a browser asks before a request that no form could send; it never carries credentials."""
    asked = [("Origin", origin), ("Access-Control-Request-Method", method)]
    listed = ",".join(sorted(name.lower() for name in names))
    asked += [("Access-Control-Request-Headers", listed)] if listed else []
    return flows.agent("page elsewhere").send(
        "OPTIONS", flows.target.url(path), headers=asked, cookies="none", store=False
    )


def shared_with(answer: Answer, origin: str) -> bool:
    """Whether a browser would let a page of ``origin`` read the answer to a request with credentials."""
    return cors_check(tuple(answer.headers), origin, "include") is None


def permission(answer: Answer) -> str:
    """What an answer says about sharing it, in words."""
    origin, credentials = (answer.headers.get(f"Access-Control-Allow-{name}") for name in ("Origin", "Credentials"))
    allowed = f"Access-Control-Allow-Origin {origin or 'absent'}, -Credentials {credentials or 'absent'}"
    return f"answered {answer.status}, {allowed}"


def named_headers(answer: Answer) -> set[str]:
    """What Access-Control-Allow-Headers lists, in lower case."""
    listed = (answer.headers.get("Access-Control-Allow-Headers") or "").split(",")
    return {name.strip().lower() for name in listed} - {""}


def mode_of(target: Target) -> Mode:
    """How the front end's scripts call fetch(): with ``include`` where cookies have to go along."""
    return "include" if "cookie" in target.session.carriers else "same-origin"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that the front end makes; ``headers`` are those that its script sets, Authorization apart."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]

    def asked_by(self, origin: str, flows: Flows, *, authorized: bool) -> Answer:
        """The preflight for it."""
        names = [*unsafe_header_names(self.headers), *(["authorization"] if authorized else [])]
        return preflight(flows, self.path, origin, self.method, names)

    def blocked(self, answer: Answer, origin: str, mode: Mode) -> str | None:
        """Why a browser would not send it after this preflight; None when it would."""
        headers = tuple(answer.headers)
        return preflight_check(
            answer.status, headers, method=self.method, headers=self.headers, origin=origin, credentials=mode
        )


def calls_of(target: Target, origin: str, proof: Iterable[tuple[str, str]]) -> Iterator[Call]:
    """The calls of a front end at ``origin`` that a browser asks about first, as far as the profile tells."""
    takes_header = "header" in target.session.carriers
    if takes_header:
        yield Call("GET", target.probe.path, ())
    # Other origins may leave signing in and out to the pages of the target's own.
    is_the_front_end = origin == target.front_origin
    if is_the_front_end and target.login.encoding == "json" and not (target.login.steps or target.login.function):
        yield Call(target.login.method, target.login.path, (("Content-Type", "application/json"),))
    for section in (target.write, *((target.refresh, target.logout) if is_the_front_end else ())):
        if section is not None:
            is_write = section is target.write
            content = [("Content-Type", _CONTENT_TYPES[section.encoding])] if is_write else []
            call = Call(section.method, section.path, (*content, *proof))
            if takes_header or section.method not in {"GET", "POST"} or unsafe_header_names(call.headers):
                yield call


@dataclass(frozen=True, slots=True)
class Lookalike:
    """An origin that resembles a trusted one, and how binding it is that it be refused."""

    what: str
    origin: str
    level: Level = MUST


def lookalikes(target: Target, trusted: str) -> list[Lookalike]:
    """Origins that careless matching takes for ``trusted``, without those that the target serves on purpose."""
    parts = urlsplit(trusted)
    scheme, host, port = parts.scheme, parts.hostname or "", f":{parts.port}" if parts.port else ""
    found = [
        Lookalike("null, as sandboxed frames send it", "null"),
        Lookalike("the other scheme", f"{'http' if scheme == 'https' else 'https'}://{host}{port}"),
        Lookalike("another port", f"{scheme}://{host}:{(parts.port or 8443) + 1}"),
        # Whoever takes over a forgotten sub-domain is let in; a decision of its own.
        Lookalike("a sub-domain", f"{scheme}://sub.{host}{port}", INFO if target.cors.subdomains else MUST),
        Lookalike("more before the name", f"{scheme}://evil{host}{port}"),
        Lookalike("more after the name", f"{scheme}://{host}.evil.example"),
        Lookalike("more after the port", f"{scheme}://{host}{port}.evil.example"),
        Lookalike("an encoded character", f"{scheme}://{host}%60.evil.example"),
        Lookalike("an underscore", f"{scheme}://{host}_.evil.example"),
        Lookalike("a trailing dot", f"{scheme}://{host}.{port}"),
        # Browsers write origins in lower case: nobody can have this one.
        Lookalike("capital letters", f"{scheme}://{host.upper()}{port}", INFO),
    ]
    if not loopback(target.origin):
        found.append(Lookalike("a development server", _LOCAL, SHOULD))
    served = {target.origin, target.front_origin, *target.cors.origins}
    return [like for like in found if like.origin not in served]
