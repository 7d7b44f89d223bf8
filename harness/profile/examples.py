"""Profiles to start from; the documentation shows them, and tests hold them valid."""

from __future__ import annotations

_MINIMAL = """\
[target]
origin = "ORIGIN"

[accounts.alice]
username = "alice"
password = "env:ALICE_PASSWORD"

[login]
path = "/login"        # takes {"username": ..., "password": ...} as JSON

[probe]
path = "/api/me"       # a GET endpoint that answers as the signed-in user
"""

COOKIES = """\
[target]
name = "shop, staging"
architecture = "cookie"
origin = "https://api.shop.example"             # the API
front_origin = "https://shop.example"           # the pages that call it

[accounts.alice]
username = "alice@shop.example"
password = "env:ALICE_PASSWORD"

[accounts.bob]                                  # a second user tells sessions apart
username = "bob@shop.example"
password = "env:BOB_PASSWORD"

[accounts.spare]                                # may be locked out, may have its password changed
username = "spare@shop.example"
password = "env:SPARE_PASSWORD"
disposable = true

[login]
path = "/auth/login"
username_field = "email"

[probe]
path = "/users/me"
identity = "/email"                             # JSON pointer to what names the user

[session]
carriers = ["cookie"]

[refresh]
path = "/auth/refresh"
carrier = "cookie"

[logout]
path = "/auth/logout"

[csrf]                                          # how writes by cookie are defended
defence = "token"
token = { cookie = "csrf", header = "X-CSRF-Token" }

[cors]
origins = ["https://shop.example"]

[write]                                         # a write whose effect can be seen: what a forged request would try
path = "/notes"
fields = { text = "{marker}" }
check = "/notes"
"""

BEARER = """\
[target]
name = "mobile API"
architecture = "bearer"
origin = "https://api.example.com"
base_path = "/v1"                               # put before every path below

[accounts.alice]
username = "alice"
password = "file:secrets/alice"                 # relative to this file

[login]
path = "/token"
encoding = "form"
fields = { grant_type = "password" }            # sent as it stands
access_token = "/access_token"                  # JSON pointers into the answer
refresh_token = "/refresh_token"

[probe]
path = "/me"
identity = "/username"

[session]
carriers = ["header"]                           # Authorization: Bearer
stateless_access_s = 900                        # access tokens cannot be revoked: accepted, with its risk said

[refresh]
path = "/token/refresh"
carrier = "body"
encoding = "form"
field = "refresh_token"

[logout]
path = "/revoke"
encoding = "form"
fields = { token = "{refresh_token}" }
"""

FORM = """\
[target]
name = "intranet"
architecture = "cookie"
origin = "https://intranet.example.com"
openapi = false                                 # there is no description of the API

[accounts.alice]
username = "alice"
password = "env:ALICE_PASSWORD"
identity = "Alice Example"                      # how the probe's page names her

[login]
path = "/login"
page = "/login"
encoding = "form"
anti_forgery = { page = "/login", field = "csrf_token" }    # a hidden input of that page
return_parameters = ["next"]

[probe]
path = "/account"

[logout]
path = "/logout"
encoding = "form"

[csrf]
defence = "token"
token = { page = "/account", field = "csrf_token" }

[[endpoints]]                                   # protected operations, since no description tells them
path = "/orders"

[[endpoints]]
path = "/orders/1"
"""

EXAMPLES = (
    ("Cookies and JSON", "A single-page application whose API keeps the session in HttpOnly cookies.", COOKIES),
    (
        "Bearer tokens",
        "An API for mobile and other clients: tokens come back in the body and travel in a header.",
        BEARER,
    ),
    ("A server-rendered form", "Pages with a login form that carries an anti-forgery token.", FORM),
)


def minimal(origin: str | None = None) -> str:
    """The smallest profile, for a target at `origin`."""
    return _MINIMAL.replace("ORIGIN", origin or "https://staging.example.com")
