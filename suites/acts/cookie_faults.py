"""What may be wrong with one Set-Cookie line of a cookie that authenticates; empty where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.tokens import find_jwts
from harness.user_agent.sites import Origin, same_site
from suites.acts.auth_cookies import lifetime_s

if TYPE_CHECKING:
    from harness.target import Target
    from suites.acts.auth_cookies import Line

PREFIXES: Final = ("__Host-", "__Secure-", "__Http-", "__Host-Http-")
LONGEST_S: Final = 400 * 86400
"""No user agent keeps a cookie for longer (RFC 6265bis, section 5.5)."""
SLACK_S: Final = 60


def readable(line: Line) -> str:
    """No HttpOnly."""
    return "" if line.parsed.http_only else "any script of the site can read it"


def clear_text(line: Line) -> str:
    """No Secure."""
    return "" if line.parsed.secure else "it goes with requests in clear text too"


def unprefixed(line: Line) -> str:
    """A name without one of the prefixes, upper and lower case told apart."""
    return "" if line.name.startswith(PREFIXES) else "its name makes no browser insist on Secure"


def domain_wide(line: Line) -> str:
    """A Domain that takes in other hosts."""
    alone = line.outcome.cookie is None or line.outcome.cookie.host_only
    return "" if alone else f"every host below {line.parsed.domain} receives it"


def has_other_site(target: Target) -> bool:
    """Whether a declared front end lives on another site, so that SameSite=None has a use."""
    here = Origin.of(target.origin)
    return any(not same_site(Origin.of(front), here) for front in (target.front_origin, *target.cors.origins))


def same_site_unfit(line: Line, *, other_site: bool) -> str:
    """No SameSite value, or one without a use."""
    match line.parsed.same_site:
        case "None" if not other_site:
            return "no front end on another site is declared (cors.origins)"
        case None:
            return "no SameSite value that browsers know, so that each applies its own default"
        case _:
            return ""


def odd_lifetime(line: Line, limit_s: int | None) -> str:
    """A lifetime that does not agree with the token inside, the declared limit, or what browsers keep."""
    lasts = lifetime_s(line)
    if lasts is None:
        return ""
    token = next((jwt.lifetime_s for jwt in find_jwts(line.parsed.value)), None)
    if lasts > LONGEST_S + SLACK_S:
        return f"it is to last {lasts:.0f} s, more than the 400 days for which browsers keep any cookie"
    if token is not None and abs(lasts - token) > SLACK_S:
        return f"it lasts {lasts:.0f} s, the token in it {token:.0f} s"
    if limit_s is not None and lasts > limit_s + SLACK_S:
        return f"it lasts {lasts:.0f} s, the session {limit_s} s at most, as declared"
    return ""
