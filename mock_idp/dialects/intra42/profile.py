"""A person as ``/v2/me`` and ``/v2/users/{id}`` show one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_idp.accounts import claims_of
from mock_idp.dialects.identity import login_of, names_of, number_of

if TYPE_CHECKING:
    from mock_idp.records import Account

_SINCE = "2024-10-01T09:25:46.612Z"
_CAMPUS = {
    "id": 1,
    "name": "Paris",
    "time_zone": "Europe/Paris",
    "language": {
        "id": 1,
        "name": "Français",
        "identifier": "fr",
        "created_at": "2014-11-02T16:43:38.466Z",
        "updated_at": "2024-10-01T09:25:46.612Z",
    },
    "users_count": 30000,
    "vogsphere_id": 1,
    "country": "France",
    "address": "96, boulevard Bessières",
    "zip": "75017",
    "city": "Paris",
    "website": "https://www.42.fr/",
    "facebook": "",
    "twitter": "",
    "active": True,
    "public": True,
    "email_extension": "42.fr",
    "default_hidden_phone": False,
}
_CURSUS = {
    "id": 21,
    "created_at": "2019-07-29T08:45:17.896Z",
    "name": "42cursus",
    "slug": "42cursus",
    "kind": "main",
}
_OWN = frozenset({"id", "login", "email", "email_verified", "preferred_username", "name", "given_name", "family_name"})
"""Claims that 42 says in its own way, or not at all."""


def id_of(account: Account) -> int:
    """The numeric id, which stays when the login changes."""
    return number_of(account, 100_000, 999_999)


def profile(account: Account) -> dict[str, Any]:
    """Everything but the id and the addresses. What is blank is null, never left out.

    Args:
        account: of whom; its claims replace members of the same name.

    """
    known = claims_of(account)
    number, login = id_of(account), login_of(account)
    first, last = names_of(account)
    name = str(known["name"])
    return {
        "email": known["email"],
        "login": login,
        "first_name": first,
        "last_name": last,
        "usual_full_name": name,
        "usual_first_name": None,
        "phone": "hidden",
        "displayname": name,
        "kind": "student",
        "staff?": False,
        "correction_point": 5,
        "pool_month": "september",
        "pool_year": "2024",
        "location": None,
        "wallet": 0,
        "anonymize_date": "2029-10-01T00:00:00.000+02:00",
        "data_erasure_date": "2029-10-01T00:00:00.000+02:00",
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "alumnized_at": None,
        "alumni?": False,
        "active?": True,
        "groups": [],
        "cursus_users": [_cursus_user(number, login)],
        "projects_users": [_project_user(number)],
        "languages_users": [{"id": number, "language_id": 1, "user_id": number, "position": 1, "created_at": _SINCE}],
        "achievements": [],
        "titles": [],
        "titles_users": [],
        "partnerships": [],
        "patroned": [],
        "patroning": [],
        "expertises_users": [],
        "roles": [],
        "campus": [_CAMPUS],
        "campus_users": [_campus_user(number)],
        **{key: value for key, value in account.claims.items() if key not in _OWN},
    }


def _cursus_user(number: int, login: str) -> dict[str, Any]:
    return {
        "grade": "Cadet",
        "level": 4.2,
        "skills": [{"id": 4, "name": "Unix", "level": 3.6}, {"id": 1, "name": "Algorithms & AI", "level": 2.1}],
        "blackholed_at": None,
        "id": number,
        "begin_at": "2024-11-04T08:42:00.000Z",
        "end_at": None,
        "cursus_id": _CURSUS["id"],
        "has_coalition": True,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "user": {"id": number, "login": login},
        "cursus": _CURSUS,
    }


def _project_user(number: int) -> dict[str, Any]:
    return {
        "id": number * 10 + 1,
        "occurrence": 0,
        "final_mark": 125,
        "status": "finished",
        "validated?": True,
        "current_team_id": number * 10 + 2,
        "project": {"id": 1314, "name": "Libft", "slug": "42cursus-libft", "parent_id": None},
        "cursus_ids": [_CURSUS["id"]],
        "marked_at": "2024-11-20T13:37:00.000Z",
        "marked": True,
        "retriable_at": "2024-11-20T13:37:00.000Z",
        "created_at": "2024-11-05T10:00:00.000Z",
        "updated_at": "2024-11-20T13:37:00.000Z",
    }


def _campus_user(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "user_id": number,
        "campus_id": _CAMPUS["id"],
        "is_primary": True,
        "created_at": _SINCE,
        "updated_at": _SINCE,
    }
