"""OAuth 2.0 Form Post Response Mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.mock_idp.person import Page
from tests.mock_idp.served import REDIRECT_URI

if TYPE_CHECKING:
    from tests.mock_idp.served import World


class TestSection2:
    """2."""

    def test_the_response_is_a_form_that_posts_itself(self, tenant: World) -> None:
        """'Encoded as HTML form values that are auto-submitted in the User Agent', by POST."""
        response = tenant.authorize(response_mode="form_post")
        page = Page(response)
        assert response.status_code == 200
        assert (page.form.action, page.form.method, page.scripts) == (REDIRECT_URI, "post", 1)
        told = dict(page.form.fields)
        assert told["state"] == "the-state"
        assert tenant.redeem(told["code"]).status_code == 200

    def test_there_is_a_button_where_scripts_do_not_run(self, tenant: World) -> None:
        """The example of the specification has none; people without scripts need one."""
        assert Page(tenant.authorize(response_mode="form_post")).form.buttons == [("", "")]

    def test_the_answer_is_not_stored(self, tenant: World) -> None:
        """It holds a code."""
        assert "no-store" in tenant.authorize(response_mode="form_post").headers["cache-control"]

    @pytest.mark.parametrize("state", ["a+b c&amp;", '"><script>alert(1)</script>', "ü%41", "'"])
    def test_values_are_values(self, tenant: World, state: str) -> None:
        """Escaped once, and nothing of them lost."""
        assert dict(Page(tenant.authorize(response_mode="form_post", state=state)).form.fields)["state"] == state

    def test_errors_come_the_same_way(self, tenant: World) -> None:
        """Whatever went wrong."""
        told = dict(Page(tenant.authorize(response_mode="form_post", scope="\x7f")).form.fields)
        assert told["error"] == "invalid_scope"

    def test_tokens_may_come_this_way(self, tenant: World) -> None:
        """Multiple Response Types, 5: any mode but the query."""
        page = Page(tenant.authorize(response_mode="form_post", response_type="code id_token", nonce="n"))
        assert {"code", "id_token"} <= {*dict(page.form.fields)}

    def test_the_page_may_be_framed(self, tenant: World) -> None:
        """Silent renewal with prompt=none happens in frames."""
        assert "frame-ancestors" not in tenant.authorize(response_mode="form_post").headers["content-security-policy"]
