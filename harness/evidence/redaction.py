"""Masking of secrets, before anything is stored.

A secret is found by its place (a cookie's value, a JSON member called ``password``), by its shape (a JWT), or because
it was learned: then it is masked wherever it shows, in whatever encoding. The mask tells length and a salted tag, so
that "the same token twice" stays visible and nothing else does.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus, unquote_plus

from harness.evidence.secret_shapes import JWT, RUN, is_plain, is_random, is_secret_name, is_unsure_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIN_LEARNED: Final = 6
_MAX_NESTED_URLS: Final = 4
_MAX_JSON: Final = 32_000
_OPEN: Final = "\u2039"  # single angle quotation marks: rare in honest text, and no letter of any shell, URL or markup
_CLOSE: Final = "\u203a"
MASK: Final = re.compile(rf"{_OPEN}secret \d+ #[0-9a-f]{{6}}{_CLOSE}")

_MASK_SPLIT = re.compile(f"({MASK.pattern})")
_URL_HEADERS = frozenset({"location", "referer", "content-location", "refresh", "link"})
_AUTHORIZATION = frozenset({"authorization", "proxy-authorization"})
_URL = re.compile(r"([a-z][a-z0-9+.-]*:)?(//)?([^/?#]*@)?([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_URL_IN_TEXT = re.compile(r"https?://[^\s\"'<>`{}|\\]+", re.IGNORECASE)
# "Whoever holds the next path segment": /reset/3f9c…, /verify-email/….
_HANDOVER = re.compile(
    r"(/(?:[\w-]{0,40}-)?(?:activate|confirm|invite|magic|reset|session|token|verify)[\w-]{0,40}/)([^/]{8,})",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(
    r"""(?P<head>(?<![\w.\[\]-])(?P<key>[A-Za-z_][\w.\[\]-]{0,63})["']?\s{0,8}(?P<sep>[=:])\s{0,8})"""
    r"""(?:"(?P<dq>[^"\\]*(?:\\.[^"\\]*)*)"|'(?P<sq>[^'\\]*(?:\\.[^'\\]*)*)'|(?P<bare>[^\s"'&;,<>(){}\[\]]+))""",
    re.DOTALL,
)
_TAG = re.compile(r"<(?:input|meta|button)\b[^>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")
_PART = re.compile(r'(name="(?P<name>[^"]*)"[^\r\n]*(?:\r\n[^\r\n]+)*\r\n\r\n)(?P<value>.*?)(?=\r\n--)', re.DOTALL)


class Redactor:
    """Masks secrets. ``salt`` makes the tags of one run worthless for guessing; use random octets."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt[: hashlib.blake2s.MAX_KEY_SIZE]
        self._known: set[str] = set()
        # Spellings of learned secrets by their first characters: a text is scanned once, however many there are.
        self._spellings: dict[str, list[tuple[str, str]]] = {}

    def learn(self, *secrets: str) -> None:
        """Mask these wherever they show from now on: plain, URL-encoded, in JSON, in HTML, in base64.

        Shorter than six characters they are left alone: masking ``a1`` everywhere would leave no evidence.
        """
        for secret in secrets:
            if secret in self._known or len(secret) < MIN_LEARNED:
                continue
            self._known.add(secret)
            mask = self.mask(secret)
            for spelling in _spellings(secret):
                bucket = self._spellings.setdefault(spelling[:MIN_LEARNED], [])
                bucket.append((spelling, mask))
                bucket.sort(key=lambda entry: -len(entry[0]))

    @property
    def known(self) -> int:
        """How many secrets it has learned."""
        return len(self._known)

    def mask(self, secret: str) -> str:
        """``secret 143 #a1b2c3`` in angle quotation marks: its length and a salted tag; nothing for nothing."""
        if not secret or MASK.fullmatch(secret):
            return secret
        tag = hashlib.blake2s(_octets(secret), key=self._salt, digest_size=3).hexdigest()
        return f"{_OPEN}secret {len(secret)} #{tag}{_CLOSE}"

    def scrub(self, text: str) -> str:
        """Free text without learned secrets and without what looks like one."""
        # What is known goes first: a guess might mask half of it, and leave the other half beyond recognition.
        text = _outside_masks(text, self._scrub_learned)
        text = _outside_masks(text, lambda part: _URL_IN_TEXT.sub(self._url_in_text, part))
        text = _outside_masks(text, lambda part: _ASSIGNMENT.sub(self._assignment, part))
        return self._scrub_shapes(text)

    def header(self, name: str, value: str) -> str:
        """A header's value: schemes, cookie names and cookie attributes stay, values go."""
        lower = name.lower()
        if lower in _AUTHORIZATION:
            scheme, space, credentials = value.partition(" ")
            return f"{scheme} {self._found(credentials)}" if space else self._found(value)
        if lower == "cookie":
            return "; ".join(self._cookie(pair) for pair in value.split("; "))
        if lower == "set-cookie":
            pair, semicolon, attributes = value.partition(";")
            return self._cookie(pair) + semicolon + self.scrub(attributes)
        if lower in _URL_HEADERS:
            return self.url(value)
        if is_secret_name(name) and not lower.startswith(("access-control-", "sec-websocket-")):
            return self._found(value)
        return self.scrub(value)

    def url(self, url: str) -> str:
        """A URL: user information, secret parameters in query and fragment, and one-time path segments masked."""
        return self._url(url, _MAX_NESTED_URLS)

    def body(self, content_type: str, text: str) -> str:
        """A body, by its structure where it has one: JSON, urlencoded, multipart, HTML; scrubbed in any case."""
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == "application/x-www-form-urlencoded":
            return self._query(text, _MAX_NESTED_URLS)
        looks_like_json = text.lstrip()[:1] in {"{", "["} or media_type.endswith("json")
        if looks_like_json and len(text) <= _MAX_JSON:
            try:
                return json.dumps(self._json(json.loads(text), secret=False), ensure_ascii=False)
            except (ValueError, RecursionError):
                return self.scrub(text)
        if media_type.startswith("multipart/"):
            text = _PART.sub(self._part, text)
        elif "html" in media_type or "xml" in media_type:
            text = _TAG.sub(self._tag, text)
        return self.scrub(text)

    def _found(self, secret: str) -> str:
        """Mask what was found by place or shape, and learn it: it may show elsewhere without either."""
        if not is_plain(secret):
            self.learn(secret)
        return self.mask(secret)

    def _field(self, name: str, value: str) -> str | None:
        """The mask where a field of this name holds a secret; None where it does not."""
        if not value or not is_secret_name(name) or (is_unsure_name(name) and is_plain(value)):
            return None
        return self._found(value)

    def _scrub_shapes(self, text: str) -> str:
        text = _outside_masks(text, lambda part: JWT.sub(lambda found: self._found(found[0]), part))
        return _outside_masks(text, lambda part: RUN.sub(self._run, part))

    def _scrub_learned(self, text: str) -> str:
        pieces, start, position = [], 0, 0
        spellings = self._spellings.get
        last = len(text) - MIN_LEARNED
        while position <= last:
            # By far the hottest line of a run: every character of the evidence passes here.
            for spelling, mask in spellings(text[position : position + MIN_LEARNED], ()):
                if text.startswith(spelling, position):
                    pieces += [text[start:position], mask]
                    start = position = position + len(spelling)
                    break
            else:
                position += 1
        return "".join([*pieces, text[start:]])

    def _cookie(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals:
            return self._found(pair.strip())
        bare = value.strip().strip('"')
        return f"{self.scrub(name)}={self._found(bare)}"

    def _url(self, url: str, depth: int) -> str:
        match = _URL.fullmatch(url)
        if match is None or depth == 0:
            return self.scrub(url)
        scheme, slashes, user, path, query, fragment = (group or "" for group in match.groups())
        if user and not slashes:
            user, path = "", user + path
        user = f"{self._found(user[:-1])}@" if user else ""
        query = f"?{self._query(query[1:], depth)}" if query else ""
        if fragment:
            fragment = f"#{self._query(fragment[1:], depth)}" if "=" in fragment else self.scrub(fragment)
        return f"{scheme}{slashes}{user}{self._path(path)}{query}{fragment}"

    def _url_in_text(self, found: re.Match[str]) -> str:
        """Only what free text has no other guard against; the rest of `scrub` follows."""
        address, question, query = found[0].partition("?")
        scheme, _, rest = address.partition("://")
        user, at, host = rest.rpartition("@")
        return f"{scheme}://{self._found(user)}{at}{host}{question}" + (self._query(query, 1) if query else "")

    def _path(self, path: str) -> str:
        def handed_over(found: re.Match[str]) -> str:
            return found[1] + (found[2] if is_plain(found[2]) else self._found(found[2]))

        return self.scrub(_HANDOVER.sub(handed_over, path))

    def _query(self, query: str, depth: int) -> str:
        # Known spellings first: what calls itself a form may be none, and an "&" in it part of a secret.
        known = _outside_masks(query, self._scrub_learned)
        return "&".join(self._parameter(pair, depth) for pair in known.split("&"))

    def _parameter(self, pair: str, depth: int) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(value)
        if (mask := self._field(unquote_plus(name), plain)) is not None:
            return f"{self._scrub_parameter(name)}={mask}"
        # A whole URL may be a value: ?next=%2Fcallback%3Fcode%3D…
        nested = depth > 1 and "/" in plain and "=" in plain
        clean = self._url(plain, depth - 1) if nested else self._scrub_parameter(plain)
        return f"{self._scrub_parameter(name)}{equals}{value if clean == plain else clean}"

    def _scrub_parameter(self, text: str) -> str:
        return self._scrub_shapes(_outside_masks(text, self._scrub_learned))

    def _json(self, value: Any, *, secret: bool) -> Any:
        match value:
            case dict():
                return {self.scrub(key): self._member(key, member, secret=secret) for key, member in value.items()}
            case list():
                return [self._json(item, secret=secret) for item in value]
            case str():
                return self._found(value) if secret else self.body("", value)
            case bool() | None:
                return value
            case _:
                return self.mask(str(value)) if secret else value

    def _member(self, key: str, value: Any, *, secret: bool) -> Any:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and not secret:
            mask = self._field(key, str(value))
            return self._json(value, secret=False) if mask is None else mask
        return self._json(value, secret=secret or is_secret_name(key))

    def _part(self, found: re.Match[str]) -> str:
        return found[1] + (self._field(found["name"], found["value"]) or found["value"])

    def _tag(self, found: re.Match[str]) -> str:
        tag = found[0]
        given = {m[1].lower(): m[3].strip("\"'") for m in _ATTRIBUTE.finditer(tag)}
        hidden = given.get("type", "").lower() in {"hidden", "password"}
        if not hidden and not is_secret_name(given.get("name", "") or given.get("property", "")):
            return tag

        def mask(attribute: re.Match[str]) -> str:
            if attribute[1].lower() not in {"value", "content"}:
                return attribute[0]
            return f'{attribute[1]}{attribute[2]}"{self._found(html.unescape(attribute[3].strip(chr(34) + chr(39))))}"'

        return _ATTRIBUTE.sub(mask, tag)

    def _assignment(self, found: re.Match[str]) -> str:
        quoted = found["dq"] if found["dq"] is not None else found["sq"]
        value = quoted if quoted is not None else found["bare"]
        if (found["sep"] == ":" and quoted is None and is_plain(value)) or (
            mask := self._field(found["key"], value)
        ) is None:
            return found[0]
        quote_mark = "" if quoted is None else '"' if found["dq"] is not None else "'"
        return f"{found['head']}{quote_mark}{mask}{quote_mark}"

    def _run(self, found: re.Match[str]) -> str:
        return self._found(found[0]) if is_random(found[0]) else found[0]


def _outside_masks(text: str, change: Callable[[str], str]) -> str:
    """Apply ``change`` between masks: a learned ``secret`` must not be found in the word the masks are made of."""
    if _OPEN not in text:
        return change(text)
    pieces = _MASK_SPLIT.split(text)
    return "".join(piece if index % 2 else change(piece) for index, piece in enumerate(pieces))


def _spellings(secret: str) -> set[str]:
    octets = _octets(secret)
    encoded = {quote(octets, safe=""), quote(octets), quote_plus(octets)}
    lower = {re.sub("%..", lambda found: found[0].lower(), text) for text in encoded}
    in_json = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    found = {secret, html.escape(secret), *encoded, *lower, *in_json, *_in_base64(octets)}
    return {text for text in found if len(text) >= MIN_LEARNED}


def _in_base64(octets: bytes) -> Iterator[str]:
    """What base64 makes of a secret within a longer text: it depends on its place in a group of three octets."""
    for offset in range(3):
        aligned = octets[(3 - offset) % 3 :]
        core = base64.b64encode(aligned[: len(aligned) // 3 * 3]).decode()
        yield core
        yield core.translate(str.maketrans("+/", "-_"))


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
