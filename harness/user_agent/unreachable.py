"""Why no usable answer came: one class a kind, one sentence each that names the host and the remedy."""

from __future__ import annotations


class Unreachable(Exception):  # noqa: N818 - reads as what happened
    """No usable answer came.

    Attributes:
        line: one sentence for people: host, what happened, how to mend it. Never a secret.
        exchange: number of the recorded exchange, once the user agent has recorded it.
    """

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line
        self.exchange: int | None = None


class NameNotResolved(Unreachable):
    """The host name has no address."""


class ConnectionRefused(Unreachable):
    """Nothing listens there, or the network does not lead there."""


class TlsNotTrusted(Unreachable):
    """No TLS session came about: certificate not trusted, for another name, or no TLS at all."""


class TimedOut(Unreachable):
    """A bound in time was reached."""


class TooLarge(Unreachable):
    """The answer is larger than the bound."""


class BrokenAnswer(Unreachable):
    """Something came, but it is not a whole HTTP/1.1 answer."""
