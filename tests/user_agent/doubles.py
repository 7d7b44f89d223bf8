"""A network in memory: what the user agent decides, seen without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.user_agent.wire import Wire, WireRequest, WireResponse

Pairs = tuple[tuple[str, str], ...]


@dataclass
class Network(Wire):
    """Answers by URL; what was sent is in `requests`. Unknown URLs answer 200 and nothing else."""

    answers: dict[str, WireResponse] = field(default_factory=dict)
    requests: list[WireRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def answer(self, url: str, *headers: tuple[str, str], status: int = 200, body: bytes = b"") -> None:
        self.answers[url] = WireResponse(status, "", headers, body)

    def redirect(self, url: str, location: str, status: int = 302, *headers: tuple[str, str]) -> None:
        self.answer(url, ("Location", location), *headers, status=status)

    def send(self, request: WireRequest) -> WireResponse:
        self.requests.append(request)
        default = WireResponse(200, "OK", (), b"")
        return self.answers.get(f"{request.method} {request.url}") or self.answers.get(str(request.url)) or default

    @property
    def last(self) -> dict[str, str]:
        """Headers of the last request, names in lower case."""
        return self.sent(-1)

    def sent(self, number: int) -> dict[str, str]:
        return {name.lower(): value for name, value in self.requests[number].headers}


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now
