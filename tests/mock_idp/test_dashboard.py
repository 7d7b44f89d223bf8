"""The dashboard: what it shows, what it can be told to do, and who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from mock_idp import Idp, Running, start
from tests.mock_idp.person import Page

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with start() as provider:
        yield provider


@pytest.fixture
def idp(running: Running) -> Iterator[Idp]:
    with running.fresh_tenant(auto_approve="alice") as tenant:
        yield tenant


@pytest.fixture
def visitor(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.base, timeout=30, follow_redirects=True) as client:
        yield client


def shown(visitor: httpx.Client, idp: Idp) -> str:
    response = visitor.get("/_/", params={"tenant": idp.name})
    assert response.status_code == 200
    return Page(response).text


def login(visitor: httpx.Client, idp: Idp, fault: str = "") -> str:
    response = visitor.post("/_/login", data={"tenant": idp.name, "fault": fault, "account": "alice"})
    assert response.status_code == 200, response.text
    return Page(response).text


@pytest.mark.parametrize("dialect", ["oidc", "google"])
def test_an_honest_login_is_accepted_and_its_claims_are_explained(
    running: Running, visitor: httpx.Client, dialect: str
) -> None:
    with running.fresh_tenant(auto_approve="alice", dialect=dialect) as idp:
        text = login(visitor, idp)
        assert "a sound client accepts the ID Token" in text
        assert "for whom it is meant" in text


@pytest.mark.parametrize("dialect", ["github", "intra42", "oauth2"])
def test_a_login_without_id_token_shows_the_profile(running: Running, visitor: httpx.Client, dialect: str) -> None:
    with running.fresh_tenant(auto_approve="alice", dialect=dialect) as idp:
        text = login(visitor, idp)
        assert "opaque: only the provider knows" in text
        assert "alice" in text.partition("UserInfo")[2]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("id-token.aud-wrong", "refuses the ID Token"),
        ("id-token.nonce-wrong", "the nonce is not that"),
        ("id-token.sig-corrupt", "refuses the ID Token"),
        ("token.missing-id-token", "there is no ID Token"),
        ("authorization.state-random", "began no login with this state"),
    ],
)
def test_a_login_with_a_fault_says_what_a_sound_client_does(
    visitor: httpx.Client, idp: Idp, fault: str, said: str
) -> None:
    assert said in login(visitor, idp, fault)


def test_the_journal_shows_faults_refusals_and_opens_each_entry(visitor: httpx.Client, idp: Idp) -> None:
    login(visitor, idp, "id-token.aud-wrong")
    visitor.post(f"{idp.issuer}/token", data={"grant_type": "authorization_code", "code": "<made-up>"}, auth=("x", "y"))
    text = shown(visitor, idp)
    assert "id-token.aud-wrong" in text
    assert "never issued" in text
    number = next(entry.number for entry in idp.journal if entry.faults)
    entry = visitor.get("/_/entry", params={"tenant": idp.name, "number": number})
    assert "for whom it is meant" in entry.text
    assert "curl -i -X POST" in entry.text


def test_what_strangers_sent_is_escaped(visitor: httpx.Client, idp: Idp) -> None:
    visitor.get(f"{idp.issuer}/authorize", params={"client_id": "<script>alert(1)</script>"})
    number = idp.journal.entries()[-1].number
    for path, parameters in (("/_/", {}), ("/_/entry", {"number": str(number)}), ("/_/rows", {"after": "0"})):
        assert "<script>alert" not in visitor.get(path, params={"tenant": idp.name, **parameters}).text


def test_the_journal_is_live(visitor: httpx.Client, idp: Idp) -> None:
    idp.authorize(client_id="app")
    last = idp.journal.entries()[-1].number
    httpx.get(f"{idp.issuer}/jwks")
    rows = visitor.get("/_/rows", params={"tenant": idp.name, "after": last})
    assert "jwks" in rows.text
    assert int(rows.headers["x-last"]) > last


def test_a_fault_is_armed_strikes_once_and_can_be_disarmed(visitor: httpx.Client, idp: Idp) -> None:
    arm = {"tenant": idp.name, "fault": "discovery.unavailable", "times": "1"}
    assert "armed discovery.unavailable" in Page(visitor.post("/_/arm", data=arm)).text
    assert httpx.get(idp.metadata_url).status_code == 503
    assert httpx.get(idp.metadata_url).status_code == 200
    page = Page(visitor.post("/_/arm", data={**arm, "times": "always"}))
    disarm = next(form for form in page.forms if form.action.endswith("/_/disarm"))
    visitor.post(disarm.action, data=dict(disarm.fields))
    assert httpx.get(idp.metadata_url).status_code == 200


def test_nothing_that_is_sent_breaks_it(visitor: httpx.Client, idp: Idp) -> None:
    idp.account("alice", nickname="\ud800")
    login(visitor, idp)
    assert visitor.get("/_/", params={"tenant": idp.name}).status_code == 200
    assert visitor.get("/_/rows", params={"tenant": idp.name, "after": "9" * 5000}).status_code == 200
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("arm", "disarm", "login", "sign-out"):
        assert visitor.post(f"/_/{path}", content=b"tenant=\xff&fault=\xff", headers=form).status_code in {400, 404}


def test_somebody_is_signed_out_and_clients_are_told(visitor: httpx.Client, idp: Idp) -> None:
    login(visitor, idp)
    page = Page(visitor.get("/_/", params={"tenant": idp.name}))
    form = next(form for form in page.forms if form.action.endswith("/_/sign-out"))
    assert "signed out" in Page(visitor.post(form.action, data=dict(form.fields))).text
    assert "Nobody is signed in" in shown(visitor, idp)
    token = idp.journal.entries(endpoint="token")[0].response.json["access_token"]
    assert httpx.get(f"{idp.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"), [("/_/arm", 400), ("/_/login", 404), ("/_/sign-out", 404), ("/_/disarm", 404)]
)
def test_an_unknown_tenant_or_fault_gets_one_line(visitor: httpx.Client, idp: Idp, path: str, status: int) -> None:
    response = visitor.post(path, data={"tenant": idp.name if path == "/_/arm" else "gone", "fault": "no-such"})
    assert response.status_code == status
    assert "Not done" in response.text


def test_other_sites_and_other_machines_are_refused(visitor: httpx.Client, idp: Idp) -> None:
    """A page elsewhere can send a form here, and can name this machine by a name of its own (DNS rebinding)."""
    form = {"tenant": idp.name, "fault": "token.http-500"}
    assert visitor.post("/_/arm", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.get("/_/", headers={"Host": "rebound.example:80"}).status_code == 403
