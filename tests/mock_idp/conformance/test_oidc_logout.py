"""OpenID Connect RP-Initiated, Back-Channel and Front-Channel Logout 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest

from mock_idp.protocol.logout import send_logout
from mock_idp.records import Client
from tests.mock_idp.person import Listener, Page, Person
from tests.mock_idp.served import REDIRECT_URI, answered, claims, error_of, header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_idp.records import Tenant
    from tests.mock_idp.served import World

RETURN = "https://app.example/signed-out?keep=me"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def paged(tenant: World) -> World:
    """A tenant whose pages are shown, and a client that may send people back to itself."""

    def edit(found: Tenant) -> None:
        found.settings.auto_approve = None
        found.clients["app"].post_logout_redirect_uris.append(RETURN)
        found.clients["other"] = Client("other", secret="other-secret", redirect_uris=[REDIRECT_URI])

    tenant.change(edit)
    return tenant


@pytest.fixture
def person(paged: World) -> Iterator[Person]:
    """Somebody who is not signed in yet."""
    with Person(paged) as somebody:
        yield somebody


def tokens(world: World, person: Person, client: str = "app", **parameters: Any) -> dict[str, Any]:
    """The tokens of a client after alice has signed in, or went on as she was."""
    response = person.authorize(client_id=client, **parameters)
    response = person.choose(response, "alice") if response.status_code == 200 else response
    found: dict[str, Any] = world.redeem(answered(response)["code"], auth=(client, f"{client}-secret")).json()
    return found


def signed_in(person: Person) -> bool:
    return person.authorize(prompt="none", state="?").headers["location"].find("error=") < 0


class TestRpInitiated2Request:
    """RP-Initiated Logout 1.0, section 2."""

    def test_with_a_hint_nobody_is_asked(self, paged: World, person: Person) -> None:
        """'id_token_hint: RECOMMENDED', and the session ends."""
        hint = tokens(paged, person)["id_token"]
        response = person.get("logout", id_token_hint=hint)
        assert "You are signed out" in Page(response).text
        assert not signed_in(person)

    def test_post_is_taken(self, paged: World, person: Person) -> None:
        """'MUST support the use of the HTTP GET and POST methods.'"""
        hint = tokens(paged, person)["id_token"]
        person.http.post(f"{paged.issuer}/logout", data={"id_token_hint": hint})
        assert not signed_in(person)

    def test_an_expired_hint_is_taken(self, paged: World, person: Person) -> None:
        """'The OP SHOULD accept ID Tokens ... even when the exp time has passed.'"""
        hint = tokens(paged, person)["id_token"]
        paged.change(lambda t: setattr(t.clock, "offset", 7200.0))
        assert "You are signed out" in person.get("logout", id_token_hint=hint).text

    def test_a_hint_that_nobody_signed_is_refused(self, person: Person) -> None:
        """'ID Token previously issued by the OP to the RP.'"""
        assert person.get("logout", id_token_hint="x.y.z").status_code == 400

    def test_a_client_that_is_not_the_hints_is_refused(self, paged: World, person: Person) -> None:
        """'The OP MUST verify that the Client Identifier matches the one used when issuing the ID Token.'"""
        hint = tokens(paged, person)["id_token"]
        assert person.get("logout", id_token_hint=hint, client_id="spa").status_code == 400
        assert signed_in(person)

    def test_without_a_hint_the_person_is_asked(self, paged: World, person: Person) -> None:
        """'MUST ask the End-User this question if an id_token_hint was not provided.'"""
        tokens(paged, person)
        page = person.get("logout")
        assert "Sign out, alice?" in Page(page).text
        assert signed_in(person)
        assert "You are still signed in" in person.send(page, ("action", "stay")).text
        assert signed_in(person)
        assert "You are signed out" in person.send(page, ("action", "sign-out")).text
        assert not signed_in(person)

    def test_an_answer_counts_for_the_session_that_was_asked_about(self, paged: World, person: Person) -> None:
        """Nobody signs out another browser with a form of his own."""
        tokens(paged, person)
        with Person(paged) as other:
            tokens(paged, other)
            form = dict(Page(other.get("logout")).form.fields)
        response = person.http.post(f"{paged.issuer}/sign-out", data={**form, "action": "sign-out"})
        assert response.status_code == 400
        assert signed_in(person)

    def test_a_hint_of_somebody_else_asks_too(self, paged: World, person: Person) -> None:
        """'or if the supplied ID Token does not belong to the current OP session'."""
        with Person(paged) as other:
            hint = tokens(paged, other)["id_token"]
        tokens(paged, person)
        assert "somebody else is signed in" in Page(person.get("logout", id_token_hint=hint)).text

    def test_a_browser_without_cookies_is_known_by_the_hint(self, paged: World, person: Person) -> None:
        """'sid' says which session it is."""
        hint = tokens(paged, person)["id_token"]
        paged.get("logout", params={"id_token_hint": hint})
        assert not signed_in(person)

    def test_tenants_without_pages_ask_nobody(self, tenant: World) -> None:
        """Auto-approval goes both ways."""
        with Person(tenant) as somebody:
            somebody.authorize()
            assert "You are signed out" in somebody.get("logout").text

    def test_whoever_is_not_signed_in_is_signed_out(self, person: Person) -> None:
        """Nothing to end is no error."""
        assert person.get("logout").status_code == 200

    def test_the_cookie_goes(self, paged: World, person: Person) -> None:
        """On the same path as it was set."""
        hint = tokens(paged, person)["id_token"]
        assert "Max-Age=0" in person.get("logout", id_token_hint=hint).headers["set-cookie"]
        assert not person.http.cookies


class TestRpInitiated3Redirection:
    """RP-Initiated Logout 1.0, section 3."""

    def test_back_to_the_application_with_its_state(self, paged: World, person: Person) -> None:
        """'The OP passes this value back ... using the state parameter', exactly."""
        hint = tokens(paged, person)["id_token"]
        response = person.get("logout", id_token_hint=hint, post_logout_redirect_uri=RETURN, state="a b+/")
        assert response.status_code == 303
        assert response.headers["location"].startswith(RETURN + "&state=")
        assert dict(parse_qsl(urlsplit(response.headers["location"]).query)) == {"keep": "me", "state": "a b+/"}

    def test_also_after_the_question(self, paged: World, person: Person) -> None:
        """With client_id in the place of a hint."""
        tokens(paged, person)
        page = person.get("logout", client_id="app", post_logout_redirect_uri=RETURN, state="s")
        assert person.send(page, ("action", "sign-out")).headers["location"] == RETURN + "&state=s"

    @pytest.mark.parametrize("uri", ["https://app.example/signed-out", RETURN + "x", "javascript:alert(1)", "//x"])
    def test_nowhere_else(self, paged: World, person: Person, uri: str) -> None:
        """'MUST have been previously registered with the OP', character by character."""
        hint = tokens(paged, person)["id_token"]
        response = person.get("logout", id_token_hint=hint, post_logout_redirect_uri=uri)
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert signed_in(person)

    def test_nowhere_where_nobody_says_whose_it_is(self, person: Person) -> None:
        """Neither id_token_hint nor client_id."""
        assert person.get("logout", post_logout_redirect_uri=RETURN).status_code == 400

    def test_a_leniency_lets_it_pass(self, paged: World, person: Person) -> None:
        """And the journal says so."""
        paged.change(lambda t: t.clients["app"].lenient.append("post-logout-uri-unregistered"))
        response = person.get("logout", client_id="app", post_logout_redirect_uri="https://elsewhere.example/")
        assert response.headers["location"] == "https://elsewhere.example/"
        assert paged.journal()[-1].lenient == ["post-logout-uri-unregistered"]

    def test_clients_nobody_registered_return_to_loopback(self, person: Person) -> None:
        """As their redirect URIs."""
        asked = {"client_id": "nobody-knows", "post_logout_redirect_uri": "http://localhost:1/"}
        assert person.get("logout", **asked).status_code == 303
        asked["post_logout_redirect_uri"] = "https://evil.example/"
        assert person.get("logout", **asked).status_code == 400

    def test_metadata(self, tenant: World) -> None:
        """2.1, and the logout specifications' own."""
        metadata = tenant.get(".well-known/openid-configuration").json()
        assert metadata["end_session_endpoint"] == f"{tenant.issuer}/logout"
        for name in ("backchannel", "frontchannel"):
            assert metadata[f"{name}_logout_supported"] is metadata[f"{name}_logout_session_supported"] is True


class TestBackChannel2:
    """Back-Channel Logout 1.0, section 2."""

    def register(self, world: World, listener: Listener, *clients: str) -> None:
        def edit(found: Tenant) -> None:
            for client in clients or ("app",):
                found.clients[client].backchannel_logout_uri = f"{listener.url}/{client}"

        world.change(edit)

    def test_every_client_of_the_session_is_told(self, paged: World, person: Person) -> None:
        """2.3: all that take part in the session, and nobody else."""
        with Listener() as listener:
            self.register(paged, listener, "app", "other", "spa")
            first, second = tokens(paged, person), tokens(paged, person, "other")
            with Person(paged) as another:
                tokens(paged, another)
            person.get("logout", id_token_hint=first["id_token"])
            told = [claims(form["logout_token"][0]) for form in listener.received]
        assert sorted(token["aud"] for token in told) == ["app", "other"]
        assert {token["sid"] for token in told} == {claims(second["id_token"])["sid"]}

    @pytest.mark.parametrize("alg", ["RS256", "ES256", "PS256", "EdDSA"])
    def test_the_logout_token(self, tenant: World, alg: str) -> None:
        """2.4, claim by claim, and 2.6: verified as a client would."""
        world = tenant.served.tenant(signing_alg=alg)
        with Listener() as listener, world.http, Person(world) as somebody:
            self.register(world, listener)
            hint = tokens(world, somebody)["id_token"]
            somebody.get("logout", id_token_hint=hint)
            token = listener.received[0]["logout_token"][0]
            keys = jwt.PyJWKSet.from_dict(world.get("jwks").json())
        read = jwt.decode(token, keys[header(token)["kid"]].key, algorithms=[alg], audience="app", issuer=world.issuer)
        assert {*read} == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}
        assert read["events"] == {EVENT: {}}
        assert (read["sub"], read["sid"]) == ("alice", claims(hint)["sid"])
        assert read["exp"] - read["iat"] <= 120
        assert header(token)["typ"] == "logout+jwt"

    def test_the_journal_has_what_was_sent_and_answered(self, paged: World, person: Person) -> None:
        """So that a test needs no endpoint of its own."""
        with Listener(status=400) as listener:
            self.register(paged, listener)
            person.get("logout", id_token_hint=tokens(paged, person)["id_token"])
        sent, asked = paged.journal()[-2:]
        assert (sent.endpoint, sent.client, sent.account, sent.status) == ("back-channel logout", "app", "alice", 400)
        assert sent.request_body.startswith(b"logout_token=ey")
        assert asked.notes == ["back-channel logout of app: 400"]

    def test_a_client_that_is_down_stops_nobody(self, paged: World, person: Person) -> None:
        """2.5: errors do not keep the session alive."""
        with Listener() as listener:
            self.register(paged, listener, "app", "other")
            paged.change(lambda t: setattr(t.clients["app"], "backchannel_logout_uri", "http://127.0.0.1:9/"))
            hint = tokens(paged, person)["id_token"]
            tokens(paged, person, "other")
            page = Page(person.get("logout", id_token_hint=hint))
            assert len(listener.received) == 1
        assert "cannot be reached" in page.text
        assert not signed_in(person)

    def test_tokens_of_the_session_die(self, paged: World, person: Person) -> None:
        """2.7: 'Refresh tokens issued without the offline_access property ... SHOULD be revoked.'"""
        given = tokens(paged, person)
        kept = tokens(paged, person, scope="openid offline_access", prompt=None)
        person.get("logout", id_token_hint=given["id_token"])
        assert error_of(paged.refresh(given["refresh_token"])) == "invalid_grant"
        assert paged.userinfo(given["access_token"]).status_code == 401
        assert paged.refresh(kept["refresh_token"]).status_code == 200

    def test_faults_of_the_login_strike_here_too(self, paged: World, person: Person) -> None:
        """Who signed in with a fault of logout tokens gets them wrong."""
        with Listener() as listener:
            self.register(paged, listener)
            response = person.choose(person.authorize(), "alice", "logout-token.no-iat")
            hint = paged.redeem(answered(response)["code"]).json()["id_token"]
            person.get("logout", id_token_hint=hint)
            assert "iat" not in claims(listener.received[0]["logout_token"][0])
        assert paged.journal()[-2].faults == ["logout-token.no-iat"]


class TestSendLogout:
    """What the control API calls."""

    def send(self, world: World, **whom: Any) -> list[str]:
        found: list[str] = world.served.run(
            send_logout(world.served.provider, world.served.run(world.served.provider.store.tenant(world.name)), **whom)
        )
        return found

    def test_by_session_by_subject_and_to_one_client(self, paged: World, person: Person) -> None:
        """The session itself is left alone."""
        with Listener() as listener:
            TestBackChannel2().register(paged, listener, "app", "other")
            sid = claims(tokens(paged, person)["id_token"])["sid"]
            tokens(paged, person, "other")
            assert sorted(self.send(paged, sid=sid)) == ["app: 200", "other: 200"]
            assert self.send(paged, sid=sid, client="other") == ["other: 200"]
            assert sorted(self.send(paged, sub="alice")) == ["app: 200", "other: 200"]
            assert self.send(paged, sub="nobody") == []
            assert self.send(paged, sub="nobody", client="app") == ["app: 200"]
            last = claims(listener.received[-1]["logout_token"][0])
        assert (last["sub"], "sid" in last) == ("nobody", False)
        assert signed_in(person)

    def test_with_a_fault(self, paged: World, person: Person) -> None:
        """Named by whoever sends it."""
        with Listener() as listener:
            TestBackChannel2().register(paged, listener)
            tokens(paged, person)
            self.send(paged, sub="alice", faults=["logout-token.no-events"])
            assert "events" not in claims(listener.received[0]["logout_token"][0])


class TestFrontChannel2:
    """Front-Channel Logout 1.0, sections 2 and 3."""

    def test_the_page_frames_every_client_with_issuer_and_session(self, paged: World, person: Person) -> None:
        """'iss' and 'sid' in the query; a query that is there already is kept."""
        paged.change(lambda t: setattr(t.clients["app"], "frontchannel_logout_uri", "https://app.example/out?a=b"))
        paged.change(lambda t: setattr(t.clients["spa"], "frontchannel_logout_uri", "https://spa.example/out"))
        given = tokens(paged, person)
        sid = claims(given["id_token"])["sid"]
        response = person.get("logout", id_token_hint=given["id_token"], post_logout_redirect_uri=RETURN, state="s")
        page = Page(response)
        assert len(page.frames) == 1
        query = dict(parse_qsl(urlsplit(page.frames[0]).query))
        assert query == {"a": "b", "iss": paged.issuer, "sid": sid}
        assert "frame-src http: https:" in response.headers["content-security-policy"]
        assert page.links == [RETURN + "&state=s"]
        assert not signed_in(person)
