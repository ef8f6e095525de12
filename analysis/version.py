"""Which code computed a result."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

VERSION = "0.1.0"


@cache
def code_version() -> str:
    """Return the version with a mark of the computing code itself, so that two results can be told apart."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for file in sorted([*(root / "geo" / "core").rglob("*.py"), *(root / "analysis" / "core").rglob("*.py")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{VERSION}+{digest.hexdigest()[:10]}"
