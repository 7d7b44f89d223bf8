"""OpenID Connect Core 1.0, section 3.1.2: authentication requests, and who has to be asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from mock_idp.records import Account
from tests.mock_idp.person import Page, Person
from tests.mock_idp.served import answered, claims, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mock_idp.served import World


@pytest.fixture
def paged(tenant: World) -> World:
    """A tenant whose pages are shown."""
    tenant.change(lambda t: setattr(t.settings, "auto_approve", None))
    return tenant


@pytest.fixture
def person(paged: World) -> Iterator[Person]:
    """Somebody who is not signed in yet."""
    with Person(paged) as somebody:
        yield somebody


def id_token(world: World, response: Any) -> dict[str, Any]:
    """The ID Token that the code of a response is good for."""
    return claims(world.redeem(answered(response)["code"]).json()["id_token"])


def advance(world: World, seconds: float) -> None:
    world.change(lambda t: setattr(t.clock, "offset", t.clock.offset + seconds))


class TestSection3121Request:
    """3.1.2.1."""

    def test_the_redirect_uri_is_required(self, tenant: World) -> None:
        """'redirect_uri: REQUIRED.'"""
        assert tenant.authorize(redirect_uri=None).status_code == 400

    def test_without_openid_there_is_no_id_token(self, tenant: World) -> None:
        """'If the openid scope value is not present, the behavior is entirely unspecified': plain OAuth here."""
        assert "id_token" not in tenant.tokens(scope="profile")

    def test_the_nonce_is_passed_through_unmodified(self, tenant: World) -> None:
        """'The value is passed through unmodified from the Authentication Request to the ID Token.'"""
        nonce = "ü+/ %41"
        assert claims(tenant.tokens(nonce=nonce)["id_token"])["nonce"] == nonce

    @pytest.mark.parametrize("prompt", ["none login", "none none", "sometimes", "login magic"])
    def test_prompts_that_make_no_sense_are_refused(self, tenant: World, prompt: str) -> None:
        """'If this parameter contains none with any other value, an error is returned.'"""
        assert error_of(tenant.authorize(prompt=prompt)) == "invalid_request"

    @pytest.mark.parametrize("max_age", ["-1", "1.5", "soon", "٣", "9" * 40])
    def test_max_age_is_a_number_of_seconds(self, tenant: World, max_age: str) -> None:
        """'Specifies the allowable elapsed time in seconds.'"""
        assert error_of(tenant.authorize(max_age=max_age)) == "invalid_request"

    def test_ui_locales_and_display_never_harm(self, tenant: World) -> None:
        """'An error SHOULD NOT result if some or all of the requested locales are not supported.'"""
        assert "code" in answered(tenant.authorize(ui_locales="tlh fr-CA", display="popup", claims_locales="fr"))

    def test_a_login_hint_is_filled_in(self, person: Person) -> None:
        """A hint 'about the login identifier the End-User might use to log in'."""
        page = Page(person.authorize(login_hint='zoe"@example.test'))
        assert ("name", 'zoe"@example.test') in page.form.fields


class TestSection3123Authentication:
    """3.1.2.3."""

    def test_nobody_is_asked_twice(self, paged: World, person: Person) -> None:
        """A session lasts from one login to the next."""
        first = id_token(paged, person.sign_in())
        second = id_token(paged, person.authorize())
        assert (first["sub"], first["sid"], first["auth_time"]) == (second["sub"], second["sid"], second["auth_time"])

    def test_the_cookie_is_not_what_clients_learn(self, paged: World, person: Person) -> None:
        """Whoever reads an ID Token could otherwise sign in as its subject."""
        told = id_token(paged, person.sign_in())
        assert told["sid"] not in str(person.http.cookies)

    def test_prompt_none_shows_no_page(self, person: Person) -> None:
        """'MUST NOT display any authentication or consent user interface pages.'"""
        assert error_of(person.authorize(prompt="none")) == "login_required"
        person.sign_in()
        assert "code" in answered(person.authorize(prompt="none"))

    def test_prompt_login_asks_again(self, paged: World, person: Person) -> None:
        """'SHOULD prompt the End-User for reauthentication.'"""
        before = id_token(paged, person.sign_in())["auth_time"]
        advance(paged, 100)
        page = person.authorize(prompt="login")
        assert page.status_code == 200
        assert id_token(paged, person.choose(page, "alice"))["auth_time"] >= before + 100

    def test_prompt_select_account_asks_which(self, paged: World, person: Person) -> None:
        """'SHOULD prompt the End-User to select a user account.'"""
        person.sign_in("alice")
        page = person.authorize(prompt="select_account")
        assert id_token(paged, person.choose(page, "bob"))["sub"] == "bob"

    def test_max_age_asks_again_when_it_is_over(self, paged: World, person: Person) -> None:
        """'If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate.'"""
        person.sign_in()
        assert answered(person.authorize(max_age=60))
        advance(paged, 61)
        assert person.authorize(max_age=60).status_code == 200
        assert error_of(person.authorize(max_age=60, prompt="none")) == "login_required"
        assert answered(person.authorize(max_age=600))

    def test_max_age_zero_is_prompt_login(self, person: Person) -> None:
        """'Note that max_age=0 is equivalent to prompt=login.'"""
        person.sign_in()
        assert person.authorize(max_age=0).status_code == 200

    def test_auth_time_is_there_when_max_age_is(self, paged: World, person: Person) -> None:
        """'When max_age is used, the ID Token returned MUST include an auth_time Claim Value.'"""
        assert abs(id_token(paged, person.sign_in(max_age=60))["auth_time"] - time.time()) < 60

    def test_sessions_end(self, paged: World, person: Person) -> None:
        """After their lifetime, by the tenant's clock."""
        person.sign_in()
        advance(paged, 12 * 3600 + 1)
        assert error_of(person.authorize(prompt="none")) == "login_required"

    def test_auto_approval_can_be_refreshed_too(self, tenant: World) -> None:
        """A tenant without pages has somebody who signs in at once."""
        assert abs(claims(tenant.tokens(max_age=0, prompt="login")["id_token"])["auth_time"] - time.time()) < 60

    def test_auto_approval_keeps_the_session_of_a_browser(self, tenant: World) -> None:
        """So that several clients share one, and logout reaches them all."""
        with Person(tenant) as somebody:
            first, second = (id_token(tenant, somebody.authorize()) for _ in range(2))
            third = id_token(tenant, somebody.authorize(login_hint="bob"))
        assert first["sid"] == second["sid"] != third["sid"]
        assert third["sub"] == "bob"

    def test_a_login_hint_may_be_an_address(self, tenant: World) -> None:
        """The account that has it is meant."""
        tenant.change(lambda t: t.accounts.update(zoe=Account("zoe", claims={"email": "z@example.test"})))
        assert claims(tenant.tokens(login_hint="z@example.test")["id_token"])["sub"] == "zoe"


class TestSection3122IdTokenHint:
    """3.1.2.1 and 3.1.2.2."""

    def hint(self, world: World, account: str) -> str:
        with Person(world) as somebody:
            token: str = world.redeem(answered(somebody.sign_in(account))["code"]).json()["id_token"]
            return token

    def test_the_one_it_names_may_go_on(self, paged: World, person: Person) -> None:
        """Whom the hint names, and who is signed in, gets 'a positive response'."""
        person.sign_in("alice")
        assert answered(person.authorize(id_token_hint=self.hint(paged, "alice"), prompt="none"))["code"]

    def test_somebody_else_may_not(self, paged: World, person: Person) -> None:
        """Otherwise there is 'an error, such as login_required'."""
        person.sign_in("alice")
        hint = self.hint(paged, "bob")
        assert error_of(person.authorize(id_token_hint=hint, prompt="none")) == "login_required"
        assert error_of(person.choose(person.authorize(id_token_hint=hint), "carol")) == "login_required"
        assert id_token(paged, person.choose(person.authorize(id_token_hint=hint), "bob"))["sub"] == "bob"

    def test_an_expired_one_still_says_who(self, paged: World, person: Person) -> None:
        """It is a hint about somebody, no proof of a recent sign-in."""
        hint = self.hint(paged, "alice")
        advance(paged, 7200)
        person.sign_in("alice")
        assert answered(person.authorize(id_token_hint=hint, prompt="none"))["code"]

    @pytest.mark.parametrize("hint", ["garbage", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."])
    def test_what_this_issuer_never_signed_is_refused(self, person: Person, hint: str) -> None:
        """'ID Token previously issued by the Authorization Server being passed as a hint.'"""
        assert error_of(person.authorize(id_token_hint=hint)) == "invalid_request"

    def test_it_chooses_who_is_approved_at_once(self, tenant: World) -> None:
        """In a tenant without pages."""
        hint = tenant.tokens(login_hint="bob")["id_token"]
        assert claims(tenant.tokens(id_token_hint=hint)["id_token"])["sub"] == "bob"


class TestSection3124Consent:
    """3.1.2.4."""

    def test_prompt_consent_asks(self, paged: World, person: Person) -> None:
        """'SHOULD prompt the End-User for consent before returning information to the Client.'"""
        page = person.sign_in(prompt="consent")
        assert page.status_code == 200
        assert "Allow app?" in Page(page).text
        assert id_token(paged, person.send(page))["sub"] == "alice"

    @pytest.mark.parametrize("where", ["tenant", "client"])
    def test_tenant_or_client_ask(self, paged: World, person: Person, where: str) -> None:
        """Every time, by setting."""
        paged.change(lambda t: setattr(t.settings if where == "tenant" else t.clients["app"], "consent", True))
        person.send(person.sign_in())
        assert "Allow app?" in Page(person.authorize()).text

    def test_prompt_none_cannot_ask(self, paged: World, person: Person) -> None:
        """3.1.2.6: consent_required."""
        paged.change(lambda t: setattr(t.settings, "consent", True))
        person.sign_in()
        assert error_of(person.authorize(prompt="none")) == "consent_required"

    def test_no_is_an_error_response(self, person: Person) -> None:
        """3.1.2.6, and RFC 6749, 4.1.2.1: access_denied."""
        response = person.send(person.sign_in(prompt="consent"), ("action", "deny"))
        assert (error_of(response), answered(response)["state"]) == ("access_denied", "the-state")

    def test_what_is_unticked_is_not_granted(self, paged: World, person: Person) -> None:
        """RFC 6749, 3.3: 'fully or partially ignore the scope requested', and says so."""
        page = Page(person.sign_in(prompt="consent"))
        response = person.http.post(page.form.action, data={**dict(page.form.fields), "scope": "email"})
        tokens = paged.redeem(answered(response)["code"]).json()
        assert tokens["scope"] == "openid email"
        assert "name" not in claims(tokens["id_token"])

    def test_a_session_that_ended_meanwhile_consents_to_nothing(self, paged: World, person: Person) -> None:
        """Sign-out in another tab."""
        page = person.sign_in(prompt="consent")
        with Person(paged) as other:
            other.http.cookies = person.http.cookies
            other.send(other.get("logout"), ("action", "sign-out"))
        assert error_of(person.send(page)) == "login_required"


class TestSection55AuthenticationContext:
    """5.5.1.1, 3.1.2.1 and RFC 9470: acr."""

    def test_what_is_asked_for_is_reached_and_told(self, tenant: World) -> None:
        """'Requested Authentication Context Class Reference values ... in order of preference.'"""
        assert claims(tenant.tokens(acr_values="gold 1 0")["id_token"])["acr"] == "1"

    def test_it_is_voluntary(self, tenant: World) -> None:
        """'The acr Claim is requested as a Voluntary Claim by this parameter.'"""
        assert claims(tenant.tokens(acr_values="gold")["id_token"])["acr"] == "0"

    def test_nobody_asks_nobody_is_told(self, tenant: World) -> None:
        """acr is optional in ID Tokens (section 2)."""
        assert "acr" not in claims(tenant.tokens()["id_token"])

    @pytest.mark.parametrize("wanted", ['{"essential":true,"value":"gold"}', '{"essential":true,"values":["gold"]}'])
    def test_an_essential_one_out_of_reach_is_a_failure(self, tenant: World, wanted: str) -> None:
        """'The Authorization Server MUST treat that outcome as a failed authentication attempt.'"""
        response = tenant.authorize(claims=f'{{"id_token":{{"acr":{wanted}}}}}')
        assert error_of(response) == "unmet_authentication_requirements"

    def test_an_essential_one_within_reach_is_told(self, tenant: World) -> None:
        """'MUST return an acr Claim Value that matches one of the requested values.'"""
        wanted = '{"id_token":{"acr":{"essential":true,"values":["gold","1"]}}}'
        assert claims(tenant.tokens(claims=wanted)["id_token"])["acr"] == "1"

    def test_a_session_that_reached_less_steps_up(self, paged: World, person: Person) -> None:
        """RFC 9470, section 5: the person authenticates anew, and better."""
        person.sign_in()
        assert error_of(person.authorize(acr_values="1", prompt="none")) == "login_required"
        page = person.authorize(acr_values="1")
        assert id_token(paged, person.choose(page, "alice"))["acr"] == "1"
        assert id_token(paged, person.authorize(acr_values="1", prompt="none"))["acr"] == "1"


class TestSection55Claims:
    """5.5."""

    def test_single_claims_go_where_they_are_asked_for(self, tenant: World) -> None:
        """'Requests that the listed individual Claims be returned from the UserInfo Endpoint', or in the ID Token."""
        wanted = '{"id_token":{"email":null},"userinfo":{"name":{"essential":true}}}'
        tokens = tenant.tokens(scope="openid", claims=wanted)
        assert claims(tokens["id_token"])["email"] == "alice@example.test"
        assert "name" not in claims(tokens["id_token"])
        told = tenant.userinfo(tokens["access_token"]).json()
        assert (told["name"], "email" in told) == ("Alice", False)

    @pytest.mark.parametrize("text", ["{", "[]", "7", '{"id_token":[]}', '{"userinfo":{"name":true}}', "[" * 5000])
    def test_what_is_no_object_of_objects_is_refused(self, tenant: World, text: str) -> None:
        """'The value is a JSON object listing the requested Claims.'"""
        assert error_of(tenant.authorize(claims=text)) == "invalid_request"

    def test_what_is_not_understood_is_ignored(self, tenant: World) -> None:
        """'Any members used that are not understood MUST be ignored.'"""
        assert "code" in answered(tenant.authorize(claims='{"elsewhere":7,"id_token":{"shoe_size":{"magic":1}}}'))

    def test_a_subject_asked_for_has_to_sign_in(self, person: Person) -> None:
        """3.1.2.2: 'if the End-User identified by that sub value has an active session', and only then."""
        wanted = '{"id_token":{"sub":{"value":"bob"}}}'
        person.sign_in("alice")
        assert error_of(person.authorize(claims=wanted, prompt="none")) == "login_required"
        assert "code" in answered(person.choose(person.authorize(claims=wanted), "bob"))


class TestTwoLoginsInOneBrowser:
    """Each keeps its own state, nonce and redirect URI."""

    def test_the_second_page_may_be_answered_first(self, paged: World, person: Person) -> None:
        """And the first one afterwards."""
        first, second = person.authorize(state="one", nonce="n1"), person.authorize(state="two", nonce="n2")
        later, earlier = person.choose(second, "bob"), person.choose(first, "alice")
        assert (answered(later)["state"], answered(earlier)["state"]) == ("two", "one")
        assert id_token(paged, later)["nonce"] == "n2"
        assert id_token(paged, earlier)["sub"] == "alice"

    def test_a_page_waits_only_so_long(self, paged: World, person: Person) -> None:
        """By the tenant's clock; then it says so, and sends nothing anywhere."""
        page = person.authorize()
        advance(paged, 3600)
        response = person.choose(page, "alice")
        assert response.status_code == 400
        assert "waited too long" in Page(response).text
