"""What makes of provider call a person: numbers and names, derived from the account where nobody configured them."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from mock_idp.accounts import claims_of

if TYPE_CHECKING:
    from mock_idp.records import Account


_LONGEST_NUMBER = 30


def as_number(text: str) -> int | None:
    """The number that a subject identifier is; None where it is none, or longer than any real one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def number_of(account: Account, first: int, last: int) -> int:
    """The account's numeric id: the claim ``id``, else one that follows from the account's name.

    A login may be renamed and given to somebody else; the number stays with the account.

    Args:
        account: of whom.
        first: smallest derived number.
        last: greatest derived number.

    """
    configured = account.claims.get("id")
    if isinstance(configured, int) and not isinstance(configured, bool):
        return configured
    told = as_number(account.sub)
    if told is not None:
        return told
    return first + int.from_bytes(sha256(account.name.encode("utf-8", "replace")).digest()[:12], "big") % (
        last - first + 1
    )


def login_of(account: Account) -> str:
    """The renamable user name: the claim ``login``, else the account's name in letters, digits and hyphens."""
    configured = account.claims.get("login")
    if isinstance(configured, str):
        return configured
    return re.sub(r"[^a-z0-9]+", "-", account.name.partition("@")[0].lower()).strip("-") or "somebody"


def names_of(account: Account) -> tuple[str, str]:
    """First and last name: ``given_name`` and ``family_name``, else the first word of the name and the rest."""
    known = claims_of(account)
    first, _, last = str(known.get("name") or account.name).partition(" ")
    return str(known.get("given_name", first)), str(known.get("family_name", last))


def verified(claims: dict[str, Any]) -> bool:
    """Is the e-mail address proven? Only the JSON value true says so."""
    return claims.get("email_verified") is True
