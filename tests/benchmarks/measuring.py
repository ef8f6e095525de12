"""Times side by side: medians of interleaved runs, rows of a table, and peak memory."""

from __future__ import annotations

import json
import math
import re
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Job = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``peer_ms`` is None where there is nobody to compare with."""

    case: str
    size: str
    ours_ms: float
    peer: str
    peer_ms: float | None
    runs: int
    required: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as long the peer takes."""
        return self.peer_ms / self.ours_ms if self.peer_ms is not None else None

    @property
    def is_met(self) -> bool:
        """Whether the ratio is what is required of it; true where nothing is."""
        return self.required is None or (self.ratio is not None and self.ratio >= self.required)

    def as_dict(self) -> dict[str, Any]:
        """Return the row for bench.json."""
        return {
            "case": self.case,
            "size": self.size,
            "ours_ms": round(self.ours_ms, 3),
            "peer": self.peer,
            "peer_ms": None if self.peer_ms is None else round(self.peer_ms, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "runs": self.runs,
            "required_ratio": self.required,
        }


@dataclass(slots=True)
class Report:
    """Rows as they are measured, with peak memory and remarks; printed line by line."""

    is_judged: bool = True
    rows: list[Row] = field(default_factory=list)
    memory_mb: dict[str, float] = field(default_factory=dict)
    growth: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep a row and print it; where nothing is judged, nothing is required of it."""
        if not self.is_judged:
            row = replace(row, required=None)
        if not self.rows:
            print(_line("case", "size", "ours ms", "peer", "peer ms", "ratio", "required"))
        self.rows.append(row)
        peer_ms = "–" if row.peer_ms is None else f"{row.peer_ms:,.1f}"
        ratio = "–" if row.ratio is None else f"{row.ratio:,.1f}"
        required = "" if row.required is None else f"≥ {row.required:g}: {'met' if row.is_met else 'MISSED'}"
        print(_line(row.case, row.size, f"{row.ours_ms:,.1f}", row.peer, peer_ms, ratio, required), flush=True)

    def note(self, text: str) -> None:
        """Keep a remark and print it."""
        self.notes.append(text)
        print(f"  {text}", flush=True)

    @property
    def missed(self) -> list[str]:
        """Cases whose requirement is not met."""
        return [row.case for row in self.rows if not row.is_met]

    def write(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write bench.json."""
        answer = {
            **about,
            "rows": [row.as_dict() for row in self.rows],
            "peak_memory_mb": {name: round(value) for name, value in self.memory_mb.items()},
            "growth_exponents": {name: round(value, 3) for name, value in self.growth.items()},
            "notes": self.notes,
        }
        path.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _line(case: str, size: str, ours: str, peer: str, peer_ms: str, ratio: str, required: str) -> str:
    return f"{case:<42}{size:<22}{ours:>11}  {peer:<44}{peer_ms:>11}{ratio:>9}  {required}".rstrip()


def interleaved_ms(jobs: Mapping[str, Job], runs: int) -> dict[str, float]:
    """Run jobs in turn, A B A B …, and return the median time of each in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(runs):
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def fastest(times_ms: Mapping[str, float]) -> str:
    """Return the name of the shortest time."""
    return min(times_ms, key=times_ms.__getitem__)


def growth_exponent(sizes: Sequence[float], times_ms: Sequence[float]) -> float:
    """Return the slope of time over size, both on logarithmic scales: 1 is linear.

    Examples
    --------
    >>> round(growth_exponent([1, 10, 100], [2, 20, 200]), 6)
    1.0
    """
    x, y = [math.log(size) for size in sizes], [math.log(ms) for ms in times_ms]
    return statistics.linear_regression(x, y).slope


def peak_memory_mb() -> float:
    """Return the most memory this process ever held, in megabytes.

    Linux counts a parent's memory into ``ru_maxrss`` of the processes it starts; ``VmHWM`` is the process's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
