"""Where what can be made again is kept between processes."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """rnnlab's part of XDG_CACHE_HOME, by default ~/.cache; it may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "rnnlab"
