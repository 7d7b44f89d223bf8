"""All that users do."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from harness.flows.calling import filled
from harness.flows.refreshing import Refreshing
from harness.verdict import NotApplicable

if TYPE_CHECKING:
    from harness.flows.credentials import Login
    from harness.user_agent import Answer


class Flows(Refreshing):
    """The flows of one target in one run: log in, use, refresh, write, log out."""

    def log_out(self, login: Login) -> Answer:
        """Sign out as the front end does."""
        section = self.target.logout
        if section is None:
            raise NotApplicable("the profile declares no [logout]")
        proof = self.proof(login)
        fields = {
            key: value.replace("{refresh_token}", login.refresh_token or "") for key, value in section.fields.items()
        }
        fields.update(proof.fields)
        url, body = filled(section.method, self.target.url(section.path), section.encoding, fields)
        return self.call(login.agent, section.method, url, body=body, headers=[*login.header, *proof.headers])

    def write(self, login: Login) -> tuple[str, Answer]:
        """The declared write as the front end does it; the marker to look for, and the answer."""
        section = self.target.write
        if section is None:
            raise NotApplicable("the profile declares no [write]")
        marker = new_marker()
        proof = self.proof(login)
        fields = {**self.write_fields(marker), **dict(proof.fields)}
        url, body = filled(section.method, self.target.url(section.path), section.encoding, fields)
        return marker, self.call(login.agent, section.method, url, body=body, headers=[*login.header, *proof.headers])

    def write_fields(self, marker: str) -> dict[str, str]:
        """The declared write's fields with a marker filled in."""
        section = self.target.write
        return {key: value.replace("{marker}", marker) for key, value in section.fields.items()} if section else {}

    def shows(self, login: Login, marker: str) -> tuple[bool, Answer]:
        """Whether a write took effect: the user's own view shows its marker."""
        section = self.target.write
        if section is None:
            raise NotApplicable("the profile declares no [write]")
        answer = self.call(login.agent, "GET", self.target.url(section.check), headers=login.header)
        return marker in answer.text, answer


def new_marker() -> str:
    """A text that occurs nowhere yet, and that reports show: digits alone are not taken for a secret."""
    return f"authconform-{secrets.randbelow(10**12):012d}"
