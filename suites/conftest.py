"""Brings the harness's fixtures to the requirements."""

from harness.fixtures import *  # noqa: F403
