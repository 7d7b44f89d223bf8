"""A tenant's keys: which sign, which are published, and how they change."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mock_idp.keys.material import generate_rsa, public_jwk
from mock_idp.keys.pool import POOL_SIZE

if TYPE_CHECKING:
    from collections.abc import Collection

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
KeyState = Literal["announced", "active", "retired", "unpublished"]
Rotation = Literal["announce", "use", "swap", "retire", "unknown"]

BRINGS_KEY: frozenset[Rotation] = frozenset({"announce", "swap", "unknown"})
"""Rotations that bring a new key."""
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "PS256", "ES256", "EdDSA")


@dataclass(slots=True)
class KeyRef:
    """A key as a store keeps it.

    Attributes:
        kid: ``mock-`` and its RFC 7638 thumbprint.
        origin: ``pool:17``, a slot of the bundled pool; ``seed:<hex>``, 32 octets that an EC or Ed25519 key is
            derived from; ``der:<base64>``, a generated key as PKCS#8.
        state: ``announced`` keys are published and do not sign yet, ``active`` ones sign, ``retired`` ones are still
            published, and ``unpublished`` ones sign though no JWKS names them.

    """

    kid: str
    alg: Algorithm
    origin: str
    state: KeyState = "active"


@dataclass(slots=True)
class KeyRing:
    """The keys of one tenant, oldest first; at most one a signature algorithm signs.

    Attributes:
        made: how many keys the tenant ever had, so that none comes back by rotation.

    """

    keys: list[KeyRef] = field(default_factory=list)
    made: int = 0

    def active(self, alg: Algorithm) -> KeyRef:
        """The key that signs with an algorithm.

        Raises:
            LookupError: the tenant has none (`add` makes one).
        """
        for key in self.keys:
            if key.alg == alg and key.state in {"active", "unpublished"}:
                return key
        raise LookupError(f"the tenant has no key for {alg}")

    def published(self) -> list[KeyRef]:
        """What the JWKS lists, oldest first."""
        return [key for key in self.keys if key.state != "unpublished"]

    def slots(self) -> set[int]:
        """The slots of the bundled pool that this ring holds."""
        return {int(key.origin[5:]) for key in self.keys if key.origin.startswith("pool:")}

    async def add(self, tenant: str, alg: Algorithm, taken: Collection[int] = (), state: KeyState = "active") -> KeyRef:
        """Give the tenant one more key.

        Args:
            tenant: its name: keys of a named tenant are the same after a restart.
            alg: what the key signs with.
            taken: slots of the pool that other tenants hold.
            state: what the key does from now on.

        Returns:
            the new key, already in the ring.
        """
        key = await make(tenant, alg, self.made, {*taken, *self.slots()})
        self.install(key, state)
        return key

    def rotate(self, mode: Rotation, alg: Algorithm, new: KeyRef | None = None) -> None:
        """Change the keys of one algorithm in one step (`mock_idp.keys.rotation.rotate` does it for a stored tenant).

        Args:
            mode: ``announce`` publishes a new key while the old one signs; ``use`` lets the announced key sign and
                keeps the old one published; ``swap`` lets a new key sign and drops all others at once; ``retire``
                drops the keys that no longer sign; ``unknown`` signs with a key that is never published.
            alg: the algorithm whose keys change.
            new: the new key, for the modes in `BRINGS_KEY`.

        Raises:
            ValueError: ``use`` where nothing is announced, a mode without its key, or no such mode.
        """
        if mode in BRINGS_KEY:
            if new is None:
                raise ValueError(f"the rotation {mode!r} needs a new key")
            self._bring(mode, new)
        elif mode == "use":
            self._use_announced(alg)
        elif mode == "retire":
            self.keys = [key for key in self.keys if key.alg != alg or key.state != "retired"]
        else:
            raise ValueError(f"there is no rotation {mode!r}; there are announce, use, swap, retire and unknown")

    def algorithms(self) -> list[Algorithm]:
        """What the tenant has keys for."""
        return [alg for alg in ALGORITHMS if any(key.alg == alg for key in self.keys)]

    def install(self, key: KeyRef, state: KeyState) -> None:
        """Put a new key into the ring."""
        key.state = state
        self.made += 1
        self.keys.append(key)

    def _bring(self, mode: Rotation, new: KeyRef) -> None:
        if mode == "announce":
            self.install(new, "announced")
        elif mode == "swap":
            self.keys = [key for key in self.keys if key.alg != new.alg]
            self.install(new, "active")
        else:
            self.install(new, "unpublished")
            self._stand_down(new.alg, new)

    def _use_announced(self, alg: Algorithm) -> None:
        announced = [key for key in self.keys if key.alg == alg and key.state == "announced"]
        if not announced:
            raise ValueError(f"no {alg} key is announced: rotate with 'announce' first")
        announced[-1].state = "active"
        self._stand_down(alg, announced[-1])

    def _stand_down(self, alg: Algorithm, signing: KeyRef) -> None:
        """Let every other key of the algorithm stop signing; one that was never published goes."""
        others = [key for key in self.keys if key.alg == alg and key is not signing]
        self.keys = [key for key in self.keys if key is signing or key not in others or key.state != "unpublished"]
        for key in others:
            if key.state == "active":
                key.state = "retired"


async def make(tenant: str, alg: Algorithm, number: int = 0, taken: Collection[int] = ()) -> KeyRef:
    """The tenant's key of that number.

    EC and Ed25519 keys follow from name and number. An RSA key is the pool's at the slot that the name's hash prefers,
    or the next free one, and is generated in a thread where none is free.
    """
    if alg in {"ES256", "EdDSA"}:
        return _ref("seed:" + hashlib.sha256(f"authconform test key/{alg}/{number}/{tenant}".encode()).hexdigest(), alg)
    preferred = int.from_bytes(hashlib.sha256(tenant.encode()).digest()[:8], "big") + number
    for step in range(POOL_SIZE):
        slot = (preferred + step) % POOL_SIZE
        if slot not in taken:
            return _ref(f"pool:{slot}", alg)
    return _ref(await asyncio.to_thread(generate_rsa), alg)


def jwk(key: KeyRef) -> dict[str, str]:
    """The public half as a JWK Set lists it (RFC 7517 section 4)."""
    return {**public_jwk(key.origin, key.alg), "kid": key.kid, "use": "sig", "alg": key.alg}


def _ref(origin: str, alg: Algorithm) -> KeyRef:
    # Every token names its key, so every token says that it comes from a mock.
    return KeyRef(kid=f"mock-{public_jwk(origin, alg)['kid']}", alg=alg, origin=origin)
