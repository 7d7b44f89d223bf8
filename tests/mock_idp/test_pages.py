"""The pages without a browser: they work without scripts, escape everything, and say what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from mock_idp.pages.sources import link_to
from mock_idp.records import Account
from tests.mock_idp.person import Page, Person
from tests.mock_idp.served import answered, claims, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from mock_idp.records import Tenant
    from tests.mock_idp.served import World

MARKUP = "\"><script>alert(1)</script>'<b>"


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


def subject(world: World, response: httpx.Response) -> Any:
    return claims(world.redeem(answered(response)["code"]).json()["id_token"])["sub"]


class TestSignIn:
    """The sign-in page."""

    def test_it_says_that_it_is_a_mock_and_whose(self, paged: World, person: Person) -> None:
        """As does every page."""
        paged.change(lambda t: setattr(t.clients["app"], "name", "Photo Album"))
        text = Page(person.authorize()).text
        assert "Mock provider" in text
        assert "Photo Album" in text
        assert paged.name in text

    def test_every_account_has_a_button(self, paged: World, person: Person) -> None:
        """The usual people, and those that were configured."""
        paged.change(lambda t: t.accounts.update({MARKUP: Account(MARKUP)}))
        page = person.authorize()
        names = [value for name, value in Page(page).form.buttons if name == "account"]
        assert names == ["alice", "bob", "carol", MARKUP]
        assert subject(paged, person.choose(page, MARKUP)) == MARKUP

    def test_a_name_may_be_typed(self, paged: World, person: Person) -> None:
        """Who is new here becomes an account."""
        assert subject(paged, person.send(person.authorize(), name=" zoe ")) == "zoe"
        assert "zoe" in Page(person.authorize(prompt="login")).text

    def test_a_strict_tenant_knows_its_people(self, paged: World, person: Person) -> None:
        """And says so on the page, instead of sending the mistake to the client."""
        paged.change(lambda t: setattr(t.settings, "strict", True))
        page = person.send(person.authorize(), name="zoe")
        assert "there is no account 'zoe'" in Page(page).text
        assert subject(paged, person.choose(page, "bob")) == "bob"

    def test_an_empty_form_is_shown_again(self, paged: World, person: Person) -> None:
        """With what was missing."""
        page = person.send(person.authorize())
        assert "Choose an account, or type a name" in Page(page).text
        assert subject(paged, person.choose(page, "bob")) == "bob"

    def test_no_can_be_said(self, person: Person) -> None:
        """The client hears of it."""
        response = person.send(person.authorize(), ("action", "deny"))
        assert (error_of(response), answered(response)["state"]) == ("access_denied", "the-state")

    def test_a_password_is_asked_for_where_there_is_one(self, paged: World, person: Person) -> None:
        """Until it is right."""
        paged.change(lambda t: t.accounts.update(dave=Account("dave", password="opens<ame")))
        page = person.choose(person.authorize(), "dave")
        assert "Password of dave" in Page(page).text
        assert "is wrong" not in Page(page).text
        page = person.send(page, password="other")
        assert "is wrong" in Page(page).text
        assert subject(paged, person.send(page, password="opens<ame")) == "dave"

    def test_a_password_may_be_left_at_that(self, paged: World, person: Person) -> None:
        """Denied."""
        paged.change(lambda t: t.accounts.update(dave=Account("dave", password="p")))
        page = Page(person.choose(person.authorize(), "dave"))
        denial = {**dict(page.forms[1].fields), "action": "deny"}
        assert error_of(person.http.post(page.forms[1].action, data=denial)) == "access_denied"

    def test_a_password_page_keeps_the_faults(self, paged: World, person: Person) -> None:
        """That were ticked before it."""
        paged.change(lambda t: t.accounts.update(dave=Account("dave", password="p")))
        page = person.choose(person.authorize(), "dave", "authorization.state-missing")
        assert "state" not in answered(person.send(page, password="p"))


class TestFaultsOnTheSignInPage:
    """Every fault of a login is a box to tick."""

    def test_all_of_them_are_there(self, paged: World, person: Person) -> None:
        """But those of whole tenants."""
        faults = paged.served.provider.faults.FAULTS.values()
        text = person.authorize().text
        for fault in faults:
            assert (f'value="{fault.name}"' in text) is not fault.of_tenant

    def test_several_can_be_ticked(self, person: Person) -> None:
        """And an account chosen with them."""
        response = person.choose(person.authorize(), "bob", "authorization.state-missing", "authorization.iss-missing")
        assert {*answered(response)} == {"code"}

    def test_ticks_alone_are_enough(self, paged: World, person: Person) -> None:
        """Then anybody signs in."""
        response = person.send(person.authorize(), ("fault", "id-token.aud-wrong"), ("action", "with-faults"))
        told = claims(paged.redeem(answered(response)["code"]).json()["id_token"])
        assert (told["sub"], told["aud"]) == ("alice", "another-client")

    def test_they_may_be_typed(self, paged: World, person: Person) -> None:
        """As tests do."""
        response = person.send(person.authorize(), name="fault:id-token.aud-wrong+authorization.iss-missing:bob")
        assert "iss" not in answered(response)
        assert subject(paged, response) == "bob"

    def test_one_may_take_a_value(self, person: Person) -> None:
        """In the field beside its box."""
        page = person.authorize()
        typed = {"value:authorization.state-duplicate": "wrong-first"}
        response = person.send(page, ("account", "bob"), ("fault", "authorization.state-duplicate"), **typed)
        states = [pair for pair in urlsplit(response.headers["location"]).query.split("&") if pair.startswith("state=")]
        assert len(states) == 2
        assert states[1] == "state=the-state"

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("fault:id-token.aud-wron", "did you mean id-token.aud-wrong?"),
            ("fault:id-token.aud-wrong+id-token.aud-missing", "replace the same step"),
        ],
    )
    def test_those_that_cannot_be_are_said_on_the_page(self, person: Person, name: str, problem: str) -> None:
        """And nothing is sent to the client."""
        page = person.send(person.authorize(), name=name)
        assert page.status_code == 200
        assert problem in Page(page).text

    def test_they_last_as_long_as_the_session(self, person: Person) -> None:
        """Who signed in with a fault is known with it."""
        person.choose(person.authorize(), "bob", "authorization.state-missing")
        assert "state" not in answered(person.authorize())


class TestEveryPage:
    """Escaping, and what pages may load."""

    def pages(self, world: World, person: Person) -> dict[str, httpx.Response]:
        """All pages, with markup wherever a stranger can put some."""

        def edit(found: Tenant) -> None:
            found.clients["app"].name = MARKUP
            found.clients["app"].frontchannel_logout_uri = f"https://app.example/{MARKUP}"
            found.accounts[MARKUP] = Account(MARKUP, claims={"email": MARKUP, "name": MARKUP}, password="p")

        world.change(edit)
        hint = {"login_hint": MARKUP, "scope": "openid <b>"}
        consent = person.choose(person.authorize(prompt="consent"), "alice")
        return {
            "sign-in": person.authorize(prompt="login", **hint),
            "problem": person.send(person.authorize(prompt="login"), name=f"fault:{MARKUP}"),
            "password": person.choose(person.authorize(prompt="login"), MARKUP),
            "consent": consent,
            "error": person.authorize(redirect_uri=f"https://evil.example/{MARKUP}", state=MARKUP),
            "form-post": person.authorize(response_mode="form_post", state=MARKUP),
            "device": person.get("device", user_code=MARKUP),
            "sign-out": person.get("logout", client_id="app"),
            "signed-out": person.send(person.get("logout"), ("action", "sign-out")),
        }

    def test_nothing_comes_back_as_markup(self, paged: World, person: Person) -> None:
        """Whatever anybody sends or configures."""
        for name, response in self.pages(paged, person).items():
            page = Page(response)
            assert "<script>alert" not in response.text, name
            assert page.scripts <= 1, name

    def test_nothing_is_loaded_from_elsewhere(self, paged: World, person: Person) -> None:
        """One page, one request; and a policy that says so."""
        for name, response in self.pages(paged, person).items():
            assert {*Page(response).loaded} <= {"data:,"}, name
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'"), name
            assert "unsafe" not in policy, name
            assert response.headers["cache-control"] == "no-store", name
            assert response.headers["referrer-policy"] == "no-referrer", name

    def test_every_page_says_that_it_is_a_mock_and_of_which_tenant(self, paged: World, person: Person) -> None:
        """So that nobody takes it for the real thing."""
        for name, response in self.pages(paged, person).items():
            text = Page(response).text
            assert "Mock provider" in text, name
            assert f"tenant {paged.name}" in text, name


class TestError:
    """The error page."""

    def test_it_says_what_is_wrong_and_where_that_stands(self, person: Person) -> None:
        """With a link."""
        page = Page(person.authorize(redirect_uri="https://evil.example/"))
        assert "redirect_uri 'https://evil.example/' is not registered for client 'app'" in page.text
        assert page.links == ["https://www.rfc-editor.org/rfc/rfc9700#section-2.1"]

    def test_it_shows_what_was_sent_but_no_secrets(self, person: Person) -> None:
        """Some put them into URLs."""
        text = Page(person.authorize(redirect_uri="https://evil.example/", client_secret="hush", nonce="seen")).text
        assert "seen" in text
        assert "hush" not in text

    @pytest.mark.parametrize(
        ("source", "link"),
        [
            ("RFC 6749, section 4.1.2.1", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"),
            ("RFC 9126", "https://www.rfc-editor.org/rfc/rfc9126"),
            (
                "OpenID Connect Core 1.0, section 3.1.2.1",
                "https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.3.1.2.1",
            ),
            (
                "OpenID Connect RP-Initiated Logout 1.0, section 3",
                "https://openid.net/specs/openid-connect-rpinitiated-1_0.html#rfc.section.3",
            ),
            ("", None),
            ("common sense", None),
        ],
    )
    def test_links(self, source: str, link: str | None) -> None:
        """To the section itself."""
        assert link_to(source) == link


class TestDevice:
    """The page on which a device is connected (RFC 8628, section 3.3)."""

    def begin(self, world: World, **parameters: str) -> dict[str, Any]:
        response = world.post("device_authorization", {"client_id": "spa", "scope": "openid", **parameters})
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    def poll(self, world: World, begun: dict[str, Any]) -> httpx.Response:
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return world.post("token", {"grant_type": grant, "device_code": begun["device_code"], "client_id": "spa"})

    def test_the_code_is_typed_and_somebody_signs_in(self, paged: World, person: Person) -> None:
        """3.3: 'enter the end-user code'."""
        begun = self.begin(paged)
        page = person.http.get(begun["verification_uri"])
        assert "Type the code" in Page(page).text
        done = person.send(page, ("account", "bob"), user_code=begun["user_code"].lower())
        assert "goes on as bob" in Page(done).text
        assert claims(self.poll(paged, begun).json()["id_token"])["sub"] == "bob"

    def test_the_link_holds_the_code(self, paged: World, person: Person) -> None:
        """3.3.1: 'display the user_code to the user and ask them to verify that it matches'."""
        begun = self.begin(paged)
        page = person.http.get(begun["verification_uri_complete"])
        assert "spa asks for openid" in Page(page).text
        assert ("user_code", begun["user_code"]) in Page(page).form.fields
        person.send(page, ("account", "carol"))
        assert self.poll(paged, begun).status_code == 200

    def test_no_can_be_said(self, paged: World, person: Person) -> None:
        """3.5: access_denied."""
        begun = self.begin(paged)
        page = person.send(person.http.get(begun["verification_uri_complete"]), ("action", "deny"))
        assert "Denied" in Page(page).text
        assert error_of(self.poll(paged, begun)) == "access_denied"

    def test_a_wrong_code_is_asked_for_again(self, person: Person) -> None:
        """And nothing is decided."""
        page = person.send(person.get("device"), ("account", "bob"), user_code="XXXX-XXXX")
        assert "no device shows this code" in Page(page).text

    def test_a_code_is_decided_about_once(self, paged: World, person: Person) -> None:
        """5.1."""
        page = person.http.get(self.begin(paged)["verification_uri_complete"])
        person.send(page, ("account", "bob"))
        assert "used before" in Page(person.send(page, ("account", "carol"))).text

    def test_nobody_chosen_nobody_connected(self, paged: World, person: Person) -> None:
        """The page is shown again."""
        page = person.send(person.http.get(self.begin(paged)["verification_uri_complete"]))
        assert "Choose an account" in Page(page).text

    def test_faults_can_be_ticked_here_too(self, paged: World, person: Person) -> None:
        """They strike when the device asks for its tokens."""
        begun = self.begin(paged)
        person.choose(person.http.get(begun["verification_uri_complete"]), "bob", "id-token.aud-wrong")
        assert claims(self.poll(paged, begun).json()["id_token"])["aud"] == "another-client"

    def test_a_password_is_asked_for(self, paged: World, person: Person) -> None:
        """As at any sign-in."""
        paged.change(lambda t: t.accounts.update(dave=Account("dave", password="p")))
        begun = self.begin(paged)
        page = person.choose(person.http.get(begun["verification_uri_complete"]), "dave")
        assert "connected" in Page(person.send(page, password="p")).text
        assert self.poll(paged, begun).status_code == 200
