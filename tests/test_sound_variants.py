"""No false alarms: unusual but sound applications give no red, and nothing else that is not plainly good."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.judging import coloured, judge_reference

if TYPE_CHECKING:
    from pathlib import Path

FORM_LOGIN = {
    'path = "/auth/login"\npage = "/login"\nreturn_parameters = ["next"]': (
        'path = "/login"\npage = "/login"\nencoding = "form"\n'
        'anti_forgery = { page = "/login", field = "csrf_token" }\nreturn_parameters = ["next"]'
    )
}
NO_REFRESH = {'[refresh]\npath = "/auth/refresh"\ncarrier = "cookie"\ngrace_s = 0\n': ""}


@dataclass(frozen=True)
class Variant:
    """A sound way to be different: settings of the app, and what the profile must say of it.

    `allowed` names requirements that may be informative or accepted here, since the operator declared it so.
    """

    settings: dict[str, str] = field(default_factory=dict)
    replace: dict[str, str] = field(default_factory=dict)
    profile: str = "cookie"
    allowed: dict[str, str] = field(default_factory=dict)


VARIANTS = {
    "opaque sessions": Variant({"tokens": "opaque"}),
    "opaque bearer tokens": Variant({"tokens": "opaque"}, profile="bearer"),
    "__Host- cookie over TLS": Variant(profile="cookie-tls"),
    "SameSite=Strict": Variant({"samesite": "strict"}),
    "refresh cookie with a path of its own": Variant({"refresh_path": "/auth/refresh"}),
    "refresh cookie on every path": Variant({"refresh_path": "/"}, allowed={"cookies.refresh-scope": "info"}),
    "Expires instead of Max-Age": Variant({"cookie_lifetime": "expires"}),
    "session cookie without lifetime": Variant({"cookie_lifetime": "session"}),
    "204 after login": Variant({"login_answer": "204"}),
    "303 after login": Variant({"login_answer": "303"}),
    "form login with anti-forgery token, 200 after a wrong password": Variant({"login_form_only": "true"}, FORM_LOGIN),
    "CSRF defence by Origin": Variant(
        {"csrf": "origin"},
        {'defence = "token"\ntoken = { cookie = "csrf", header = "X-CSRF-Token" }': 'defence = "origin"'},
    ),
    "CSRF defence by a custom header": Variant(
        {"csrf": "custom-header"},
        {
            'defence = "token"\ntoken = { cookie = "csrf", header = "X-CSRF-Token" }': (
                'defence = "custom-header"\nheader = "X-Requested-With: fetch"'
            )
        },
    ),
    "grace window in rotation": Variant({"rotation_grace_s": "30"}, {"grace_s = 0": "grace_s = 30"}),
    "grace window in rotation, bearer": Variant(
        {"rotation_grace_s": "30"}, {"grace_s = 0": "grace_s = 30"}, profile="bearer"
    ),
    "problem+json": Variant({"errors": "problem"}),
    "path prefix": Variant(
        {"root_path": "/api"},
        {'origin = "http://127.0.0.1:{port}"': 'origin = "http://127.0.0.1:{port}"\nbase_path = "/api"'},
    ),
    "no CORS at all": Variant({"cors": "none"}, {'origins = ["http://127.0.0.1:3000"]': "origins = []"}),
    "two allowed origins": Variant(
        {"cors": "two"}, {'["http://127.0.0.1:3000"]': '["http://127.0.0.1:3000", "http://127.0.0.1:3001"]'}
    ),
    "no refresh": Variant({"refresh": "off"}, NO_REFRESH),
    "stateless access, declared": Variant(
        {"stateless_access": "true"},
        {"absolute_timeout_s = 604800": "absolute_timeout_s = 604800\nstateless_access_s = 900"},
        allowed={
            "logout.access-invalidated": "accepted",
            "session.previous-terminated-on-relogin": "accepted",
            "session.revoked-on-credential-change": "accepted",
        },
    ),
    "HTTP Basic": Variant(
        {"basic": "true"},
        {
            'path = "/auth/login"\naccess_token = "/access_token"\nrefresh_token = "/refresh_token"': (
                'encoding = "basic"'
            ),
            '[refresh]\npath = "/auth/refresh"\ncarrier = "body"\ngrace_s = 0\n': "",
            '[logout]\npath = "/auth/logout"\nfields = { refresh_token = "{refresh_token}" }\n': "",
            "absolute_timeout_s = 604800\n": "",
        },
        profile="bearer",
    ),
    "idle timeout": Variant(
        {"idle_timeout_s": "1800"},
        {"absolute_timeout_s = 604800": "absolute_timeout_s = 604800\nidle_timeout_s = 1800"},
    ),
    "nothing declared but login and probe": Variant(
        replace={
            '[refresh]\npath = "/auth/refresh"\ncarrier = "cookie"\ngrace_s = 0\n': "",
            '[logout]\npath = "/auth/logout"\n': "",
        },
    ),
}


@pytest.mark.parametrize("name", list(VARIANTS))
def test_sound_but_unusual_gives_no_red(name: str, tmp_path: Path) -> None:
    variant = VARIANTS[name]
    document = judge_reference(tmp_path, variant.profile, settings=variant.settings, replace=variant.replace)
    found = {
        key: said for key, said in coloured(document).items() if not said.startswith(variant.allowed.get(key, "\0"))
    }
    assert found == {}
    assert document["summary"]["pass"] > 20
    assert document["doubtful"] == ""
