"""Everything that ``make test`` checks, in one list: style, types, architecture, translations, browser code, tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from config.setup import BASE_DIR, VENV

BIN = VENV / "bin"
Step = tuple[str, list[str]]
LINT: list[Step] = [
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
BROWSER_MODULES: Step = (
    "browser modules",
    ["node", "--test", *sorted(str(path) for path in (BASE_DIR / "tests" / "js").glob("*.test.mjs"))],
)
# Each of the two has databases and a browser of its own.
TESTS: Step = ("tests", [str(BIN / "python"), "-m", "pytest", "-n", "2", "--dist", "loadfile"])


def run_step(step: Step, *, is_kept: bool) -> tuple[bool, bytes]:
    """Run a step; return whether it is good, and what it wrote if that is kept rather than shown at once."""
    name, command = step
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:{BIN}", "MAHALLEH_ENV": "test"}
    started = time.monotonic()
    result = subprocess.run(
        command,
        cwd=BASE_DIR,
        env=env,
        check=False,
        stdout=subprocess.PIPE if is_kept else None,
        stderr=subprocess.STDOUT if is_kept else None,
    )
    is_good = result.returncode == 0
    said = f"[{name}] {'ok' if is_good else 'FAILED'} in {time.monotonic() - started:.0f} s\n"
    return is_good, (result.stdout or b"") + said.encode()


def run_steps(side_by_side: Sequence[Step], then: Sequence[Step] = ()) -> int:
    """Run all steps, the later ones also after a failure; return how many failed.

    Parameters
    ----------
    side_by_side : sequence of step
        Steps that need nothing of each other: as many at once as there are processors. What each wrote is shown whole, in
        this order.
    then : sequence of step
        Steps that use all processors: one after another, showing what they write at once.
    """
    if not (data := Path(os.environ.get("MAHALLEH_DATA") or BASE_DIR.parent / "shared" / "data")).is_dir():
        print(f"No real data at {data}: tests that need them are left out, or fail under CI=true (see MAHALLEH_DATA).")
    failed = []

    def show(step: Step, is_good: bool, text: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)  # as it was written, whatever the terminal's encoding
        sys.stdout.buffer.flush()
        if not is_good:
            failed.append(step[0])

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = pool.map(lambda step: run_step(step, is_kept=True), side_by_side)
        for step, (is_good, text) in zip(side_by_side, results, strict=True):
            show(step, is_good, text)
    for step in then:
        show(step, *run_step(step, is_kept=False))
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    is_lint = "--lint" in sys.argv
    raise SystemExit(1 if (run_steps(LINT) if is_lint else run_steps([*LINT, BROWSER_MODULES], [TESTS])) else 0)
