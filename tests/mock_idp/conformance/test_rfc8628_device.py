"""RFC 8628: device authorization grant."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.protocol.errors import OAuthError
from mock_idp.protocol.grants.device_code import decide_device
from mock_idp.records import Client
from tests.mock_idp.served import claims, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.mock_idp.served import World

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def device(new_tenant: Callable[..., World]) -> World:
    """A tenant in which somebody has to decide."""
    return new_tenant(auto_approve=None)


def begin(tenant: World, **parameters: str) -> dict[str, Any]:
    response = tenant.post("device_authorization", {"client_id": "spa", "scope": "openid email", **parameters})
    assert response.status_code == 200, response.text
    codes: dict[str, Any] = response.json()
    return codes


def poll(tenant: World, codes: dict[str, Any], client_id: str = "spa") -> httpx.Response:
    return tenant.post("token", {"grant_type": GRANT, "device_code": codes["device_code"], "client_id": client_id})


def decide(tenant: World, user_code: str, name: str | None, **how: Any) -> None:
    """What the page does."""

    async def settle() -> None:
        provider = tenant.served.provider
        found = await provider.store.tenant(tenant.name)
        assert found is not None
        account = found.accounts[name] if name else None
        await decide_device(provider, found, user_code, account, now=found.clock.now(time.time()), **how)

    tenant.served.run(settle())


def wait(tenant: World, seconds: float) -> None:
    tenant.change(lambda t: setattr(t.clock, "offset", t.clock.offset + seconds))


class TestSection31Request:
    """3.1 and 3.2."""

    def test_the_answer_has_all_its_members(self, device: World) -> None:
        """'device_code', 'user_code', 'verification_uri', 'expires_in' are REQUIRED."""
        codes = begin(device)
        assert codes["verification_uri"] == f"{device.issuer}/device"
        assert codes["verification_uri_complete"] == f"{device.issuer}/device?user_code={codes['user_code']}"
        assert (codes["expires_in"], codes["interval"]) == (600, 5)
        assert len(codes["device_code"]) >= 40

    def test_the_user_code_is_easily_typed(self, device: World) -> None:
        """6.1: 'a case-insensitive set of characters without vowels'."""
        assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", begin(device)["user_code"])

    def test_nobody_stores_it(self, device: World) -> None:
        """3.2."""
        response = device.post("device_authorization", {"client_id": "spa"})
        assert response.headers["cache-control"] == "no-store"

    def test_a_confidential_client_authenticates(self, device: World) -> None:
        """3.1: 'The client authentication requirements of Section 3.2.1 of RFC 6749 apply.'"""
        assert error_of(device.post("device_authorization", {"client_id": "app"})) == "invalid_client"
        assert device.post("device_authorization", {}, auth=("app", "app-secret")).status_code == 200

    def test_it_can_be_switched_off(self, new_tenant: Callable[..., World]) -> None:
        """Then discovery does not name it, and nothing is there."""
        without = new_tenant(grant_types=["authorization_code"])
        assert "device_authorization_endpoint" not in without.get(".well-known/openid-configuration").json()
        assert without.post("device_authorization", {"client_id": "spa"}).status_code == 404

    def test_discovery_names_it(self, device: World) -> None:
        """4: 'device_authorization_endpoint'."""
        found = device.get(".well-known/openid-configuration").json()
        assert found["device_authorization_endpoint"] == f"{device.issuer}/device_authorization"
        assert GRANT in found["grant_types_supported"]

    def test_a_client_may_be_kept_from_it(self, device: World) -> None:
        """RFC 6749, 5.2: unauthorized_client."""
        device.change(lambda t: t.clients.update(web=Client("web", grant_types=["authorization_code"])))
        assert error_of(device.post("device_authorization", {"client_id": "web"})) == "unauthorized_client"


class TestSection35Response:
    """3.4 and 3.5."""

    def test_pending_until_somebody_decides(self, device: World) -> None:
        """'authorization_pending: The authorization request is still pending.'"""
        assert error_of(poll(device, begin(device))) == "authorization_pending"

    def test_asking_too_soon_slows_down(self, device: World) -> None:
        """'slow_down: ... the interval MUST be increased by 5 seconds for this and all subsequent requests.'"""
        codes = begin(device)
        assert error_of(poll(device, codes)) == "authorization_pending"
        assert error_of(poll(device, codes)) == "slow_down"
        wait(device, 6)
        assert error_of(poll(device, codes)) == "slow_down", "ten seconds are agreed now"
        wait(device, 15)
        assert error_of(poll(device, codes)) == "authorization_pending", "then fifteen"

    def test_keeping_the_interval_is_fine(self, device: World) -> None:
        """'the client MUST wait between polling requests'."""
        codes = begin(device)
        for _ in range(3):
            assert error_of(poll(device, codes)) == "authorization_pending"
            wait(device, 5)

    def test_approval_gives_tokens(self, device: World) -> None:
        """'the token endpoint responds with a success response defined in Section 5.1 of RFC 6749'."""
        codes = begin(device)
        assert error_of(poll(device, codes)) == "authorization_pending"
        decide(device, codes["user_code"], "bob", auth_time=1_700_000_000.0, sid="the-session")
        tokens = poll(device, codes).json()
        assert tokens["scope"] == "openid email"
        assert device.userinfo(tokens["access_token"]).json()["email"] == "bob@example.test"
        said = claims(tokens["id_token"])
        assert (said["sub"], said["auth_time"], said["sid"]) == ("bob", 1_700_000_000, "the-session")
        assert "refresh_token" in tokens

    def test_the_code_may_be_typed_carelessly(self, device: World) -> None:
        """6.1: 'SHOULD ... ignore ... punctuation', 'case-insensitive'."""
        codes = begin(device)
        decide(device, f" {codes['user_code'].lower().replace('-', ' ')} ", "bob")
        assert poll(device, codes).status_code == 200

    def test_denial_is_told(self, device: World) -> None:
        """'access_denied: The authorization request was denied.'"""
        codes = begin(device)
        decide(device, codes["user_code"], None)
        assert error_of(poll(device, codes)) == "access_denied"

    def test_expiry_is_told(self, device: World) -> None:
        """'expired_token: The "device_code" has expired.'"""
        codes = begin(device)
        wait(device, 601)
        assert error_of(poll(device, codes)) == "expired_token"

    def test_tokens_come_once(self, device: World) -> None:
        """A code that leaked is worth nothing afterwards."""
        codes = begin(device)
        decide(device, codes["user_code"], "bob")
        assert poll(device, codes).status_code == 200
        assert error_of(poll(device, codes)) == "invalid_grant"

    def test_only_its_own_client_may_ask(self, device: World) -> None:
        """3.4: 'client_id'."""
        codes = begin(device)
        device.change(lambda t: t.clients.update(other=Client("other")))
        assert error_of(poll(device, codes, "other")) == "invalid_grant"

    def test_a_decision_is_final(self, device: World) -> None:
        """5.1: a user code is good once."""
        codes = begin(device)
        decide(device, codes["user_code"], None)
        with pytest.raises(OAuthError, match="used before"):
            decide(device, codes["user_code"], "bob")

    def test_a_made_up_code_is_refused(self, device: World) -> None:
        """RFC 6749, 5.2: invalid_grant."""
        assert error_of(poll(device, {"device_code": "made-up"})) == "invalid_grant"
        assert error_of(device.post("token", {"grant_type": GRANT, "client_id": "spa"})) == "invalid_request"
        with pytest.raises(OAuthError, match="no device shows this code"):
            decide(device, "BBBB-BBBB", "bob")

    def test_where_all_is_approved_nobody_types(self, tenant: World) -> None:
        """A tenant that approves every authorization approves these too."""
        tokens = poll(tenant, begin(tenant)).json()
        assert tenant.userinfo(tokens["access_token"]).json()["sub"] == "alice"

    def test_its_tokens_refresh(self, tenant: World) -> None:
        """Like those of any other person."""
        tokens = poll(tenant, begin(tenant)).json()
        body = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "spa"}
        assert tenant.post("token", body).status_code == 200

    def test_a_fault_named_at_the_start_strikes_at_the_end(self, device: World) -> None:
        """As with the authorization endpoint; and one named at sign-in."""
        codes = begin(device, mock_fault="id-token.aud-wrong")
        decide(device, codes["user_code"], "bob")
        assert claims(poll(device, codes).json()["id_token"])["aud"] != "spa"
        codes = begin(device)
        decide(device, codes["user_code"], "bob", faults=["id-token.aud-wrong"])
        assert claims(poll(device, codes).json()["id_token"])["aud"] != "spa"

    def test_an_unknown_fault_is_told_where_it_is_named(self, device: World) -> None:
        """And not later."""
        response = device.post("device_authorization", {"client_id": "spa", "mock_fault": "token.nonsense"})
        assert error_of(response) == "invalid_request"
