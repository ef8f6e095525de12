"""The peers that live in an environment of their own, so that the service's own lock file does not bend to theirs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
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


class PeerProcess:
    """A peer in a process of its own, which says how long each run took; what it reads before is not measured.

    Parameters
    ----------
    program
        Python that prints ``ready``, and then, for each line it is sent, the milliseconds of a run. Its first argument is
        the folder, where it may leave what it computed.
    folder
        Of its files.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [str(PEERS / "bin" / "python"), "-c", program, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.is_there = self._heard() == "ready"

    def run_ms(self, case: str = "") -> float:
        """Let it compute a case once; return the milliseconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        return float(self._heard())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


__all__ = ["PEERS", "PeerProcess", "peers_ready"]
