"""Content codings, undone within a bound: a gzip bomb is an answer like any other."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCEPTED: Final = "gzip, deflate"

_GZIP_OR_ZLIB: Final = 47  # zlib's window bits for "look at the header"
_RAW_DEFLATE: Final = -15


class OverBound(Exception):  # noqa: N818 - a bound, not an error
    """The body is larger than allowed."""


class NotDecodable(Exception):  # noqa: N818
    """The body is not what Content-Encoding says."""


def read_body(chunks: Iterable[bytes], content_encoding: str, limit: int) -> bytes:
    """The body behind ``chunks``, decoded; at most ``limit`` octets before and after decoding.

    Unknown codings are left as they are: nothing but gzip and deflate was asked for.

    Raises:
        OverBound: it is larger.
        NotDecodable: it is damaged.
    """
    codings = [c for coding in content_encoding.lower().split(",") if (c := coding.strip()) not in {"", "identity"}]
    body = _joined(chunks, limit)
    for coding in reversed(codings):
        if coding not in {"gzip", "x-gzip", "deflate"}:
            break
        body = _inflate(body, limit, deflate=coding == "deflate")
    return body


def _joined(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise OverBound
    return bytes(body)


def _inflate(data: bytes, limit: int, *, deflate: bool) -> bytes:
    # "deflate" means zlib, yet servers send bare deflate too; browsers take both, told apart by zlib's first octet.
    bare = deflate and data[:1] != b"\x78"
    inflated = bytearray()
    try:
        while data:
            machine = zlib.decompressobj(_RAW_DEFLATE if bare else _GZIP_OR_ZLIB)
            inflated += machine.decompress(data, limit + 1 - len(inflated))
            if len(inflated) > limit:
                raise OverBound
            # A gzip body may consist of several members.
            data = machine.unused_data if machine.eof and machine.unused_data[:1] == b"\x1f" else b""
    except zlib.error as error:
        raise NotDecodable(str(error)) from error
    return bytes(inflated)
