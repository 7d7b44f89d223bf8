"""Accounts that may be locked out or changed: a fresh one where people can sign up, else a disposable one."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.flows import body_of
from harness.target import Account
from harness.verdict import Inconclusive, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from harness.flows.credentials import Login, Probe
    from harness.user_agent import Answer


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
    answer = flows.call(
        flows.agent("newcomer"), "POST", flows.target.url(section.path), body=body_of(section.encoding, fields)
    )
    if not 200 <= answer.status < 400:
        raise Inconclusive(
            f"signing up failed: {answer.method} {answer.url} answered {answer.status}; check [signup]",
            answer,
            cause="sign-up failed",
        )
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
    return (
        replace(probe, identity=account.known_as)
        if shown or (probe.identity and probe.identity not in known)
        else probe
    )


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


@contextmanager
def password_changed(flows: Flows, login: Login) -> Iterator[Answer]:
    """Change the password of a spare account; afterwards it is changed back, for the next run.

    Yields:
        The answer to the change, which the new password has proved to be real.

    Raises:
        Inconclusive: the new password does not sign in.

    """
    before = login.account
    word = new_password()
    answer = change_password(flows, login, word)
    after = Account.model_validate({**before.model_dump(), "password": word})
    try:
        renewed = sign_in_spare(flows, after)
    except Inconclusive:
        asked = f"{answer.method} {answer.shown} answered {answer.status}"
        reason = f"the password was not changed: {asked}; check [password_change]"
        raise Inconclusive(reason, answer, cause="password change does not work") from None
    try:
        yield answer
    finally:
        if flows.target.signup is None:
            change_password(flows, renewed, before.password.get_secret_value())


def change_password(flows: Flows, login: Login, word: str) -> Answer:
    """Ask for another password as the front end does."""
    section = flows.target.password_change
    if section is None:
        raise NotApplicable("the profile declares no [password_change]")
    flows.recorder.redactor.learn(word)
    proof = flows.proof(login)
    values = {"current": login.account.password.get_secret_value(), "new": word}
    fields = {**{key: _fill(value, values) for key, value in section.fields.items()}, **dict(proof.fields)}
    body = body_of(section.encoding, fields)
    headers = [*login.header, *proof.headers]
    return flows.call(login.agent, section.method, flows.target.url(section.path), body=body, headers=headers)


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
