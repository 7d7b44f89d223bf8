"""RFC 8707, section 2.1: resource indicators at the authorization endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mock_idp.served import answered, claims, error_of

if TYPE_CHECKING:
    from tests.mock_idp.served import World


class TestSection2:
    """2 and 2.1."""

    @pytest.mark.parametrize("resource", ["api", "/api", "https://api.example/#fragment", "https://api.example/ x"])
    def test_it_is_an_absolute_uri_without_a_fragment(self, tenant: World, resource: str) -> None:
        """'Its value MUST be an absolute URI ... MUST NOT include a fragment component': invalid_target."""
        assert error_of(tenant.authorize(resource=resource)) == "invalid_target"

    def test_several_may_be_named(self, tenant: World) -> None:
        """'Multiple resource parameters MAY be used.'"""
        tenant.change(lambda t: setattr(t.settings, "access_token", "jwt"))
        wanted = ["https://one.example/", "https://two.example/api?x=1"]
        told = answered(tenant.authorize(resource=wanted, response_type="token"))
        assert claims(told["access_token"])["aud"] == wanted

    def test_one_that_a_tenant_does_not_know_is_refused(self, tenant: World) -> None:
        """'The requested resource is invalid, missing, unknown, or malformed.'"""
        tenant.change(lambda t: t.settings.resources.append("https://one.example/"))
        assert "code" in answered(tenant.authorize(resource="https://one.example/"))
        assert error_of(tenant.authorize(resource="https://two.example/")) == "invalid_target"
