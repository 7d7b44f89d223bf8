"""The command line: `python -m reference_app --architecture cookie --port 8000`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from reference_app import defects
from reference_app.settings import Architecture, SettingsError, nearest, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_app.settings import Settings

EXIT_USAGE: Final = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 4 and one line when an argument cannot be honoured."""
    try:
        options = _parser().parse_args(arguments)
        if options.list_defects:
            _list_defects()
            return 0
        settings = _settings(options)
        from reference_app.server import serve  # noqa: PLC0415 - a wrong argument is told at once

        serve(settings, options.host, options.port, options.ca_file)
    except SettingsError as error:
        print(f"reference_app: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    except KeyboardInterrupt:
        pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m reference_app", description=__doc__, allow_abbrev=False)
    parser.add_argument("--architecture", metavar="|".join(Architecture), help="how credentials travel")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a certificate made at start")
    parser.add_argument("--tls-name", action="append", metavar="NAME", help="a name for the certificate")
    parser.add_argument("--ca-file", type=Path, metavar="PATH", help="where to write the authority's certificate")
    parser.add_argument("--plain-port", type=int, help="also listen in the clear there, and redirect to HTTPS")
    parser.add_argument("--database", default="sqlite://", metavar="URL", help="SQLAlchemy URL; default: in memory")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a sound variant")
    parser.add_argument("--defect", action="append", default=[], metavar="NAME", help="break one promise")
    parser.add_argument("--list-defects", action="store_true", help="print the defects as JSON lines")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    known = [architecture.value for architecture in Architecture]
    if options.architecture not in known:
        hint = nearest(options.architecture or "", known) or f"; choose {', '.join(known)}"
        raise SettingsError(f"--architecture: {options.architecture or 'missing'}{hint}")
    if options.port is None:
        raise SettingsError("--port is missing")
    if not options.tls and (options.ca_file or options.tls_name or options.plain_port is not None):
        raise SettingsError("--ca-file, --tls-name and --plain-port need --tls")
    fixed = {
        "architecture": options.architecture,
        "tls": options.tls,
        "plain_port": options.plain_port,
        "database": options.database,
    }
    if options.tls_name:
        fixed["tls_names"] = tuple(options.tls_name)
    return defects.apply(read(_pairs(options.set), **fixed), options.defect)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {key}: expected KEY=VALUE")
        if key in pairs:
            raise SettingsError(f"--set {key}: given twice")
        pairs[key] = value
    return pairs


def _list_defects() -> None:
    for defect in defects.DEFECTS.values():
        print(json.dumps(defect.as_json(), ensure_ascii=False))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
