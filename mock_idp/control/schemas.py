"""What OpenAPI says of bodies and answers; made when somebody asks for the description."""

from __future__ import annotations

from typing import Any

from mock_idp.configuration import state
from mock_idp.configuration.schema import schema_of
from mock_idp.configuration.tenants import CLIENT_FIXED, ClockChange
from mock_idp.control.authorizing import Authorize
from mock_idp.control.behaviour_routes import Logout, Rotate
from mock_idp.control.minting import Mint
from mock_idp.records import Account, Armed, Client, Lifetimes, Settings

_TEXT = {"type": "string"}
_YES_NO = {"type": "boolean"}
_NUMBER = {"type": "integer"}


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _by_name(name: str, description: str = "") -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"type": "object", "additionalProperties": _ref(name), **described}


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _shown(schema: dict[str, Any], hidden: str, **more: Any) -> dict[str, Any]:
    members = {name: value for name, value in schema["properties"].items() if name != hidden}
    return _object(**members, **{f"has_{hidden}": _YES_NO}, **more)


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by the name that routes refer to."""
    return {**_bodies(), **_answers()}


def _bodies() -> dict[str, dict[str, Any]]:
    settings, patch = schema_of(Settings), schema_of(Settings, partial=True)
    patch["properties"]["lifetimes"] = schema_of(Lifetimes, partial=True)
    tenant = {
        "name": {**_TEXT, "description": "Segments with / between them; without it one is made up."},
        **settings["properties"],
        "clients": _by_name("Client", "By client id."),
        "accounts": _by_name("Account", "By the name they sign in with."),
        "clock": _ref("Clock"),
        "faults": {**_list_of({"anyOf": [_ref("Fault"), _TEXT]}), "description": "Armed at the start."},
    }
    return {
        "Tenant": {**settings, "properties": tenant},
        "SettingsPatch": patch,
        "Client": schema_of(Client, without=CLIENT_FIXED),
        "ClientPatch": schema_of(Client, without=CLIENT_FIXED, partial=True),
        "Account": schema_of(Account, without=("name",)),
        "AccountPatch": schema_of(Account, without=("name",), partial=True),
        "Fault": schema_of(Armed, without=("id", "seen")),
        "Clock": schema_of(ClockChange, partial=True),
        "Rotate": schema_of(Rotate),
        "Logout": schema_of(Logout),
        "Mint": schema_of(Mint),
        "Authorize": schema_of(Authorize),
        "State": {
            **_object(format={"const": state.FORMAT}),
            "description": "To be given back as it is. It holds everything: secrets and private keys, too.",
            "required": ["format"],
        },
    }


def _answers() -> dict[str, dict[str, Any]]:
    fault = schema_of(Armed)
    return {
        "Names": _list_of(_TEXT),
        "TenantShown": _object(
            name=_TEXT,
            issuer=_TEXT,
            settings=_object(**schema_of(Settings)["properties"]),
            clients=_by_name("ClientShown"),
            accounts=_by_name("AccountShown"),
            keys=_ref("Keys"),
            clock=_ref("ClockShown"),
            faults=_ref("FaultsShown"),
        ),
        "ClientShown": _shown(schema_of(Client), "secret"),
        "ClientsShown": _by_name("ClientShown"),
        "AccountShown": _shown(schema_of(Account), "password"),
        "AccountsShown": _by_name("AccountShown"),
        "FaultShown": fault,
        "FaultsShown": _list_of(_ref("FaultShown")),
        "Catalogue": _list_of(
            _object(
                name=_TEXT,
                sentence={**_TEXT, "description": "What the provider does."},
                correct={**_TEXT, "description": "What a correct client does."},
                positive={**_YES_NO, "description": "A correct client survives it."},
                of_tenant={**_YES_NO, "description": "It belongs to a tenant, not to one authorization."},
                takes={**_TEXT, "description": "What its value is, as in NAME=VALUE."},
            )
        ),
        "Keys": _list_of(_object(kid=_TEXT, alg=_TEXT, state=_TEXT)),
        "ClockShown": _object(
            now={"type": "number", "description": "Seconds since 1970."},
            at={**_TEXT, "description": "The same as RFC 3339."},
            frozen=_YES_NO,
        ),
        "Told": _object(told=_list_of(_TEXT)),
        "Token": _object(token=_TEXT, claims={"type": "object"}, expires_at=_NUMBER),
        "Authorized": _object(
            status=_NUMBER,
            location=_maybe(_TEXT),
            parameters={"type": "object", "additionalProperties": _TEXT},
            state=_maybe(_TEXT),
            nonce=_maybe(_TEXT),
            set_cookie=_list_of(_TEXT),
            body=_TEXT,
            token_response=_object(status=_NUMBER, body=_TEXT, members=_maybe({"type": "object"})),
        ),
        "Entries": _list_of(_entry()),
    }


def _entry() -> dict[str, Any]:
    headers = _list_of(_list_of(_TEXT))
    texts = dict.fromkeys(("client", "account", "grant", "state", "refused"), _maybe(_TEXT))
    lists = dict.fromkeys(("faults", "lenient", "notes"), _list_of(_TEXT))
    return _object(
        number=_NUMBER,
        at={"type": "number"},
        endpoint=_TEXT,
        **texts,
        **lists,
        cut={**_YES_NO, "description": "The bodies were longer than what is kept of them."},
        request=_object(method=_TEXT, url=_TEXT, headers=headers, body=_TEXT),
        response=_object(status=_NUMBER, headers=headers, body=_TEXT),
    )
