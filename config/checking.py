"""Everything that ``make test`` checks, in one list: style, types, architecture, translations, browser code, tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from config.setup import BASE_DIR, VENV

BIN = VENV / "bin"
LINT: list[tuple[str, list[str]]] = [
    ("style", [str(BIN / "ruff"), "check", "."]),
    ("format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("architecture", [str(BIN / "lint-imports"), "--no-cache"]),
    (
        "types",
        [
            str(BIN / "mypy"),
            "--cache-dir",
            "var/mypy",
            "config",
            "geo",
            "layers",
            "analysis",
            "interventions",
            "maps",
            "fixtures",
        ],
    ),
    ("browser types", ["node_modules/.bin/tsc", "--noEmit", "-p", "tsconfig.json"]),
]
TESTS: list[tuple[str, list[str]]] = [
    (
        "browser modules",
        ["node", "--test", *sorted(str(path) for path in (BASE_DIR / "tests" / "js").glob("*.test.mjs"))],
    ),
    # Each of the two has a database and a browser of its own.
    ("tests", [str(BIN / "python"), "-m", "pytest", "-n", "2", "--dist", "loadfile"]),
]


def run_steps(steps: list[tuple[str, list[str]]]) -> int:
    """Run all steps, the later ones also after a failure; return how many failed."""
    if not (data := Path(os.environ.get("MAHALLEH_DATA") or BASE_DIR.parent / "shared" / "data")).is_dir():
        print(f"No real data at {data}: tests that need them are left out, or fail under CI=true (see MAHALLEH_DATA).")
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:{BIN}", "MAHALLEH_ENV": "test"}
    failed = []
    for name, command in steps:
        started = time.monotonic()
        result = subprocess.run(command, cwd=BASE_DIR, env=env, check=False)
        print(
            f"[{name}] {'ok' if result.returncode == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True
        )
        if result.returncode:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(1 if run_steps(LINT if "--lint" in sys.argv else [*LINT, *TESTS]) else 0)
