"""The pytest plugin: a provider for the session, a fresh tenant for each test. Loads nothing until a test asks.

```python
def test_login(idp, app):
    app.start(issuer=idp.issuer)
    ...
```

With pytest-xdist each worker has a provider of its own; with ``--idp-url`` all use one that runs already.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_idp.control.client import Control, Idp


def pytest_addoption(parser: pytest.Parser) -> None:
    """How to use a provider that runs already."""
    group = parser.getgroup("idp", "mock_idp: a mock OAuth and OpenID Connect provider")
    group.addoption("--idp-url", metavar="URL", default=None, help="use the mock provider that runs there")
    group.addoption(
        "--idp-control-token",
        metavar="TOKEN",
        default=None,
        help="its control token (default: the environment variable MOCK_IDP_CONTROL_TOKEN)",
    )
    group.addoption("--idp-ca-file", metavar="FILE", default="", help="the authority to trust, where it speaks https")


@pytest.fixture(scope="session")
def idp_server(pytestconfig: pytest.Config) -> Iterator[Control]:
    """A mock provider: one for this process, or the one that ``--idp-url`` names."""
    url = pytestconfig.getoption("idp_url")
    if url is None:
        from mock_idp.running.start import start  # noqa: PLC0415 # a run that does not use it pays nothing

        with start() as provider:
            yield provider
        return
    from mock_idp.control.client import connect  # noqa: PLC0415 # as above

    token = pytestconfig.getoption("idp_control_token") or os.environ.get("MOCK_IDP_CONTROL_TOKEN")
    if not token:
        raise pytest.UsageError("--idp-url needs the provider's control token: add --idp-control-token TOKEN")
    with connect(url, token, ca_file=pytestconfig.getoption("idp_ca_file")) as provider:
        yield provider


@pytest.fixture
def idp(idp_server: Control) -> Iterator[Idp]:
    """A fresh tenant, dropped after the test. Logins are approved as alice without a page.

    ``idp.configure(auto_approve=None)`` brings the sign-in page.
    """
    with idp_server.fresh_tenant(auto_approve="alice") as tenant:
        yield tenant
