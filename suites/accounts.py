"""Accounts that may be locked out or changed: a fresh one where people can sign up, else a disposable one."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.flows import body_of
from harness.target import Account
from harness.verdict import Inconclusive, NotApplicable

if TYPE_CHECKING:
    from harness.credentials import Login, Probe
    from harness.flows import Flows


def spare_account(flows: Flows) -> Account:
    """An account that no other requirement needs.

    Raises:
        Inconclusive: signing up failed.
        NotApplicable: there is neither `[signup]` nor a disposable account.

    """
    if flows.target.signup is not None:
        return sign_up(flows)
    if flows.target.disposable is None:
        raise NotApplicable("no account may be spoilt: declare one as disposable, or [signup]")
    return flows.target.disposable


def sign_up(flows: Flows, password: str | None = None) -> Account:
    """A fresh account.

    Raises:
        Inconclusive: the target made none.
        NotApplicable: the profile declares no `[signup]`.

    """
    section = flows.target.signup
    if section is None:
        raise NotApplicable("the profile declares no [signup]")
    name = f"guest{secrets.token_hex(5)}"
    email = f"{name}@example.com"
    username = email if "@" in flows.target.user.username else name
    word = password or new_password()
    flows.recorder.redactor.learn(word)
    values = {"username": username, "password": word, "email": email}
    fields = {key: _fill(value, values) for key, value in section.fields.items()}
    answer = flows.call(flows.agent("newcomer"), "POST", flows.target.url(section.path), body=body_of(section.encoding, fields))
    if not 200 <= answer.status < 400:
        raise Inconclusive(f"signing up failed: {answer.method} {answer.url} answered {answer.status}; check [signup]", answer, cause="sign-up failed")
    return Account.model_validate({"username": username, "password": word, "disposable": True})


def new_password(length: int = 24) -> str:
    """A password that every rule of composition allows."""
    return "Aa1-" + secrets.token_urlsafe(length)[: length - 4]


def who(flows: Flows, account: Account, probe: Probe) -> Probe:
    """The probe's answer to credentials of a spare account, read as that account's.

    The probe may name a newcomer in a way that no profile could say beforehand, such as a number.
    """
    answer = probe.answer
    shown = flows.target.probe.identity is None and 200 <= answer.status < 300 and account.known_as in answer.text
    known = {known.known_as for known in flows.target.accounts.values()} - {account.known_as}
    return replace(probe, identity=account.known_as) if shown or (probe.identity and probe.identity not in known) else probe


def sign_in_spare(flows: Flows, account: Account) -> Login:
    """Sign in with a spare account.

    Raises:
        Inconclusive: the probe does not name its user then.

    """
    login = flows.attempt(account)
    probe = who(flows, account, flows.probe_in(login.agent, login.header))
    if not probe.names(account):
        reason = f"the spare account {account.username} cannot sign in: {probe.said()}"
        raise Inconclusive(reason, *login.answers[:1], probe, cause="spare account cannot sign in")
    return login


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
