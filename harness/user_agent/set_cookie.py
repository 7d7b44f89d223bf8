"""One Set-Cookie line, parsed as RFC 6265bis section 5.6 has it, with nothing thrown away."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

SameSite = Literal["Strict", "Lax", "None"]

MAX_PAIR_OCTETS: Final = 4096
MAX_ATTRIBUTE_OCTETS: Final = 1024

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WSP = " \t"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_COOKIE_VALUE = re.compile(r'[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*|"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"')
_AV_OCTETS = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
_SUBDOMAIN = re.compile(r"[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\.[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?)*")
_IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)

_DATE_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)", re.ASCII)
_DAY = re.compile(r"(\d{1,2})(?!\d)", re.ASCII)
_MONTH = re.compile("(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_YEAR = re.compile(r"(\d{2,4})(?!\d)", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class ParsedSetCookie:
    """A Set-Cookie line taken apart.

    ``attributes`` keeps order, case, duplicates and unknown names; ``ignored`` says why a user agent drops the whole
    line; ``deviations`` lists what the grammar for servers (section 4.1.1) does not allow, one sentence each.
    """

    line: str = field(repr=False)
    name: str
    value: str = field(repr=False)
    attributes: tuple[tuple[str, str], ...]
    ignored: str | None
    deviations: tuple[str, ...]

    def has(self, name: str) -> bool:
        """True when the attribute is there, whatever its value."""
        return self.attribute(name) is not None

    def attribute(self, name: str) -> str | None:
        """The value that counts: the last one that is not longer than 1024 octets."""
        for written, value in reversed(self.attributes):
            if written.lower() == name.lower() and octets(value) <= MAX_ATTRIBUTE_OCTETS:
                return value
        return None

    @property
    def secure(self) -> bool:
        """Section 5.6.5: present, with or without a value."""
        return self.has("Secure")

    @property
    def http_only(self) -> bool:
        """Section 5.6.6: present, with or without a value."""
        return self.has("HttpOnly")

    @property
    def partitioned(self) -> bool:
        """CHIPS: present, with or without a value."""
        return self.has("Partitioned")

    @property
    def same_site(self) -> SameSite | None:
        """Section 5.6.7; None when absent or not one of the three words: the user agent's default applies."""
        words: dict[str, SameSite] = {"strict": "Strict", "lax": "Lax", "none": "None"}
        return words.get((self.attribute("SameSite") or "").lower())

    @property
    def domain(self) -> str:
        """Section 5.6.3: lower case, one leading dot removed; empty when absent."""
        return (self.attribute("Domain") or "").removeprefix(".").lower()

    @property
    def path(self) -> str | None:
        """Section 5.6.4; None when absent or not starting with a slash: the default-path applies."""
        path = self.attribute("Path")
        return path if path and path.startswith("/") else None

    @property
    def max_age(self) -> int | None:
        """Section 5.6.2: seconds, of the last attribute that is a number."""
        numbers = (value for name, value in reversed(self.attributes) if name.lower() == "max-age")
        return next((int(value[:18]) for value in numbers if re.fullmatch(r"-?[0-9]+", value)), None)

    @property
    def expires(self) -> datetime | None:
        """Section 5.6.1: of the last attribute that is a date."""
        dates = (parse_cookie_date(value) for name, value in reversed(self.attributes) if name.lower() == "expires")
        return next((date for date in dates if date is not None), None)


def octets(text: str) -> int:
    """Length on the wire: limits of RFC 6265bis count octets, not characters."""
    return len(text.encode("utf-8", "surrogateescape"))


def parse_set_cookie(line: str) -> ParsedSetCookie:
    """Take one Set-Cookie field value apart; never raises.

    Args:
        line: the field value; octets that are not UTF-8 as lone surrogates (``surrogateescape``).
    """
    pair, *avs = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    name, value = name.strip(_WSP), value.strip(_WSP)
    attributes = tuple((n.strip(_WSP), v.strip(_WSP)) for n, _, v in (av.partition("=") for av in avs))
    return ParsedSetCookie(
        line,
        name,
        value,
        attributes,
        ignored=_why_ignored(line, name, value),
        deviations=(*_pair_deviations(name, value, nameless=not equals), *_attribute_deviations(attributes)),
    )


def _why_ignored(line: str, name: str, value: str) -> str | None:
    if _CONTROL.search(line):
        return "the line contains a control character (RFC 6265bis section 5.6, step 1)"
    # RFC 6265bis tolerates a tab inside a name or a value, Chromium does not.
    if "\t" in name + value:
        return "the name or the value contains a tab (Chromium)"
    if octets(name) + octets(value) > MAX_PAIR_OCTETS:
        return f"name and value are longer than {MAX_PAIR_OCTETS} octets (RFC 6265bis section 5.6, step 5)"
    if not name and not value:
        return "neither a name nor a value (RFC 6265bis section 5.7, step 2)"
    return None


def _pair_deviations(name: str, value: str, *, nameless: bool) -> list[str]:
    found = []
    if nameless:
        found.append("there is no '=' between a name and a value")
    elif not _TOKEN.fullmatch(name):
        found.append("the cookie's name is empty" if not name else "the cookie's name is not a token")
    if not _COOKIE_VALUE.fullmatch(value):
        found.append("the value has characters other than cookie-octets (a space, comma, quote, backslash, non-ASCII)")
    return found


def _attribute_deviations(attributes: tuple[tuple[str, str], ...]) -> list[str]:
    found = []
    seen: set[str] = set()
    for name, value in attributes:
        known = name.lower()
        if known in seen and known:
            found.append(f"attribute {name!r} appears more than once")
        seen.add(known)
        if (reason := _attribute_deviation(known, value)) is not None:
            found.append(reason)
        if octets(value) > MAX_ATTRIBUTE_OCTETS:
            found.append(f"attribute {name[:40]!r} is longer than {MAX_ATTRIBUTE_OCTETS} octets")
        elif not _AV_OCTETS.fullmatch(name + value):
            found.append(f"attribute {name[:40]!r} has control or non-ASCII characters")
    return found


def _attribute_deviation(name: str, value: str) -> str | None:
    allowed = {
        "": (None, "an attribute is empty"),
        "expires": (_IMF_FIXDATE, "Expires is not written as 'Sun, 06 Nov 1994 08:49:37 GMT'"),
        "max-age": (re.compile("[0-9]+"), "Max-Age is not a number of seconds"),
        "domain": (_SUBDOMAIN, "Domain is not a plain host name"),
        "secure": (re.compile(""), "Secure has a value"),
        "httponly": (re.compile(""), "HttpOnly has a value"),
        "samesite": (re.compile("Strict|Lax|None", re.IGNORECASE), "SameSite is not Strict, Lax or None"),
    }
    pattern, reason = allowed.get(name, (re.compile(".*", re.DOTALL), ""))
    return None if pattern is not None and pattern.fullmatch(value) else reason


def parse_cookie_date(text: str) -> datetime | None:
    """A cookie-date in UTC (section 5.1.1); None when it is none."""
    found: dict[str, re.Match[str]] = {}
    for token in _DATE_DELIMITERS.split(text):
        for kind, pattern in (("time", _TIME), ("day", _DAY), ("month", _MONTH), ("year", _YEAR)):
            if kind not in found and (match := pattern.match(token)):
                found[kind] = match
                break
    if len(found) < 4:  # noqa: PLR2004 - all of time, day, month and year
        return None
    year = int(found["year"][1])
    if year <= 99:  # noqa: PLR2004 - two digits
        year += 1900 if year >= 70 else 2000  # noqa: PLR2004
    if year < 1601:  # noqa: PLR2004 - the earliest year that section 5.1.1 accepts
        return None
    hour, minute, second = (int(part) for part in found["time"].groups())
    month = _MONTHS.index(found["month"][1].lower()) + 1
    try:
        return datetime(year, month, int(found["day"][1]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
