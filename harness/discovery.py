"""Which operations a target has: what OpenAPI says, corrected by the profile."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.user_agent import Body
from harness.verdict import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.flows import Flows
    from harness.target import Target

SAFE_METHODS = frozenset({"GET", "HEAD"})
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_NOWHERE = {"integer": "0", "number": "0"}
_NO_SUCH = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, ready to be called without doing harm.

    Attributes:
        method: request method.
        template: path as OpenAPI writes it, such as ``/notes/{id}``.
        path: the same with placeholders filled by values that do not exist.
        body: what is sent, or None.
        protected: needs a signed-in user, as declared; None: nobody said.

    """

    method: str
    template: str
    path: str
    body: Body | None
    protected: bool | None

    @property
    def name(self) -> str:
        """As reports call it."""
        return f"{self.method} {self.template}"


def operations(flows: Flows) -> list[Operation]:
    """The operations that may be called: the probe, those of the profile, and of OpenAPI those that do no harm.

    An operation of OpenAPI that would act (a write without a required body and without a path parameter that can be
    pointed at nothing) is never called by guess; the profile's ``[[endpoints]]`` may name it.

    Raises:
        Inconclusive: the profile says where the description is, and it is not there.

    """
    target = flows.target
    found = {("GET", target.probe.path): Operation("GET", target.probe.path, target.probe.path, None, protected=True)}
    for operation in _described(flows):
        found.setdefault((operation.method, operation.template), operation)
    if target.write is not None:
        # Nobody says that it is protected, but what shows a user's own writes usually is.
        check = Operation("GET", target.write.check, target.write.check, None, protected=None)
        found.setdefault(("GET", target.write.check), check)
    for endpoint in target.endpoints:
        method = endpoint.method.upper()
        body = Body.json(endpoint.fields) if endpoint.fields else None
        known = found.get((method, endpoint.path))
        if known and body is None:
            found[method, endpoint.path] = replace(known, protected=endpoint.protected)
        else:
            found[method, endpoint.path] = Operation(method, endpoint.path, endpoint.path, body, endpoint.protected)
    return [operation for key, operation in found.items() if key[1] not in _flow_paths(target)]


def _flow_paths(target: Target) -> set[str]:
    """Paths that flows use, by any method: calling them by the way might end the session they belong to."""
    sections: Iterable[Any] = (target.login, target.refresh, target.logout, target.signup, target.password_change)
    return {section.path for section in [*sections, *target.login.steps] if section is not None}


def _described(flows: Flows) -> list[Operation]:
    where = flows.target.at.openapi
    if where is False:
        return []
    answer = flows.agent("client").send("GET", flows.target.url(where))
    document = answer.json()
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        if "openapi" not in flows.target.at.model_fields_set:
            return []
        raise Inconclusive(
            f"{answer.url} answered {answer.status} and no OpenAPI description; "
            "correct target.openapi, or set it to false",
            answer,
            cause="no OpenAPI description",
        )
    prefix = flows.target.at.base_path
    default = _protects(document.get("security"))
    listed: list[Operation] = []
    for template, item in document["paths"].items():
        if not isinstance(item, dict) or not isinstance(template, str) or not template.startswith("/"):
            continue
        path = template.removeprefix(prefix) if prefix and template.startswith(prefix + "/") else template
        for method in _METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                made = _operation(method.upper(), path, item, operation, default=default)
                listed += [made] if made else []
    return listed


def _operation(
    method: str, template: str, item: Mapping[str, Any], operation: Mapping[str, Any], *, default: bool | None
) -> Operation | None:
    parameters = [
        p for p in [*(item.get("parameters") or []), *(operation.get("parameters") or [])] if isinstance(p, dict)
    ]
    kinds = {p.get("name"): _kind(p.get("schema")) for p in parameters if p.get("in") == "path"}
    path = re.sub(r"\{([^}]+)\}", lambda m: _NOWHERE.get(kinds.get(m[1], ""), _NO_SUCH), template)
    request_body = operation.get("requestBody")
    needs_body = isinstance(request_body, dict) and request_body.get("required") is True
    harmless = method in SAFE_METHODS or path != template or needs_body
    if not harmless:
        return None
    protected = _protects(operation["security"]) if "security" in operation else default
    body = Body.json({}) if needs_body else None
    return Operation(method, template, path, body, protected)


def _kind(schema: Any) -> str:
    """A parameter's type; of several the first (OpenAPI 3.1), and none where the schema is not a table."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    return str(kind[0] if isinstance(kind, list) and kind else kind)


def _protects(security: Any) -> bool | None:
    """Whether a security requirement demands a credential; None: nothing is said."""
    if not isinstance(security, list):
        return None
    return bool(security) and {} not in security
