"""Notes: something of one's own to read, write and delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from reference_app.bodies import described
from reference_app.dependencies import ServicesDep, User, json_body
from reference_app.errors import Refusal
from reference_app.models import Note

router = APIRouter(prefix="/notes", tags=["notes"])

NoteId = Annotated[int, Path(ge=1, le=2**31 - 1)]
Undocumented = Annotated[str | None, Query(include_in_schema=False)]


class NewNote(BaseModel):
    """What to write down."""

    text: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]


@router.get("")
def mine(principal: User, app: ServicesDep, text: Undocumented = None) -> list[dict[str, object]]:
    """The user's notes, oldest first."""
    with app.store.transaction() as db:
        if text and not app.rules.reading_changes_nothing:
            db.add(Note(user_id=principal.user.id, text=text))
        return [note.public() for note in db.scalars(select(Note).where(Note.user_id == principal.user.id))]


@router.post("", status_code=201, openapi_extra=described(NewNote))
def write(principal: User, app: ServicesDep, body: Annotated[NewNote, Depends(json_body(NewNote))]) -> JSONResponse:
    """Write a note down."""
    note = Note(user_id=principal.user.id, text=body.text)
    with app.store.transaction() as db:
        db.add(note)
    return JSONResponse(note.public(), 201)


@router.get("/{note_id}")
def read(principal: User, app: ServicesDep, note_id: NoteId) -> dict[str, object]:
    """One of the user's notes."""
    with app.store.transaction() as db:
        return _own(db.get(Note, note_id), principal.user.id).public()


@router.delete("/{note_id}", status_code=204)
def delete(principal: User, app: ServicesDep, note_id: NoteId) -> Response:
    """Throw a note away."""
    with app.store.transaction() as db:
        db.delete(_own(db.get(Note, note_id), principal.user.id))
    return Response(status_code=204)


def _own(note: Note | None, user_id: int) -> Note:
    """Somebody else's note is as good as none."""
    if note is None or note.user_id != user_id:
        raise Refusal(404, "No such note")
    return note
