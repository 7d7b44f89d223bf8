"""RFC 6749, sections 3.1 and 4: the authorization endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.mock_idp.served import REDIRECT_URI, answered, error_of

if TYPE_CHECKING:
    from mock_idp.records import Tenant
    from tests.mock_idp.served import World

QUERY = "response_type=code&client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcallback"


class TestSection31AuthorizationEndpoint:
    """3.1."""

    def test_get_is_taken(self, tenant: World) -> None:
        """'MUST support the use of the HTTP "GET" method.'"""
        assert "code" in answered(tenant.authorize())

    def test_post_is_taken(self, tenant: World) -> None:
        """'MAY support the use of the "POST" method as well.'"""
        form = {"response_type": "code", "client_id": "app", "redirect_uri": REDIRECT_URI, "state": "a b"}
        assert answered(tenant.post("authorize", form))["state"] == "a b"

    def test_parameters_without_a_value_are_omitted_ones(self, tenant: World) -> None:
        """'Parameters sent without a value MUST be treated as if they were omitted from the request.'"""
        response = tenant.get(f"authorize?{QUERY}&code_challenge=&response_mode=&prompt=&max_age=&state=")
        assert {*answered(response)} == {"code", "iss"}

    def test_unknown_parameters_are_ignored(self, tenant: World) -> None:
        """'The authorization server MUST ignore unrecognized request parameters.'"""
        assert "code" in answered(tenant.authorize(parameter_of_tomorrow="1"))

    @pytest.mark.parametrize("name", ["scope", "state", "response_type", "nonce", "parameter_of_tomorrow"])
    def test_repeated_parameters_are_refused(self, tenant: World, name: str) -> None:
        """'Request and response parameters MUST NOT be included more than once.'"""
        response = tenant.get(f"authorize?{QUERY}&{name}=code&{name}=code")
        assert error_of(response) == "invalid_request"

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
    def test_who_asks_and_where_it_goes_stand_once(self, tenant: World, name: str) -> None:
        """Repeated, they cannot be trusted; nothing is redirected (4.1.2.1)."""
        response = tenant.get(f"authorize?{QUERY}&{name}=app&{name}=app")
        assert response.status_code == 400
        assert "location" not in response.headers


class TestSection311ResponseType:
    """3.1.1."""

    def test_it_is_required(self, tenant: World) -> None:
        """'If an authorization request is missing the "response_type" parameter, ... MUST return an error response.'"""
        assert error_of(tenant.authorize(response_type=None)) == "invalid_request"

    def test_an_unknown_one_is_refused(self, tenant: World) -> None:
        """'... or if the response type is not understood' (4.1.2.1: unsupported_response_type)."""
        assert error_of(tenant.authorize(response_type="code magic")) == "unsupported_response_type"

    def test_the_order_of_its_values_does_not_matter(self, tenant: World) -> None:
        """'"a b" is the same as "b a".'"""
        assert {"code", "id_token"} <= {*answered(tenant.authorize(response_type="id_token code", nonce="n"))}

    def test_one_that_the_client_may_not_use_is_refused(self, tenant: World) -> None:
        """4.1.2.1: unauthorized_client."""
        tenant.change(lambda t: t.clients["app"].response_types.append("code"))
        assert error_of(tenant.authorize(response_type="token")) == "unauthorized_client"


class TestSection312RedirectionEndpoint:
    """3.1.2."""

    @pytest.mark.parametrize("uri", ["/callback", "callback", "http://127.0.0.1:9/callback#fragment", "http://[::1"])
    def test_it_is_absolute_and_has_no_fragment(self, tenant: World, uri: str) -> None:
        """'MUST be an absolute URI ... MUST NOT include a fragment component.'"""
        response = tenant.authorize(redirect_uri=uri, client_id="nobody-knows")
        assert response.status_code == 400
        assert "location" not in response.headers

    @pytest.mark.parametrize(
        "uri",
        [
            "http://evil.example\\@127.0.0.1/",
            "http://127.0.0.1\\@evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1/\r\nSet-Cookie: a=b",
            "http://127.0.0.1/\x00",
            "javascript://127.0.0.1/%0aalert(1)",
            "data://localhost/x",
        ],
    )
    def test_what_browsers_would_read_otherwise_is_no_loopback_address(self, tenant: World, uri: str) -> None:
        """An unregistered client gets its response on loopback, and nowhere else."""
        response = tenant.authorize(redirect_uri=uri, client_id="nobody-knows")
        assert response.status_code == 400
        assert "location" not in response.headers
        assert "set-cookie" not in response.headers

    @pytest.mark.parametrize("uri", ["http://127.0.0.1:1/x", "http://localhost/", "https://app.localhost/cb?a=b"])
    def test_loopback_addresses_of_clients_nobody_registered(self, tenant: World, uri: str) -> None:
        """The mock's own rule: a client that came by itself may be on this machine."""
        assert "code" in answered(tenant.authorize(redirect_uri=uri, client_id="nobody-knows"))

    def test_a_query_in_it_is_kept(self, tenant: World) -> None:
        """'... query component ..., which MUST be retained when adding additional query parameters.'"""
        response = tenant.authorize(redirect_uri="http://127.0.0.1:1/cb?keep=me", client_id="nobody-knows")
        assert response.headers["location"].startswith("http://127.0.0.1:1/cb?keep=me&code=")

    def test_it_may_be_left_out_where_one_is_registered(self, tenant: World) -> None:
        """3.1.2.3: only with several is it required."""
        response = tenant.authorize(redirect_uri=None, scope="profile")
        assert response.headers["location"].startswith(REDIRECT_URI + "?")

    def test_it_may_not_be_left_out_where_several_are_registered(self, tenant: World) -> None:
        """3.1.2.3: 'If multiple redirection URIs have been registered, ... MUST include a redirection URI.'"""
        tenant.change(lambda t: t.clients["app"].redirect_uris.append("https://app.example/cb"))
        assert tenant.authorize(redirect_uri=None, scope="profile").status_code == 400

    def test_it_is_compared_as_a_string(self, tenant: World) -> None:
        """RFC 9700, 2.1: 'exact string matching'."""
        for uri in (
            REDIRECT_URI + "?",
            REDIRECT_URI.replace("9", "09"),
            REDIRECT_URI.replace("callback", "%63allback"),
        ):
            assert tenant.authorize(redirect_uri=uri).status_code == 400

    def test_the_port_of_a_native_client_may_differ(self, tenant: World) -> None:
        """RFC 8252, 7.3: 'MUST allow any port to be specified at the time of the request'."""
        assert "code" in answered(tenant.authorize(client_id="spa", redirect_uri="http://127.0.0.1:54321/callback"))
        assert tenant.authorize(client_id="app", redirect_uri="http://127.0.0.1:54321/callback").status_code == 400

    def test_a_leniency_lets_any_pass_and_the_journal_says_so(self, tenant: World) -> None:
        """The mock's own switch; scripts stay out."""
        tenant.change(lambda t: t.clients["app"].lenient.append("any-redirect-uri"))
        assert "code" in answered(tenant.authorize(redirect_uri="https://elsewhere.example/cb"))
        assert tenant.journal()[-1].lenient == ["any-redirect-uri"]
        assert tenant.authorize(redirect_uri="javascript:alert(1)").status_code == 400


class TestSection4121ErrorResponse:
    """4.1.2.1 and 4.2.2.1."""

    def test_a_missing_client_is_told_on_a_page(self, tenant: World) -> None:
        """'If the client identifier is missing or invalid, ... MUST NOT automatically redirect.'"""
        response = tenant.authorize(client_id=None)
        assert (response.status_code, response.headers["content-type"]) == (400, "text/html; charset=utf-8")

    def test_an_unknown_client_of_a_strict_tenant_is_told_on_a_page(self, tenant: World) -> None:
        """The same."""
        tenant.change(lambda t: setattr(t.settings, "strict", True))
        response = tenant.authorize(client_id="nobody-knows")
        assert response.status_code == 400
        assert "location" not in response.headers

    def test_descriptions_hold_only_what_they_may(self, tenant: World) -> None:
        """'MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E.'"""
        description = answered(tenant.authorize(response_type='x"\\é\U0001f600'))["error_description"]
        assert all(" " <= letter <= "~" and letter not in '"\\' for letter in description)

    def test_errors_of_the_implicit_flow_go_into_the_fragment(self, tenant: World) -> None:
        """4.2.2.1: 'adding the following parameters to the fragment component.'"""
        parts = urlsplit(tenant.authorize(response_type="token", scope='"').headers["location"])
        assert "error=invalid_scope" in parts.fragment
        assert not parts.query

    def test_where_the_mistake_is_stands_in_the_journal(self, tenant: World) -> None:
        """A test can ask which step refused."""
        tenant.authorize(response_type="nonsense")
        assert (tenant.journal()[-1].refused or "").startswith("authorization: check_response_type: unsupported")

    def test_a_state_in_a_form_breaks_no_header(self, tenant: World) -> None:
        """What is echoed as it was sent is still only a value."""
        body = QUERY.encode() + b"&state=a\r\nSet-Cookie: b#c"
        response = tenant.post("authorize", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
        assert response.headers["location"].endswith("state=a%0D%0ASet-Cookie:%20b%23c&iss=" + _quoted(tenant.issuer))
        assert "set-cookie" in response.headers  # the provider's own
        assert "b#c" not in response.headers["set-cookie"]


def _quoted(text: str) -> str:
    return text.replace(":", "%3A").replace("/", "%2F")


class TestSection42ImplicitGrant:
    """4.2."""

    def test_the_token_comes_in_the_fragment(self, tenant: World) -> None:
        """4.2.2: access_token, token_type, expires_in, scope, state."""
        response = tenant.authorize(response_type="token", scope="profile")
        told = answered(response)
        assert not urlsplit(response.headers["location"]).query
        assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", "3600", "profile")
        assert told["state"] == "the-state"

    def test_there_is_no_refresh_token(self, tenant: World) -> None:
        """4.2.2: 'MUST NOT issue a refresh token.'"""
        assert "refresh_token" not in answered(tenant.authorize(response_type="token", scope="openid offline_access"))

    def test_the_token_works(self, tenant: World) -> None:
        """As any other."""
        token = answered(tenant.authorize(response_type="token"))["access_token"]
        assert tenant.userinfo(token).json()["sub"] == "alice"

    def test_it_can_be_switched_off(self, tenant: World) -> None:
        """And discovery says so."""

        def edit(found: Tenant) -> None:
            found.settings.response_types = ["code"]

        tenant.change(edit)
        assert error_of(tenant.authorize(response_type="token")) == "unsupported_response_type"
        assert tenant.get(".well-known/openid-configuration").json()["response_types_supported"] == ["code"]


class TestRfc9700:
    """RFC 9700, security best current practice."""

    def test_the_endpoint_has_no_cors(self, tenant: World) -> None:
        """2.6: CORS 'MUST NOT be supported at the authorization endpoint'."""
        headers = {"Origin": "http://app.example"}
        for response in (
            tenant.get(f"authorize?{QUERY}", headers=headers),
            tenant.http.options(f"{tenant.issuer}/authorize", headers=headers),
        ):
            assert "access-control-allow-origin" not in response.headers

    def test_redirects_are_303(self, tenant: World) -> None:
        """4.12: 'SHOULD use HTTP status code 303.'"""
        assert tenant.authorize().status_code == 303

    def test_responses_are_not_stored(self, tenant: World) -> None:
        """They hold codes."""
        assert tenant.authorize().headers["cache-control"] == "no-store"
