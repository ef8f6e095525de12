"""Compiling, once, what numba would compile while the first reader waits.

``python -m config.compiling`` runs the examples in the docstrings of all modules with compiled functions, or that call some of
another module: they call them as the service does, and numba keeps what it compiled where the service looks for it (`config.settings`).
"""

from __future__ import annotations

import doctest
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def compiled_modules() -> list[str]:
    """Return the names of the modules that have functions for numba to compile, and of those that call them."""
    texts = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "analysis" / "core").rglob("*.py"))
    }
    compiled = [name for name, text in texts.items() if "@njit" in text]
    return [
        name
        for name, text in texts.items()
        if name in compiled or any(f"from {one} import" in text for one in compiled)
    ]


def main() -> int:
    """Run the examples; an example that fails stops the set-up, as whatever is computed would be wrong."""
    # The settings say where numba keeps what it compiles; it asks when it is imported.
    importlib.import_module("config.settings")
    failed = sum(doctest.testmod(importlib.import_module(name)).failed for name in compiled_modules())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
