"""The peers that live in an environment of their own, so that the service's own lock file does not bend to theirs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import Final

from tests.benchmarks.city import ROOT
from tests.benchmarks.measuring import Report

PEERS: Final = ROOT / ".venv-bench"
_LOCK: Final = ROOT / "requirements" / "bench.txt"
_STAMP: Final = PEERS / "lock"


def peers_ready(report: Report) -> bool:
    """Tell whether tipg and GeoPandas are there as the lock file has them, after trying to install them; say plainly if not."""
    lock = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if not _STAMP.exists() or _STAMP.read_text() != lock:
        made = subprocess.run([sys.executable, "-m", "venv", str(PEERS)], capture_output=True, check=False)
        command = [str(PEERS / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(_LOCK)]
        if made.returncode == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            _STAMP.write_text(lock)
    is_ready = _STAMP.exists() and _STAMP.read_text() == lock
    if not is_ready:
        report.note(
            "tipg and GeoPandas are not installed and could not be, so they are compared with nobody: "
            "python -m venv .venv-bench && .venv-bench/bin/pip install --require-hashes -r requirements/bench.txt"
        )
    return is_ready


__all__ = ["PEERS", "peers_ready"]
