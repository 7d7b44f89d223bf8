"""What is served beside the protocol: control under ``/_control``, the dashboard under ``/_``.

Both are loaded when they are first asked for.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mock_idp.provider import Provider
    from mock_idp.running.options import Options


def rooms(provider: Provider, options: Options) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Applications by the first segment of their paths."""
    return {
        "_control": _Room("mock_idp.control.app", lambda module: module.application(provider, options.control_token)),
        "_": _Room(
            "mock_idp.dashboard.app", lambda module: module.Dashboard(provider, anywhere=options.public_dashboard).app
        ),
    }


class _Room:
    """An application that is imported in a thread, so that nobody else's request waits for it, and made once."""

    def __init__(self, module: str, make: Callable[[Any], Any]) -> None:
        self._module = module
        self._make = make
        self._made: asyncio.Task[Any] | None = None

    async def __call__(self) -> Any:
        if self._made is None:
            self._made = asyncio.create_task(self._load())
        return await asyncio.shield(self._made)

    async def _load(self) -> Any:
        try:
            return self._make(await asyncio.to_thread(import_module, self._module))
        except BaseException:
            self._made = None  # whoever asks next tries again
            raise
