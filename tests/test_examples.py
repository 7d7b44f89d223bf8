"""An application none of ours: the example shop on Flask is judged as it is, its real flaws and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.judging import coloured, judge

SHOP = Path(__file__).resolve().parent.parent / "examples" / "flask_shop" / "authconform.toml"
FLAWS = {
    # Flask's session is a signed cookie: nothing on the server could be ended.
    "logout.access-invalidated": "fail",
    "session.previous-terminated-on-relogin": "fail",
    # Flask states no SameSite value and no Cache-Control unless it is told to.
    "cookies.samesite-deliberate": "warn",
    "session.authenticated-responses-not-stored": "warn",
}


def test_the_flask_shop_has_the_flaws_it_has(tmp_path: Path) -> None:
    document = judge(SHOP, tmp_path)
    assert {name: said.partition(":")[0] for name, said in coloured(document).items()} == FLAWS
    assert document["summary"]["pass"] > 30
    assert document["doubtful"] == ""
