"""What a start of the provider may be told."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mock_idp.addresses import Addresses

if TYPE_CHECKING:
    from mock_idp.records import Tenant

TOKEN_VARIABLE = "MOCK_IDP_CONTROL_TOKEN"  # noqa: S105 # the name of a variable


class StartError(Exception):
    """The provider cannot start as it was told to; the message is one line that says what to do."""


def new_control_token() -> str:
    """The one of the environment, or an unguessable one."""
    return os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)


@dataclass(slots=True)
class Options:
    """One start of the provider.

    Attributes:
        host: address to listen on; anything but loopback needs `public`.
        port: 0 takes any free one.
        public: listen where others can reach it: everybody who can may sign in as anybody.
        tls: serve https, with an authority made for this start, or with `tls_cert` and `tls_key`.
        ca_file: where the authority's certificate is written; "" makes a temporary file.
        config: TOML of the project, or navikt's JSON.
        store: ``memory:`` or ``redis://...``.
        workers: processes; more than one needs a store that they share.
        control_token: what control requests carry as a bearer token.
        open: make unknown tenants on first use.
        template: what those begin as; set by the configuration.
        first_tenant: name of the first that the configuration has, "" where it has none.
        public_dashboard: serve the dashboard to other machines too.
        addresses: names of the provider; `listening` is filled in once the port is known.
        load, dump: files with the state of a run, read at the start and written at the end.

    """

    host: str = "127.0.0.1"
    port: int = 8080
    public: bool = False
    tls: bool = False
    ca_file: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    config: str = ""
    store: str = "memory:"
    workers: int = 1
    control_token: str = field(default_factory=new_control_token, repr=False)
    open: bool = True
    template: Tenant | None = None
    first_tenant: str = ""
    public_dashboard: bool = False
    addresses: Addresses = field(default_factory=Addresses)
    load: str = ""
    dump: str = ""
