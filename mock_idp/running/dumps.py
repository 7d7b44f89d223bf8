"""The state of a run in a file: ``--load`` and ``--dump``."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_idp.configuration import state
from mock_idp.configuration.reading import DocumentError
from mock_idp.running.options import StartError

if TYPE_CHECKING:
    from mock_idp.provider import Provider


async def load_state(provider: Provider, name: str) -> None:
    """Bring back what a dump holds.

    Raises:
        StartError: the file cannot be read, or is no dump.

    """
    document = _read(name)
    try:
        await state.load(provider, document)
    except DocumentError as error:
        raise StartError(f"--load {name}: {error}") from None


def _read(name: str) -> Any:
    try:
        return json.loads(Path(name).read_bytes())
    except OSError as error:
        raise StartError(f"--load {name}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise StartError(f"--load {name}: is not JSON: {error}") from None


def check_writable(name: str) -> None:
    """Look before the run, rather than lose its state after it.

    Raises:
        StartError: no file can be written there.

    """
    folder = Path(name).resolve().parent
    if Path(name).is_dir() or not os.access(folder, os.W_OK):
        raise StartError(f"--dump {name}: cannot be written; name a file in a folder that is there and writable")


async def dump_state(provider: Provider, name: str) -> None:
    """Write all tenants, readable for this user only: keys and secrets are among it.

    Raises:
        StartError: the file cannot be written.

    """
    _write(name, json.dumps(await state.dump(provider), separators=(",", ":")))


def _write(name: str, text: str) -> None:
    try:
        with tempfile.NamedTemporaryFile("w", dir=Path(name).resolve().parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(name)
    except OSError as error:
        raise StartError(f"--dump {name}: cannot be written: {error.strerror}") from None
