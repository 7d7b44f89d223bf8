"""Who can sign in, and what the provider says of them."""

from __future__ import annotations

from typing import Any

from mock_idp.records import Account

SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Which claims a scope asks for (OpenID Connect Core 1.0, section 5.4)."""

_SCOPE_OF = {name: scope for scope, names in SCOPE_CLAIMS.items() for name in names}


LONGEST_NAME = 500


def is_name(text: str) -> bool:
    """May an account, or a client, be called that? What cannot be printed stands in no form, page or URL."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def usual_accounts() -> dict[str, Account]:
    """The people of a tenant that nobody configured."""
    return {name: Account(name) for name in ("alice", "bob", "carol")}


def claims_of(account: Account) -> dict[str, Any]:
    """Everything known of an account: what was configured, completed by what a name suggests."""
    name = account.name
    mail = name if "@" in name else f"{name}@example.test"
    return {
        "name": name.partition("@")[0].replace(".", " ").title(),
        "preferred_username": name,
        "email": mail,
        "email_verified": True,
        **account.claims,
    }


def released(account: Account, scope: list[str], wanted: dict[str, Any] | None = None) -> dict[str, Any]:
    """The claims that a grant releases: those of its scopes, those asked for by name, and configured ones of no scope.

    Args:
        account: of whom.
        scope: what was granted.
        wanted: the part of the ``claims`` request for the place they go to (OpenID Connect Core 1.0, section 5.5).

    """
    named, scopes = wanted or {}, {None, *scope}
    return {
        name: value
        for name, value in claims_of(account).items()
        if name != "sub" and value is not None and (_SCOPE_OF.get(name) in scopes or name in named)
    }


def parse_account(text: str) -> tuple[str | None, list[str]]:
    """Who signs in, and with which faults: ``alice``, ``fault:NAME``, ``fault:NAME+NAME:alice``.

    Returns:
        the account's name (None: anybody) and the names of faults; ``fault:`` alone gives one that does not exist, so
        that nobody takes an honest login for one that was withstood.

    """
    if text[:6].lower() != "fault:":
        return text, []
    faults, _, account = text[6:].strip().partition(":")
    return account.strip() or None, [name for name in faults.replace(" ", "+").split("+") if name] or [""]
