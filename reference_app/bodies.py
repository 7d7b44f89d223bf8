"""Reading request bodies: JSON for the API, forms for the pages, and never more than fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from reference_app.errors import Refusal

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT_BYTES: Final = 2 * 1024 * 1024
JSON: Final = "application/json"
FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

Model = TypeVar("Model", bound=BaseModel)


def media_type(request: Request) -> str:
    """The media type of the body without parameters, in lower case; empty when not given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parsed(model: type[Model], body: bytes) -> Model:
    """The body as a model.

    Raises:
        Refusal: 422, naming the fields that do not fit but never their values.
    """
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        fields = {".".join(map(str, each["loc"])) or "body" for each in error.errors(include_input=False)}
        raise Refusal(422, f"Not valid: {', '.join(sorted(fields))}") from None


async def form(request: Request) -> dict[str, str]:
    """The text fields of a form; the last of several with one name.

    Raises:
        Refusal: not a form (415), or one that cannot be read (400).
    """
    if media_type(request) not in FORMS:
        raise Refusal(415, "Send a form")
    await request.body()
    try:
        fields = await request.form()
    except HTTPException as error:
        raise Refusal(400, "The form cannot be read") from error
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def described(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The OpenAPI entry for a body of this model."""
    return {"requestBody": {"required": required, "content": {JSON: {"schema": model.model_json_schema()}}}}


class BodyLimit:
    """ASGI middleware: reading a body of more than 2 MiB ends in 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received; the refusal surfaces where the body is read."""
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LIMIT_BYTES:
                raise Refusal(413, "The body is too large", {"Connection": "close"})
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
