"""``--doctor``: which name each client will see, which ``iss`` tokens will carry, and what can be reached from here."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mock_idp.addresses import BROWSER_ENDPOINTS
from mock_idp.running.options import StartError
from mock_idp.running.start import start_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_idp.running.options import Options

WAIT_S = 2.0
"""How long any name may take to be found, and any address to answer."""
DISCOVERY = "/.well-known/openid-configuration"
CONTAINER = "host.docker.internal"


@dataclass(frozen=True, slots=True)
class Seen:
    """The provider as one client sees it.

    Attributes:
        base: under which it asks.
        issuer: what the answer says; "" where there was none.
        reached: "yes", or why that base does not lead to the provider from this machine.

    """

    who: str
    base: str
    issuer: str
    reached: str


def examine(options: Options) -> int:
    """Start the provider for a moment, ask it under each of its names, and say what was seen.

    Returns:
        0, or 1 where something will not work.

    Raises:
        StartError: it cannot start; a taken port is not an error where the provider is what listens there.

    """
    try:
        host = start_with(options)
    except StartError as error:
        if "is taken" not in str(error) or not _is_provider(_listening(options)):
            raise
        _say(f"A provider listens on port {options.port} already; this is what it says.\n")
        options.addresses.listening = _listening(options)
        return _report(options)
    try:
        return _report(options)
    finally:
        host.stop()


def _listening(options: Options) -> str:
    return f"{'https' if options.tls else 'http'}://{options.host}:{options.port}"


def _is_provider(base: str) -> bool:
    return "issuer" in _document(base, f"{base}/demo{DISCOVERY}")


def _report(options: Options) -> int:
    tenant = options.first_tenant or "demo"
    seen = [_look(options, who, base, tenant) for who, base in _names(options)]
    _say(f"Tenant {tenant!r}, as clients see it:\n")
    _table(("client", "asks", "iss of its tokens", "reached from here"), [_row(one) for one in seen])
    document = _document(options.addresses.listening, f"{seen[0].base}/{tenant}{DISCOVERY}")
    _say("\nEndpoints, for the first of them:\n")
    urls = [(name, str(url)) for name, url in document.items() if name.endswith("_endpoint") or name == "jwks_uri"]
    reached = {url: _reached(url) for _, url in urls}
    _table(
        ("endpoint", "asked by", "URL", "reached from here"),
        [(name, "browser" if name in BROWSER_ENDPOINTS else "server", url, reached[url]) for name, url in urls],
    )
    problems, notes = list(_problems(options, seen, reached)), list(_notes(options, seen))
    for title, sentences in (("Will not work", problems), ("Worth knowing", notes)):
        if sentences:
            _say(f"\n{title}:\n" + "".join(f"\n- {sentence}" for sentence in sentences))
    return 1 if problems else 0


def _names(options: Options) -> Iterator[tuple[str, str]]:
    """Who will ask under which base."""
    addresses = options.addresses
    parts = urlsplit(addresses.listening)
    if addresses.public:
        yield "browser, by --issuer", addresses.public
    if addresses.server:
        yield "server, by --server-url", addresses.server
    named = {"browser on this machine": "localhost", "program on this machine": parts.hostname or "127.0.0.1"}
    if CONTAINER not in addresses.names:
        named["container on this machine"] = CONTAINER
    named.update({f"whoever knows it as {name}": name for name in addresses.names})
    for who, name in named.items():
        shown = f"[{name}]" if ":" in name else name
        yield who, f"{parts.scheme}://{shown}:{parts.port}{addresses.prefix}"


def _look(options: Options, who: str, base: str, tenant: str) -> Seen:
    url = f"{base}/{tenant}{DISCOVERY}"
    issuer = str(_document(options.addresses.listening, url).get("issuer", ""))
    reached = _reached(url)
    if reached == "yes" and _document(base, url).get("issuer") != issuer:
        reached = "no: something else answers there"
    return Seen(who, base, issuer, reached)


def _document(address: str, url: str) -> dict[str, object]:
    """The JSON at a URL, asked for at an address; {} where there is none."""
    try:
        _, body = _get(address, url)
        document = json.loads(body)
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return document if isinstance(document, dict) else {}


def _get(address: str, url: str) -> tuple[int, bytes]:
    to, asked = urlsplit(address), urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=WAIT_S)
    if to.scheme == "https":
        connection = http.client.HTTPSConnection(to.hostname or "", to.port, timeout=WAIT_S, context=_no_matter_who())
    try:
        connection.request("GET", asked.path, headers={"Host": asked.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read(1024 * 1024)
    finally:
        connection.close()


def _no_matter_who() -> ssl.SSLContext:
    """Here the question is whether anybody answers; the certificate is the clients' concern."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reached(url: str) -> str:
    parts = urlsplit(url)
    if not _known(parts.hostname or ""):
        return "no: the name is not known here"
    try:
        _get(f"{parts.scheme}://{parts.netloc}", url)
    except TimeoutError:
        return f"no: no answer within {WAIT_S:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"no: {getattr(error, 'strerror', None) or type(error).__name__}"
    return "yes"


def _known(name: str) -> bool:
    """Does the name lead to an address? The system's own patience would be too long."""
    found = threading.Event()

    def look() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            socket.getaddrinfo(name, None)
            found.set()
        done.set()

    done = threading.Event()
    threading.Thread(target=look, daemon=True).start()
    done.wait(WAIT_S)
    return found.is_set()


def _problems(options: Options, seen: list[Seen], reached: dict[str, str]) -> Iterator[str]:
    addresses = options.addresses
    for one in seen:
        if urlsplit(one.base).hostname not in {None, CONTAINER} and one.reached != "yes":
            yield f"{one.base} does not lead here from this machine ({one.reached.removeprefix('no: ')})."
    for url, how in reached.items():
        if how != "yes" and not any(url.startswith(one.base) for one in seen):
            yield f"{url} cannot be reached from here ({how.removeprefix('no: ')})."
    for base in (addresses.public, addresses.server):
        if base and base.startswith("https:") and not options.tls and not addresses.forwarded:
            yield f"{base} is https and this provider speaks http: a proxy has to stand in between, or --tls."


def _notes(options: Options, seen: list[Seen]) -> Iterator[str]:
    addresses = options.addresses
    issuers = {one.issuer for one in seen if one.issuer}
    if len(issuers) > 1:
        yield (
            "Clients that use different names see different issuers, and refuse each other's tokens. "
            "Let all use one name, or fix it: --issuer URL."
        )
    if any(issuer.startswith("http:") for issuer in issuers):
        yield (
            "The issuer is http. OpenID Connect wants https, and some clients refuse http even on loopback: --tls, "
            "or a proxy that speaks https and --issuer https://..."
        )
    if options.public and not addresses.public and not addresses.names:
        yield (
            "Other machines reach this provider, but only loopback names in a Host header are followed: whoever asks "
            f"by another name is told {addresses.listening}. Name it: --issuer URL, or --name HOST."
        )


def _row(one: Seen) -> tuple[str, str, str, str]:
    return one.who, one.base, one.issuer or "(no answer)", one.reached


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        _say("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            _say("  " + "  ".join("-" * width for width in widths))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
