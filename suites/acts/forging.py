"""Tokens that a sound application refuses: altered ones, and ones under an algorithm that it never chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.tokens import Forgery, Jwt, forge, forgeries, tamper_opaque
from suites.acts.public_keys import key_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.flows import Flows
    from suites.acts.issued import Issued

_KEY = "authconform"
_KEY_SETS = ("/.well-known/jwks.json", "/jwks.json", "/.well-known/openid-configuration")


def tampered(one: Issued, other: str | None) -> list[Forgery]:
    """What keeps the algorithm and breaks the signature; of an opaque value, other values close to it.

    Args:
        one: a genuine value.
        other: the second user's, where there is one.

    """
    if one.jwt is None:
        return [
            Forgery("one character in its middle changed", tamper_opaque(one.value)),
            Forgery("its last quarter cut off", one.value[: len(one.value) * 3 // 4]),
        ]
    token = one.jwt.raw
    found = [
        Forgery("the payload changed by a second, the signature kept", forge.flip_payload(token)),
        Forgery("one character of the signature changed", forge.flip_signature(token)),
        Forgery("the signature cut in half", forge.truncate_signature(token)),
        Forgery("the signature removed", forge.empty_signature(token)),
    ]
    theirs = Jwt.parse(other) if other else None
    if theirs is not None:
        found.append(Forgery("the signature of another user's token", forge.other_signature(token, theirs.raw)))
        if theirs.subject and theirs.subject != one.jwt.subject:
            found.append(
                Forgery("another user's subject, the signature kept", forge.swap_claim(token, "sub", theirs.subject))
            )
    return found


def misdeclared(flows: Flows, jwt: Jwt) -> Iterator[Forgery]:
    """What declares another algorithm, or brings or names a key of the attacker's choosing."""
    broken = {forge.flip_payload(jwt.raw)} | {
        f(jwt.raw) for f in (forge.flip_signature, forge.truncate_signature, forge.empty_signature)
    }
    yield from (forgery for forgery in forgeries(jwt.raw) if forgery.token not in broken)
    query = {**jwt.header, "alg": "HS256", "kid": f"' UNION SELECT '{_KEY}' -- "}
    yield Forgery(
        "signed with a key that its kid selects by SQL injection", forge.hs256(jwt.claims, _KEY, header=query)
    )
    if not jwt.algorithm.startswith("HS"):
        header = {**jwt.header, "alg": "HS256"}
        for name, key in published_keys(flows):
            yield Forgery(
                f"signed by HMAC with the published public key ({name})", forge.hs256(jwt.claims, key, header=header)
            )


def published_keys(flows: Flows) -> Iterator[tuple[str, bytes]]:
    """The public keys that the target publishes, in the forms in which they lie in files, under names for people."""
    for path in _KEY_SETS:
        answer = flows.agent("client").send("GET", flows.target.origin + path, cookies="none")
        document = answer.json() if 200 <= answer.status < 300 else None
        if isinstance(document, dict) and isinstance(document.get("jwks_uri"), str):
            document = flows.agent("client").send("GET", document["jwks_uri"], cookies="none").json()
        keys = document.get("keys") if isinstance(document, dict) else None
        if isinstance(keys, list):
            yield from (found for key in keys[:4] if isinstance(key, dict) for found in key_files(key))
            return
