"""Which cookies authenticate: found by leaving them out, never by their names (the method of The Cookie Hunter)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.verdict import Inconclusive

if TYPE_CHECKING:
    from harness.flows import Flows
    from harness.flows.credentials import Credentials, Login


def credential_cookies(flows: Flows, login: Login) -> frozenset[str]:
    """Names of the cookies in a minimal set that satisfies the probe; empty where the login needs none.

    A cookie is a credential when the probe fails without it, or, where several do the same job, when it satisfies
    the probe alone.

    Raises:
        Inconclusive: the cookies of the login do not authenticate when they are replayed.

    """
    target = flows.target
    if "cookie" not in target.session.carriers:
        return frozenset()
    if target.session.credential_cookies:
        return frozenset(target.session.credential_cookies)
    held = flows.credentials(login)
    if held.authorization is not None and "header" in target.session.carriers:
        return frozenset()

    def works(candidate: Credentials) -> bool:
        return flows.probe(candidate, label="elimination").names(login.account)

    if not held.cookies:
        raise Inconclusive(
            "the login set no cookie that the probe would be sent, though session.carriers says cookie",
            *login.answers[:1],
            cause="no cookie set",
        )
    names = list(held.cookies)
    necessary = [name for name in names if not works(held.without(name))]
    if not necessary:
        necessary = [name for name in names if works(held.only(name))]
    if not necessary or not works(held.only(*necessary)):
        raise Inconclusive(
            "which cookies authenticate could not be told; name them in session.credential_cookies",
            *login.answers[:1],
            cause="credential cookies unknown",
        )
    return frozenset(necessary)
