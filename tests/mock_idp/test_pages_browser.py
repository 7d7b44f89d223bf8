"""The pages in a real browser: role selectors, keyboard, scripts on and off, light and dark, nothing blocked."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from mock_idp.records import Account
from tests.mock_idp.person import Listener
from tests.mock_idp.served import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from mock_idp.records import Tenant
    from tests.mock_idp.served import World

playwright = pytest.importorskip("playwright.sync_api", reason="needs authconform[browser]")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser_here() -> Iterator[Browser]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def callback() -> Iterator[Listener]:
    """The relying party: remembers what is posted to it."""
    with Listener() as listener:
        listener.documents["/callback"] = "<!doctype html><title>the application</title>"
        yield listener


@pytest.fixture
def paged(tenant: World, callback: Listener) -> World:
    """A tenant whose pages are shown, with a client that is really there."""

    def edit(found: Tenant) -> None:
        found.settings.auto_approve = None
        found.clients["app"].redirect_uris.append(f"{callback.url}/callback")

    tenant.change(edit)
    return tenant


@pytest.fixture
def profile(browser_here: Browser) -> Iterator[BrowserContext]:
    context = browser_here.new_context()
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def tab(profile: BrowserContext) -> Iterator[Page]:
    """A page of which nothing may be blocked or fail."""
    page = profile.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []


def authorize(world: World, callback: Listener, **parameters: str) -> str:
    sound = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": f"{callback.url}/callback",
        "scope": "openid email",
        "state": "the-state",
    }
    return f"{world.issuer}/authorize?{urlencode({**sound, **parameters})}"


def told(page: Page) -> dict[str, str]:
    """The authorization response in the address bar."""
    page.wait_for_url(re.compile(r"/callback\?"))
    return dict(parse_qsl(urlsplit(page.url).query))


def test_somebody_signs_in_by_a_button(paged: World, callback: Listener, tab: Page) -> None:
    tab.goto(authorize(paged, callback))
    tab.get_by_role("button", name="bob", exact=True).click()
    assert told(tab)["state"] == "the-state"


def test_somebody_signs_in_by_the_keyboard(paged: World, callback: Listener, tab: Page) -> None:
    tab.goto(authorize(paged, callback))
    tab.keyboard.press("Tab")
    tab.keyboard.type("zoe")
    tab.keyboard.press("Enter")
    code = told(tab)["code"]
    token = paged.redeem(code, redirect_uri=f"{callback.url}/callback").json()["id_token"]
    assert claims(token)["sub"] == "zoe"


def test_a_fault_is_found_ticked_and_strikes(paged: World, callback: Listener, tab: Page) -> None:
    tab.goto(authorize(paged, callback))
    tab.get_by_text("Sign in with a fault").click()
    tab.get_by_label("Find a fault").fill("state-missing")
    tab.get_by_role("checkbox", name="authorization.state-missing", exact=True).check()
    tab.get_by_role("button", name="alice", exact=True).click()
    assert "state" not in told(tab)


def test_many_accounts_are_narrowed_down(paged: World, callback: Listener, tab: Page) -> None:
    paged.change(lambda t: t.accounts.update({f"user{i}": Account(f"user{i}") for i in range(40)}))
    tab.goto(authorize(paged, callback))
    tab.get_by_label("Find an account").fill("user39")
    assert tab.get_by_role("button", name="user38", exact=True).is_hidden()
    tab.get_by_role("button", name="user39", exact=True).click()
    assert "code" in told(tab)


def test_consent_is_given_in_part(paged: World, callback: Listener, tab: Page) -> None:
    tab.goto(authorize(paged, callback, prompt="consent"))
    tab.get_by_role("button", name="alice", exact=True).click()
    tab.get_by_role("checkbox", name="email").uncheck()
    tab.get_by_role("button", name="Allow").click()
    tokens = paged.redeem(told(tab)["code"], redirect_uri=f"{callback.url}/callback").json()
    assert tokens["scope"] == "openid"


def test_a_form_posts_itself(paged: World, callback: Listener, tab: Page) -> None:
    tab.goto(authorize(paged, callback, response_mode="form_post"))
    with tab.expect_request(f"{callback.url}/callback"):
        tab.get_by_role("button", name="alice", exact=True).click()
    tab.wait_for_url(f"{callback.url}/callback")
    assert callback.received[0]["state"] == ["the-state"]


def test_everything_works_without_scripts(paged: World, callback: Listener, browser_here: Browser) -> None:
    context = browser_here.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(authorize(paged, callback, response_mode="form_post"))
    page.get_by_text("Sign in with a fault").click()
    page.locator("summary", has_text="authorization").click()
    page.get_by_role("checkbox", name="authorization.iss-missing", exact=True).check()
    page.get_by_role("button", name="alice", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{callback.url}/callback")
    context.close()
    assert {*callback.received[0]} == {"code", "state"}


def test_signing_out_tells_applications_in_frames_and_goes_on(paged: World, callback: Listener, tab: Page) -> None:
    back = f"{callback.url}/back"
    callback.documents["/back"] = "<!doctype html><title>signed out</title>"

    def edit(found: Tenant) -> None:
        found.clients["app"].frontchannel_logout_uri = f"{callback.url}/frame"
        found.clients["app"].post_logout_redirect_uris.append(back)

    paged.change(edit)
    tab.goto(authorize(paged, callback))
    tab.get_by_role("button", name="alice", exact=True).click()
    told(tab)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    for path in ("/frame",):
        tab.route(f"{callback.url}{path}**", lambda route: route.fulfill(body="ok"))
    tab.goto(f"{paged.issuer}/logout?{urlencode({'client_id': 'app', 'post_logout_redirect_uri': back})}")
    tab.get_by_role("button", name="Sign out", exact=True).click()
    tab.wait_for_url(back)
    framed = [url for url in asked if url.startswith(f"{callback.url}/frame")]
    assert {name for name, _ in parse_qsl(urlsplit(framed[0]).query)} == {"iss", "sid"}


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_is_wider_than_the_screen(paged: World, callback: Listener, browser_here: Browser, width: int) -> None:
    context = browser_here.new_context(viewport={"width": width, "height": 700})
    context.set_default_timeout(10_000)
    page = context.new_page()
    wrong = authorize(paged, callback, redirect_uri="https://evil.example/" + "x" * 300)
    for url in (authorize(paged, callback), wrong, f"{paged.issuer}/device"):
        page.goto(url)
        for summary in page.locator("summary").all():
            if summary.is_visible():
                summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(paged: World, callback: Listener, browser_here: Browser, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 at least, worked out from what the browser paints."""
    context = browser_here.new_context(color_scheme=scheme)  # type: ignore[arg-type] # one of its words
    page = context.new_page()
    page.goto(authorize(paged, callback))
    page.get_by_text("Sign in with a fault").click()
    poor = page.evaluate(CONTRAST)
    context.close()
    assert poor == []


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, below) => top.map((v, i) => i < 3 ? v * top[3] / 255 + below[i] * (1 - top[3] / 255) : 255);
  const ground = (element) => {
    if (!element) return [255, 255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 255 ? own : over(own, ground(element.parentElement));
  };
  const light = (color) => color.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const below = ground(element), ink = over(rgba(getComputedStyle(element).color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(element.outerHTML.slice(0, 100));
  }
  return poor;
}"""
