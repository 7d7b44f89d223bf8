"""Who am I, and who else is there."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from reference_app.dependencies import ServicesDep, User, admin

router = APIRouter(tags=["users"])


@router.get("/users/me")
def me(principal: User, app: ServicesDep) -> JSONResponse:
    """The account that the credential belongs to."""
    headers = {} if app.rules.user_never_cached else {"Cache-Control": "public, max-age=60"}
    return JSONResponse(principal.user.public(), headers=headers)


@router.get("/admin/users", dependencies=[Depends(admin)])
def everybody(app: ServicesDep) -> list[dict[str, object]]:
    """All accounts, for administrators."""
    return [user.public() for user in app.accounts.all()]
