"""Whom to trust: the one TLS context of a wire."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Tls:
    """The TLS context, made when it is first needed: reading the authorities takes time.

    Args:
        ca_file: PEM file of an authority to trust besides those of the system and of certifi.
        verify: False trusts any certificate.

    Raises:
        ValueError: ``ca_file`` is no PEM file of certificates.
    """

    def __init__(self, ca_file: Path | None, *, verify: bool) -> None:
        self._verify = verify
        self._ca_file = ca_file
        self._made: ssl.SSLContext | None = None
        if ca_file is not None and verify:
            self._made = self._make()

    def context(self) -> ssl.SSLContext:
        """The one context of this wire."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> ssl.SSLContext:
        import certifi  # noqa: PLC0415 - needed for https only

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        context.set_alpn_protocols(["http/1.1"])
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except OSError as error:  # ssl.SSLError is one
                reason = error.strerror or "it holds no certificate in PEM form"
                raise ValueError(f"target.ca: {self._ca_file} cannot be used ({reason})") from error
        return context
