"""What anybody may ask."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from starlette.responses import JSONResponse

from reference_app.dependencies import ServicesDep  # noqa: TC001
from reference_app.errors import Refusal

THEME: Final = re.compile(r"[a-z]{1,16}")
ANYTHING: Final = re.compile(r"[^\x00-\x1f\x7f]*")  # uvicorn sends no line with control characters in it
MONTH_S: Final = 30 * 86400

router = APIRouter(tags=["public"])


@router.get("/status")
def status() -> JSONResponse:
    """Whether the application is up; the same for everybody, so any cache may keep it."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "public, max-age=60"})


@router.get("/preferences")
def preferences(app: ServicesDep, theme: str = "light") -> JSONResponse:
    """Remember a colour theme in a cookie: only letters go into the line, nothing that could end it."""
    allowed = THEME if app.rules.cookie_values_checked else ANYTHING
    if not allowed.fullmatch(theme):
        raise Refusal(422, "Not valid: theme")
    response = JSONResponse({"theme": theme})
    line = f"{app.cookies.theme.line(theme)}; Max-Age={MONTH_S}"
    response.raw_headers.append((b"set-cookie", line.encode("latin-1", "replace")))
    return response
