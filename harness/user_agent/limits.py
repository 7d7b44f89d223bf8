"""How long and how large an exchange may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Bounds of one exchange. Seconds to connect, seconds of silence, seconds in all; octets of a body, decoded."""

    connect_s: float = 5
    read_s: float = 10
    total_s: float = 20
    body_bytes: int = 10_000_000
