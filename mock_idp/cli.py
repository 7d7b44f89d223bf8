"""The command line: ``python -m mock_idp``, which is ``authconform idp``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NoReturn

from mock_idp.addresses import Addresses, base_url, path_prefix
from mock_idp.running.options import TOKEN_VARIABLE, Options, StartError, new_control_token
from mock_idp.store import StoreDownError

if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = 4
"""Exit code for a command that cannot be carried out, as elsewhere in the project."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return _carry_out(asked)
    except (StartError, StoreDownError) as error:
        sys.stderr.write(f"mock_idp: {error}\n")
        return USAGE
    except KeyboardInterrupt:
        return 130


# What a command needs is imported by it: --help and a cold start wait for nothing else.
def _carry_out(asked: argparse.Namespace) -> int:
    if asked.faults:
        from mock_idp.faults.docs import listing  # noqa: PLC0415 # see above

        sys.stdout.write(listing())
        return 0
    options = _options(asked)
    if asked.doctor:
        from mock_idp.running.doctor import examine  # noqa: PLC0415 # see above

        return examine(options)
    if options.dump:
        from mock_idp.running.dumps import check_writable  # noqa: PLC0415 # see above

        check_writable(options.dump)
    if options.workers > 1:
        from mock_idp.running.workers import run_workers  # noqa: PLC0415 # see above

        run_workers(options)
    else:
        from mock_idp.running.server import run  # noqa: PLC0415 # see above

        run(options)
    return 0


def _options(asked: argparse.Namespace) -> Options:
    return Options(
        host=asked.host,
        port=asked.port,
        public=asked.public,
        public_dashboard=asked.public_dashboard,
        tls=asked.tls or bool(asked.tls_cert or asked.tls_key),
        ca_file=asked.ca_file,
        tls_cert=asked.tls_cert,
        tls_key=asked.tls_key,
        config=asked.config,
        store=asked.store,
        workers=asked.workers,
        control_token=asked.control_token or new_control_token(),
        addresses=Addresses(
            public=asked.issuer,
            server=asked.server_url,
            prefix=asked.prefix or "",
            names=[name.lower() for name in asked.name],
            forwarded=asked.forwarded,
        ),
        load=asked.load,
        dump=asked.dump,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and the exit code of all our commands."""
        self.exit(USAGE, f"mock_idp: {message}; --help lists the options\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="authconform idp",
        description="A mock OAuth 2.0 and OpenID Connect provider. Every path /{tenant}/ is an issuer of its own.",
        allow_abbrev=False,
    )
    group = parser.add_argument_group("where it listens")
    group.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    group.add_argument(
        "--port", type=_number(0, 65535), default=8080, metavar="N", help="0: any free one (default: 8080)"
    )
    group.add_argument("--public", action="store_true", help="allow an address that other machines reach")
    group.add_argument("--public-dashboard", action="store_true", help="show them the dashboard, too")
    group.add_argument(
        "--workers", type=_number(1, 64), default=1, metavar="N", help="processes (with --store redis://)"
    )

    group = parser.add_argument_group("https")
    group.add_argument("--tls", action="store_true", help="with a certificate of an authority made for this start")
    group.add_argument("--ca-file", default="", metavar="FILE", help="where the authority's certificate is written")
    group.add_argument("--tls-cert", default="", metavar="FILE", help="a certificate of your own, PEM")
    group.add_argument("--tls-key", default="", metavar="FILE", help="its key, PEM")

    group = parser.add_argument_group("under which names it is known")
    group.add_argument("--issuer", type=_text(base_url), metavar="URL", help="base of all issuers")
    group.add_argument(
        "--server-url",
        type=_text(base_url),
        metavar="URL",
        help="base of what servers ask, if they need another",
    )
    group.add_argument(
        "--name", action="append", default=[], metavar="HOST", help="a further name to follow in Host headers"
    )
    group.add_argument("--prefix", type=_text(path_prefix), metavar="PATH", help="path that a proxy serves it under")
    group.add_argument("--forwarded", action="store_true", help="believe the X-Forwarded headers of a proxy")
    group.add_argument(
        "--doctor", action="store_true", help="tell who sees which issuer and what can be reached, and leave"
    )

    group = parser.add_argument_group("what it knows")
    group.add_argument("--config", default="", metavar="FILE", help="tenants, clients, accounts; or env:NAME")
    group.add_argument("--store", default="memory:", metavar="URL", help="memory: or redis://host:6379/0")
    group.add_argument("--load", default="", metavar="FILE", help="begin with the state of a dump")
    group.add_argument("--dump", default="", metavar="FILE", help="write the state at the end")
    group.add_argument("--control-token", default="", metavar="T", help=f"default: ${TOKEN_VARIABLE}, or a new one")
    group.add_argument("--faults", action="store_true", help="list what it can be told to do wrong, and leave")
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}")
        return int(text)

    return number


def _text(check: Callable[[str], str]) -> Callable[[str], str]:
    def text(given: str) -> str:
        try:
            return check(given)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return text
