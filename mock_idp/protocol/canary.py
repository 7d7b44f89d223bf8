"""Where nobody has reason to go: targets of faults that name a foreign URL. The journal shows who came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_idp.protocol.endpoint import Endpoint
from mock_idp.protocol.table import Flow, Table
from mock_idp.wire.http import NO_STORE, Answer, json_answer, type_json

if TYPE_CHECKING:
    from mock_idp.protocol.errors import OAuthError


def note_visit(flow: Flow) -> None:
    """Whoever comes here followed something that it should have ignored."""
    flow.entry.notes.append("canary-visited")


def serve(flow: Flow) -> Answer:
    """The forger's keys at ``keys``, so that a client that follows ``jku`` is really taken in; elsewhere a refusal."""
    if flow.rest == "keys":
        from mock_idp.tokens.forge import forger_jwks  # noqa: PLC0415 # honest flows never load a forgery

        return Answer(200, [type_json, *NO_STORE], forger_jwks(flow.tenant.settings.signing_alg))
    return json_answer(400, {"error": "canary", "error_description": "nobody should come here"})


def refuse(_: Flow, error: OAuthError) -> Answer:
    """Nothing of this can be refused but by a request that cannot be read."""
    return json_answer(error.status, {"error": error.error, "error_description": error.description})


CANARY = Endpoint(Table("canary", note_visit, serve), Flow, refuse)
