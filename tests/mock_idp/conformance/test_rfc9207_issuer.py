"""RFC 9207: authorization server issuer identification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mock_idp.person import Page
from tests.mock_idp.served import answered

if TYPE_CHECKING:
    from tests.mock_idp.served import World


class TestSection2:
    """2."""

    @pytest.mark.parametrize("response_type", ["code", "token", "code id_token"])
    def test_responses_name_the_issuer(self, tenant: World, response_type: str) -> None:
        """'The issuer identifier of the authorization server that created the authorization response.'"""
        assert answered(tenant.authorize(response_type=response_type, nonce="n"))["iss"] == tenant.issuer

    def test_error_responses_name_it_too(self, tenant: World) -> None:
        """2: 'including error responses'."""
        assert answered(tenant.authorize(response_type="nonsense"))["iss"] == tenant.issuer

    def test_forms_name_it_too(self, tenant: World) -> None:
        """Whatever the response mode."""
        assert dict(Page(tenant.authorize(response_mode="form_post")).form.fields)["iss"] == tenant.issuer


class TestSection3:
    """3."""

    @pytest.mark.parametrize("on", [True, False])
    def test_metadata_tell_the_truth(self, tenant: World, on: bool) -> None:  # noqa: FBT001 # a parameter of the test
        """'authorization_response_iss_parameter_supported'."""
        tenant.change(lambda t: setattr(t.settings, "iss_parameter", on))
        metadata = tenant.get(".well-known/openid-configuration").json()
        assert metadata["authorization_response_iss_parameter_supported"] is on
        assert ("iss" in answered(tenant.authorize())) is on
