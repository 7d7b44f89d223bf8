"""Published keys (JWK, RFC 7517) as they lie in files: what a confused verifier takes for a secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from harness.tokens.jwt import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INTEGER, _BIT_STRING, _NULL, _OID, _SEQUENCE = 0x02, 0x03, 0x05, 0x06, 0x30
_RSA = bytes.fromhex("2a864886f70d010101")
_EC = bytes.fromhex("2a8648ce3d0201")
_CURVES = {
    "P-256": bytes.fromhex("2a8648ce3d030107"),
    "P-384": bytes.fromhex("2b81040022"),
    "P-521": bytes.fromhex("2b81040023"),
}
_ED25519 = bytes.fromhex("2b6570")


def key_files(jwk: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """A public key as PEM and DER, under names for people; nothing for a kind that is not known."""
    parts = {
        name: decode(value) or b""
        for name, value in jwk.items()
        if name in {"n", "e", "x", "y"} and isinstance(value, str)
    }
    match jwk.get("kty"), jwk.get("crv"):
        case "RSA", _ if parts.get("n") and parts.get("e"):
            own = _tlv(_SEQUENCE, _integer(parts["n"]) + _integer(parts["e"]))
            yield from _files("PKCS #1", "RSA PUBLIC KEY", own)
            public = _public(_tlv(_OID, _RSA) + _tlv(_NULL, b""), own)
        case "EC", str(curve) if curve in _CURVES and parts.get("x") and parts.get("y"):
            public = _public(_tlv(_OID, _EC) + _tlv(_OID, _CURVES[curve]), b"\x04" + parts["x"] + parts["y"])
        case "OKP", "Ed25519" if parts.get("x"):
            public = _public(_tlv(_OID, _ED25519), parts["x"])
        case _:
            return
    yield from _files("SubjectPublicKeyInfo", "PUBLIC KEY", public)


def _files(name: str, label: str, der: bytes) -> Iterator[tuple[str, bytes]]:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    pem = f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"
    yield f"{name}, PEM", f"{pem}\n".encode()
    yield f"{name}, PEM without its last line break", pem.encode()
    yield f"{name}, DER", der


def _public(algorithm: bytes, key: bytes) -> bytes:
    return _tlv(_SEQUENCE, _tlv(_SEQUENCE, algorithm) + _tlv(_BIT_STRING, b"\x00" + key))


def _integer(value: bytes) -> bytes:
    stripped = value.lstrip(b"\x00")
    return _tlv(_INTEGER, b"\x00" + stripped if stripped[:1] >= b"\x80" else stripped)


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
