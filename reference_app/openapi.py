"""The API description, with the security schemes that this deployment reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

if TYPE_CHECKING:
    from fastapi import FastAPI

    from reference_app.services import Services


def install(app: FastAPI, services: Services) -> None:
    """Serve a description whose protected operations name the declared carriers, and no other."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = _secured(document, _schemes(services))
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign] # the documented way to extend it


def _schemes(services: Services) -> dict[str, dict[str, str]]:
    settings = services.settings
    schemes = {}
    if settings.architecture.takes_header:
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    if settings.basic:
        schemes["basic"] = {"type": "http", "scheme": "basic"}
    if settings.architecture.takes_cookie:
        schemes["cookie"] = {"type": "apiKey", "in": "cookie", "name": services.cookies.access.name}
    return schemes


def _secured(document: dict[str, Any], schemes: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Replace the schemes; several are alternatives (OpenAPI 3.1, Security Requirement Object)."""
    document.setdefault("components", {})["securitySchemes"] = schemes
    for operations in document["paths"].values():
        for operation in operations.values():
            if "security" in operation:
                operation["security"] = [{name: []} for name in schemes]
                operation["responses"] |= {"401": {"description": "Nobody is signed in"}}
    return document
