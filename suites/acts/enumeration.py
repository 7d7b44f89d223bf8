"""What a failed login looks like from outside, for users who exist and users who do not."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suites.acts.guessing import refuse_throttled

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.user_agent import Answer

_CHANGING = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w+/=-]{20,}|\d{4,}",
    re.IGNORECASE,
)
"""Times, ids and tokens: what differs between any two answers."""


def nobody(like: str) -> str:
    """A user name of the kind of `like` that nobody has."""
    name = f"nobody{secrets.token_hex(4)}"
    return f"{name}@{like.rpartition('@')[2]}" if "@" in like else name


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed login looks like from outside, without what changes from answer to answer."""

    answer: Answer
    looks: dict[str, tuple[str, ...]]


def features(flows: Flows, username: str | None = None) -> Failure:
    """A failed login of the test user, or of `username`, whom nobody knows."""
    account = flows.target.user
    answers = flows.attempt(account, username=username, password=f"wrong-{secrets.token_urlsafe(9)}").answers
    refuse_throttled(answers)

    def plain(text: str) -> str:
        return _CHANGING.sub("…", re.sub(re.escape(username or account.username), "<user>", text, flags=re.IGNORECASE))

    looks = {
        "status": tuple(str(answer.status) for answer in answers),
        "redirect": tuple(plain(answer.redirect_to or "") for answer in answers),
        "set of headers": tuple(sorted({header.lower() for answer in answers for header, _ in answer.headers})),
        "set of cookies": tuple(sorted({s.cookie.name for answer in answers for s in answer.set_cookies if s.cookie})),
        "body": (plain(answers[-1].text),),
    }
    return Failure(answers[0], looks)


def difference(known: set[tuple[str, ...]], unknown: set[tuple[str, ...]]) -> str:
    """How two sets of looks differ, in a line."""
    one, other = min(known), min(unknown)
    here, there = (
        " ".join(part for part in looks if part not in others)[:120] or "nothing more"
        for looks, others in ((one, other), (other, one))
    )
    return f"{here!r} for a user who exists, {there!r} for one who does not"
