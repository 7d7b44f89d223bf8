"""Requests that the provider itself makes: keys and request objects are fetched, logout tokens are sent. Bounded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_S = 5.0
MOST_BYTES = 256 * 1024


class UnansweredError(Exception):
    """Nobody answered, or too much; the sentence says what happened."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer to the provider."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


async def fetch(url: str, *, seconds: float = LONGEST_S) -> Heard:
    """GET a document.

    Args:
        url: absolute, http or https. Redirects are not followed.
        seconds: for all of it.

    Raises:
        UnansweredError: there is no answer within the bounds.

    """
    return await _call("GET", url, None, seconds)


async def post_form(url: str, form: Mapping[str, str], *, seconds: float = LONGEST_S) -> Heard:
    """POST a form; like `fetch` otherwise."""
    return await _call("POST", url, form, seconds)


async def _call(method: str, url: str, form: Mapping[str, str] | None, seconds: float) -> Heard:
    import httpx  # noqa: PLC0415 # it costs more to load than the provider, and few tests need it

    try:
        # Relying parties under test have certificates of authorities made for the test.
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(verify=False, trust_env=False) as client,  # noqa: S501 # see above
            client.stream(method, url, data=form, timeout=seconds) as response,
        ):
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise UnansweredError(f"{url} answers with more than {MOST_BYTES} bytes")
            return Heard(response.status_code, response.headers.raw, body)
    except TimeoutError as error:
        raise UnansweredError(f"{url} did not answer within {seconds:g} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise UnansweredError(
            f"{url} cannot be reached: {' '.join(str(error).split()) or type(error).__name__}"
        ) from error
