"""A certificate for https, with a test authority that clients are told to trust."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mock_idp.running.options import StartError

if TYPE_CHECKING:
    from mock_idp.running.options import Options

NAMES = ("localhost", "*.localhost", "127.0.0.1", "::1", "host.docker.internal")
"""Names that are followed in a Host header, and so stand in the certificate."""


def certify(options: Options) -> None:
    """Fill in the files of certificate, key and authority; those that were given are looked at.

    Raises:
        StartError: a given file cannot be used, or `ca_file` cannot be written.

    """
    if not options.tls:
        return
    if options.tls_cert or options.tls_key:
        _check_given(options)
        return
    import trustme  # noqa: PLC0415 # it brings cryptography, which only https needs at the start

    folder = Path(tempfile.mkdtemp(prefix="mock-idp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    authority = trustme.CA(organization_name="mock_idp", organization_unit_name="worthless test authority")
    certificate = authority.issue_cert(*dict.fromkeys([*NAMES, *_further_names(options)]))
    options.tls_cert, options.tls_key = str(folder / "certificate.pem"), str(folder / "key.pem")
    options.ca_file = options.ca_file or str(folder / "ca.pem")
    (folder / "certificate.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(options.tls_key)
    try:
        authority.cert_pem.write_to_path(options.ca_file)
    except OSError as error:
        raise StartError(f"--ca-file {options.ca_file}: cannot be written: {error.strerror}") from None


def _further_names(options: Options) -> list[str]:
    addresses = options.addresses
    hosts = [urlsplit(base).hostname or "" for base in (addresses.public, addresses.server) if base]
    listening = [] if options.host in {"0.0.0.0", "::", ""} else [options.host]  # noqa: S104 # compared, not bound
    return [name for name in [*hosts, *addresses.names, *listening] if name]


def _check_given(options: Options) -> None:
    if not (options.tls_cert and options.tls_key):
        raise StartError("--tls-cert and --tls-key go together; without both an authority is made for this start")
    import ssl  # noqa: PLC0415 # only https needs it

    for name in (options.tls_cert, options.tls_key):
        try:
            Path(name).read_bytes()
        except OSError as error:
            raise StartError(f"{name}: cannot be read: {error.strerror}") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            options.tls_cert, options.tls_key, password=_no_password
        )
    except (ssl.SSLError, ValueError):
        raise StartError(
            f"{options.tls_cert}, {options.tls_key}: no certificate with its unencrypted key, as PEM"
        ) from None


def _no_password() -> str:
    """Instead of asking on the terminal."""
    raise ValueError
