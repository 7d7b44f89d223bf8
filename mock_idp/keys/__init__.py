"""Keys of tenants: a bundled pool of test keys, rings that rotate, and prepared key objects."""

from mock_idp.keys.material import Signer, public_jwk, signer
from mock_idp.keys.ring import ALGORITHMS, Algorithm, KeyRef, KeyRing, Rotation, jwk, make
from mock_idp.keys.thumbprint import thumbprint

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "KeyRef",
    "KeyRing",
    "Rotation",
    "Signer",
    "jwk",
    "make",
    "public_jwk",
    "signer",
    "thumbprint",
]
