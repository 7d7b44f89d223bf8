"""The journal: everything relying parties and browsers sent, what was answered, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_BODY = 16 * 1024
"""Bytes of a body that an entry keeps; `Entry.cut` says when there were more."""


@dataclass(slots=True)
class Entry:
    """One request and its answer, as they crossed the wire.

    Attributes:
        number: order within the tenant, from 1; set by the store.
        at: seconds since 1970 by the machine's clock.
        endpoint: name of the table that was walked ("token"), "" where no endpoint was found.
        grant: id of the grant that was made or used.
        faults: faults that struck here.
        lenient: leniencies that let a mistake pass here.
        refused: the step that refused, and why.
        note: other things worth knowing.

    """

    at: float
    method: str
    url: str
    request_headers: list[tuple[bytes, bytes]]
    request_body: bytes
    endpoint: str = ""
    client: str | None = None
    account: str | None = None
    grant: str | None = None
    state: str | None = None
    status: int = 0
    response_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    response_body: bytes = b""
    faults: list[str] = field(default_factory=list)
    lenient: list[str] = field(default_factory=list)
    refused: str | None = None
    notes: list[str] = field(default_factory=list)
    number: int = 0
    cut: bool = False

    def as_json(self) -> dict[str, Any]:
        """JSON types only; headers as pairs of text, bodies as text (latin-1 where they are not UTF-8)."""
        return {
            "number": self.number,
            "at": self.at,
            "endpoint": self.endpoint,
            "client": self.client,
            "account": self.account,
            "grant": self.grant,
            "state": self.state,
            "faults": self.faults,
            "lenient": self.lenient,
            "refused": self.refused,
            "notes": self.notes,
            "cut": self.cut,
            "request": {
                "method": self.method,
                "url": self.url,
                "headers": _text(self.request_headers),
                "body": _body(self.request_body),
            },
            "response": {
                "status": self.status,
                "headers": _text(self.response_headers),
                "body": _body(self.response_body),
            },
        }


def _text(headers: list[tuple[bytes, bytes]]) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _body(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
