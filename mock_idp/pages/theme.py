"""How the provider's own pages look: one stylesheet, three small scripts, all of them written into the page."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

_ASSETS = Path(__file__).parent / "assets"

STYLE = (_ASSETS / "style.css").read_text("utf-8")
FILTER = (_ASSETS / "filter.js").read_text("utf-8")
SUBMIT = (_ASSETS / "submit.js").read_text("utf-8")
ONWARD = (_ASSETS / "onward.js").read_text("utf-8")


def source_hash(text: str) -> str:
    """How a content security policy names an inline style or script (CSP Level 3, section 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
