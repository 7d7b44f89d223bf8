"""JSON Schemas as they are published."""

from __future__ import annotations

from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MAPS = {"properties", "$defs", "patternProperties"}


def published(derived: dict[str, Any], title: str) -> dict[str, Any]:
    """A schema derived from types, under a title of its own and without those that only repeat the members' names."""
    return {"$schema": DIALECT, "title": title, **_untitled(derived)}


def _untitled(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key != "title"}
    return {
        # Below these stand names of the document's own, among which "title" is one like any other.
        key: {name: _untitled(inner) for name, inner in value.items()} if key in _MAPS else _untitled(value)
        for key, value in kept.items()
    }
