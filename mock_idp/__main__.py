"""``python -m mock_idp``."""

from __future__ import annotations

import sys

from mock_idp.cli import main

if __name__ == "__main__":
    sys.exit(main())
