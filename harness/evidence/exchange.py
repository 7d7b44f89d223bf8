"""Exchanges: what went over the wire, masked, as evidence. The one record that verdicts and reports rest on."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Self

from harness.evidence.curl import curl_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.evidence.redaction import Redactor

Pairs = tuple[tuple[str, str], ...]

MAX_BODY_OCTETS: Final = 4096
# So much of a body is looked at: JSON is masked by its structure, which has to be whole, and masking shortens.
_MAX_READ: Final = 32_000
_BINARY = re.compile(r"(?:image|audio|video|font)/|application/(?:octet-stream|zip|gzip|pdf|wasm)", re.IGNORECASE)
# Control characters, characters that turn the direction of text, and octets that are not UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response as seen on the wire, secrets masked, control characters escaped.

    Attributes:
        number: from 1, in the order of recording.
        agent: label of the user agent: ``alice``, ``attacker``.
        initiator: origin of the page that caused it; None: the user typed it, or a plain client sent it.
        purpose: ``navigate``, ``submit``, ``fetch``, ``preflight`` or ``send``.
        request_body: at most 4 kB; None when there was none. So is ``response_body``.
        status: None when no answer came; ``error`` then says why, in one line.
        started_ms: since the recorder was made. ``elapsed_ms``: to the last octet of the answer.
        notes: what the user agent did that may surprise, and why.
    """

    number: int
    agent: str
    initiator: str | None
    purpose: str
    method: str
    url: str
    request_headers: Pairs
    request_body: str | None
    status: int | None
    reason: str
    response_headers: Pairs
    response_body: str | None
    error: str | None
    started_ms: float
    elapsed_ms: float
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The exchange in plain JSON types."""
        document = asdict(self)
        document["request_headers"] = [list(pair) for pair in self.request_headers]
        document["response_headers"] = [list(pair) for pair in self.response_headers]
        document["notes"] = list(self.notes)
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`.

        Raises:
            ValueError: a member is missing.
        """
        missing = [known.name for known in fields(cls) if known.name not in document]
        if missing:
            raise ValueError(f"not an exchange: {', '.join(missing)} missing")
        values = {known.name: document[known.name] for known in fields(cls)}
        for name in ("request_headers", "response_headers"):
            values[name] = tuple((pair[0], pair[1]) for pair in values[name])
        return cls(**{**values, "notes": tuple(values["notes"])})

    def curl(self) -> str:
        """A curl command that sends the request again, each secret as a shell variable named after its place."""
        return curl_command(self.method, self.url, self.request_headers, self.request_body)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it went out, unmasked. Text that was no UTF-8 holds lone surrogates (``surrogateescape``)."""

    method: str
    url: str = field(repr=False)
    headers: Pairs = field(repr=False)
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """A response as it came in, content codings undone, unmasked."""

    status: int
    reason: str
    headers: Pairs = field(repr=False)
    body: bytes = field(repr=False)


class Recorder:
    """Masks exchanges and keeps them; may be shared between threads.

    Args:
        redactor: masks; learns every secret that a header, a body or a URL shows.
        clock: seconds, monotonic.
    """

    def __init__(self, redactor: Redactor, clock: Callable[[], float] = time.monotonic) -> None:
        self.redactor = redactor
        self.exchanges: list[Exchange] = []
        self._clock = clock
        self._origin = clock()
        self._lock = threading.Lock()

    def now_ms(self) -> float:
        """Milliseconds since this recorder was made."""
        return (self._clock() - self._origin) * 1000

    def record(  # noqa: PLR0913 - an exchange has that many sides
        self,
        *,
        agent: str,
        purpose: str,
        sent: Sent,
        initiator: str | None = None,
        received: Received | None = None,
        error: str | None = None,
        started_ms: float | None = None,
        elapsed_ms: float | None = None,
        notes: Iterable[str] = (),
    ) -> Exchange:
        """Mask one exchange and keep it."""
        now = self.now_ms()
        started = now if started_ms is None else started_ms
        with self._lock:
            exchange = Exchange(
                number=len(self.exchanges) + 1,
                agent=agent,
                initiator=initiator,
                purpose=purpose,
                error=None if error is None else printable(self.redactor.scrub(error)),
                started_ms=round(started, 1),
                elapsed_ms=round(now - started if elapsed_ms is None else elapsed_ms, 1),
                **self._masked(sent, received, tuple(notes)),
            )
            self.exchanges.append(exchange)
        return exchange

    def _masked(self, sent: Sent, received: Received | None, notes: tuple[str, ...]) -> dict[str, Any]:
        known = self.redactor.known
        sides = self._sides(sent, received, notes)
        # A secret that the last header gives away may stand in the first one.
        return sides if self.redactor.known == known else self._sides(sent, received, notes)

    def _sides(self, sent: Sent, received: Received | None, notes: tuple[str, ...]) -> dict[str, Any]:
        answer = received or Received(0, "", (), b"")
        request_body, request_notes = self._body("request", sent.headers, sent.body)
        response_body, response_notes = self._body("response", answer.headers, answer.body)
        told = [*notes, *request_notes, *response_notes]
        return {
            "method": printable(sent.method),
            "url": printable(self.redactor.url(sent.url)),
            "request_headers": self._headers(sent.headers),
            "request_body": request_body,
            "status": answer.status or None,
            "reason": printable(self.redactor.scrub(answer.reason)),
            "response_headers": self._headers(answer.headers),
            "response_body": response_body,
            "notes": tuple(printable(self.redactor.scrub(note)) for note in told),
        }

    def _headers(self, headers: Pairs) -> Pairs:
        return tuple((printable(name), printable(self.redactor.header(name, value))) for name, value in headers)

    def _body(self, side: str, headers: Pairs, body: bytes | None) -> tuple[str | None, list[str]]:
        if not body:
            return None, []
        media_type = next((value for name, value in headers if name.lower() == "content-type"), "")
        if _BINARY.match(media_type.strip()):
            return f"({media_type.partition(';')[0].strip()}, {len(body)} octets)", []
        notes = []
        text = body.decode("utf-8", "replace")
        if "\ufffd" in text and not _is_utf8(body):
            notes.append(f"{side} body: not UTF-8, what does not decode is replaced")
        whole = len(text) <= _MAX_READ
        masked = self.redactor.body(media_type, text[:_MAX_READ])
        if not whole:
            # The cut may have left the first half of a secret, which nothing recognises any more.
            masked = re.sub(r"\S*\Z", "", masked)
        excerpt = _first_octets(printable(masked, keep="\n\t"))
        if len(excerpt) < len(masked) or not whole:
            notes.append(f"{side} body: an excerpt, of {len(body)} octets")
        return excerpt, notes


def printable(text: str, keep: str = "") -> str:
    """``text`` with control characters, direction marks and undecodable octets written as hexadecimal escapes."""

    def escape(found: re.Match[str]) -> str:
        char, code = found[0], ord(found[0])
        if char in keep:
            return char
        octet = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code  # noqa: PLR2004 - the range of surrogateescape
        return f"\\x{octet:02x}" if octet <= 0xFF else f"\\u{octet:04x}"  # noqa: PLR2004

    return _UNPRINTABLE.sub(escape, text)


def _first_octets(text: str) -> str:
    return text.encode("utf-8", "replace")[:MAX_BODY_OCTETS].decode("utf-8", "ignore")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
