"""The HTML pages. They work without scripts and load nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mock_idp.wire.http import NO_STORE, Answer

if TYPE_CHECKING:
    from mock_idp.protocol.authorization import Authorization
    from mock_idp.protocol.errors import OAuthError
    from mock_idp.protocol.table import Flow

HTML = (b"content-type", b"text/html; charset=utf-8")


class Pages:
    """Every page, as an answer."""

    async def sign_in(self, flow: Authorization, pending: str, *, wrong_password: bool = False) -> Answer:
        """Who signs in?"""
        buttons = "".join(f'<button name="account" value="{escape(n)}">{escape(n)}</button>' for n in flow.tenant.accounts)
        return _page(
            "Sign in",
            f'<form method="post" action="sign-in"><input type="hidden" name="pending" value="{pending}">{buttons}</form>',
        )

    async def error(self, flow: Flow, error: OAuthError) -> Answer:
        """What the relying party did wrong, and where the specification says so."""
        return _page("Refused", f"<p>{escape(error.description)}</p><p>{escape(error.source)}</p>", error.status)

    def form_post(self, flow: Authorization, uri: str) -> Answer:
        """OAuth 2.0 Form Post Response Mode."""
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(unquote(value))}">' for name, value in flow.response
        )
        return _page("Continue", f'<form method="post" action="{escape(uri)}">{fields}<button>Continue</button></form>')


def _page(title: str, body: str, status: int = 200) -> Answer:
    return Answer(status, [HTML, *NO_STORE], f"<!doctype html><title>{title}</title><h1>{title}</h1>{body}".encode())
