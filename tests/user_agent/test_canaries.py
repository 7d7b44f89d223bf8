"""Secrets put everywhere a secret can be, met nowhere in the evidence."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.exchange import Recorder
from harness.evidence.redaction import Redactor
from harness.user_agent import Body, Form, UserAgent
from tests.user_agent.doubles import Network

APP = "https://app.example/"
# Every secret contains it, and nothing else does: no spelling of a secret may be overlooked.
MARK = "Zq7Xk9vL"

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=24).map(lambda text: f"{MARK}{text}")
IN_HEADER = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=';,"\\ '), max_size=24
).map(lambda text: f"{MARK}{text}")


def recorded(network: Network, act: str, **more: object) -> str:
    recorder = Recorder(Redactor(b"salt"))
    agent = UserAgent(network, recorder, label="alice")
    getattr(agent, act)(**more)
    return json.dumps([exchange.as_json() for exchange in recorder.exchanges], ensure_ascii=False)


def html_page(secret: str) -> bytes:
    escaped = html.escape(secret)
    return f'<form><input type="hidden" name="x" value="{escaped}"><input name=q value=kept></form>'.encode()


@given(secret=ANY)
@settings(max_examples=60, deadline=None)
def test_in_urls(secret: str) -> None:
    encoded = quote(secret, safe="")
    for url in (
        f"{APP}?token={encoded}",
        f"{APP}?a=1&code={quote_plus(secret)}&b=2",
        f"{APP}?next={quote(f'/cb?access_token={encoded}', safe='')}",
        f"{APP}#id_token={encoded}",
        f"{APP}verify/{encoded}",
        f"https://alice:{encoded}@app.example/",
    ):
        assert MARK not in recorded(Network(), "navigate", url=url)
        network = Network()
        network.redirect(APP, url)
        assert MARK not in recorded(network, "navigate", url=APP)


@given(secret=IN_HEADER)
@settings(max_examples=60, deadline=None)
def test_in_headers_and_cookies(secret: str) -> None:
    for name, value in (
        ("Authorization", f"Bearer {secret}"),
        ("Authorization", secret),
        ("Proxy-Authorization", f"Basic {secret}"),
        ("Cookie", f"a=1; sid={secret}"),
        ("Cookie", secret.replace("=", "")),
        ("X-CSRF-Token", secret),
        ("X-Session-Id", secret),
        ("Referer", f"{APP}?token={quote(secret, safe='')}"),
    ):
        assert MARK not in recorded(Network(), "send", method="GET", url=APP, headers=[(name, value)])
    for line in (
        f"sid={secret}; Path=/",
        f'theme="{secret}"',
        f"__Host-x={secret}",
        f"={secret}",
        f"a={secret}; Max-Age=0",
    ):
        network = Network()
        # The page echoes what it has just set: nobody knew it for a secret before.
        network.answer(APP, ("X-Echo", secret), ("Set-Cookie", line), body=f"you are {secret}".encode())
        assert MARK not in recorded(network, "navigate", url=APP)


@given(secret=ANY)
@settings(max_examples=60, deadline=None)
def test_in_request_bodies(secret: str) -> None:
    pairs = [("username", "alice"), ("password", secret)]
    for body in (
        Body.json({"username": "alice", "password": secret}),
        Body.json({"data": [{"user": {"newPassword": secret}}], "api_key": [secret]}),
        Body.json({"wrapped": json.dumps({"token": secret})}),
        Body.form(pairs),
        Body.multipart(pairs),
    ):
        assert MARK not in recorded(Network(), "send", method="POST", url=APP, body=body)
    for method, enctype in (("POST", "urlencoded"), ("POST", "multipart"), ("GET", "urlencoded")):
        form = Form(APP, method, pairs, enctype)  # type: ignore[arg-type]
        assert MARK not in recorded(Network(), "submit", form=form, initiator=APP)


@given(secret=ANY)
@settings(max_examples=60, deadline=None)
def test_in_answers(secret: str) -> None:
    for content_type, body in (
        ("application/json", json.dumps({"access_token": secret, "note": f"again: {secret}"}).encode()),
        ("application/json", json.dumps({"session": {"id": secret}}, ensure_ascii=False).encode()),
        ("text/html; charset=utf-8", html_page(secret)),
        ("text/html", f'<meta name="csrf-token" content="{html.escape(secret)}">'.encode()),
    ):
        network = Network()
        network.answer(APP, ("Content-Type", content_type), body=body)
        assert MARK not in recorded(network, "navigate", url=APP)


@given(secret=ANY)
@settings(max_examples=60, deadline=None)
def test_once_known_in_every_spelling(secret: str) -> None:
    recorder = Recorder(Redactor(b"salt"))
    recorder.redactor.learn(secret)
    network = Network()
    agent = UserAgent(network, recorder, label="alice")
    in_base64 = [base64.b64encode(f"{'x' * pad}{secret}".encode()).decode() for pad in range(3)]
    spellings = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret),
        html.escape(secret),
        *in_base64,
    ]
    for spelling in spellings:
        for content_type in ("text/plain", "text/html", "application/json", "application/x-www-form-urlencoded"):
            network.answer(APP, ("Content-Type", content_type), body=f"before {spelling} after".encode())
            agent.navigate(APP)
    evidence = json.dumps([exchange.as_json() for exchange in recorder.exchanges], ensure_ascii=False)
    assert MARK not in evidence
    if len(secret.encode()) >= 12:
        for text in in_base64:
            assert text[8:16] not in evidence
