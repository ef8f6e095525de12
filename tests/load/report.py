"""What came of a run: a table, and what is missed."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

P95_MS: Final = 300.0
"""What a save with its full check of the topology may take, for 95 in a hundred."""

DEADLOCK: Final = re.compile(r"deadlock detected", re.IGNORECASE)
DAMAGE: Final = re.compile(r"PANIC|invalid page|could not read block|corrupt", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """All that is known after a run.

    Attributes
    ----------
    began, records, faults
        What the city was, what people asked and were told, and where editors themselves fell over.
    outages
        When the service was killed and when it answered again, in seconds of the monotonic clock, with what was killed.
    seen_twice
        Places with two approved editions at one moment, as seen during the run.
    looks
        How often that was looked for.
    checked
        What `tests.load.checking` found.
    cpu_s
        Seconds of a processor that the server and the database took; said only where neither was killed.
    load
        Load average of the machine in the last minute, whatever else runs there included.
    server_log, database_log
        Whole texts.
    """

    seconds: float
    began: dict[str, Any]
    records: list[dict[str, Any]]
    faults: list[str]
    outages: list[tuple[float, float, str]]
    seen_twice: list[str]
    looks: int
    checked: dict[str, Any]
    cpu_s: tuple[float, float]
    load: float
    server_log: str
    database_log: str

    @property
    def saves(self) -> list[dict[str, Any]]:
        """Every attempt to save."""
        return [record for record in self.records if record["what"] == "save"]

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        """The saves that people were told are done."""
        return [record for record in self.saves if 200 <= record["status"] < 300]

    @property
    def deadlocks(self) -> int:
        """How many the database broke, of which people may have noticed nothing."""
        return len(DEADLOCK.findall(self.database_log))

    def times_ms(self, what: str) -> np.ndarray:
        """Milliseconds of what was done, as people saw them, outages left out."""
        return np.array(
            [r["ms"] for r in self.records if r["what"] == what and r["status"] < 300 and not self.is_hit(r)]
        )

    def is_hit(self, record: dict[str, Any]) -> bool:
        """Tell whether a question was under way, or asked, while the service was down."""
        begin, end = record["at"], record["at"] + record["ms"] / 1000
        return any(begin < back + 1.0 and end > down for down, back, _ in self.outages)

    def missed(self, *, is_timed: bool) -> list[str]:
        """Name what is required and does not hold."""
        wrong = [*self.checked["wrong"], *(f"editor: {fault}" for fault in self.faults)]
        wrong += [f"two approved editions at one moment: {text}" for text in self.seen_twice]
        for record in self.records:
            if record["status"] in (0, 500, 502, 504) and not self.is_hit(record):
                wrong.append(
                    f"{record['what']} by {record['user']}: status {record['status']}, nothing had been killed"
                )
            if record["code"] == "written_at_once":
                wrong.append(f"{record['what']} by {record['user']}: a deadlock or a race reached the user")
            if record["status"] in (400, 404, 413, 415, 422, 428):
                wrong.append(
                    f"{record['what']} by {record['user']}: {record['status']} {record['code']} {record['title']}"
                )
        if not self.acknowledged:
            wrong.append("nobody saved anything")
        if DAMAGE.search(self.database_log):
            wrong.append("the database's log tells of damage")
        if not self.outages and "Traceback" in self.server_log:
            wrong.append(
                f"the server's log has a traceback: {self.server_log[self.server_log.index('Traceback') :][:1500]}"
            )
        if is_timed and (p95 := float(np.percentile(self.times_ms("save"), 95))) >= P95_MS:
            wrong.append(f"p95 of a save is {p95:.0f} ms, not under {P95_MS:.0f} ms")
        return wrong

    def table(self) -> str:
        """Return what was measured, as text."""
        lines = [
            f"{self.began['places']} places, {len(self.began['sessions'])} editors, {self.seconds:.0f} s, "
            f"{len(self.records):,} requests; change sets: "
            + ", ".join(f"{n} {status}" for status, n in sorted(self.checked["sets"].items()))
            + f"; {self.checked['editions']:,} editions",
            f"{'':<16}{'ok':>6}{'409':>6}{'412':>6}{'other':>7}{'5xx':>6}{'lost':>6}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}",
        ]
        for what in sorted({record["what"] for record in self.records}, key=lambda w: (w != "save", w)):
            asked = [record["status"] for record in self.records if record["what"] == what]
            ok, lost = sum(200 <= s < 400 for s in asked), asked.count(0)
            failed = sum(s >= 500 for s in asked)
            other = len(asked) - ok - lost - failed - asked.count(409) - asked.count(412)
            counts = (ok, asked.count(409), asked.count(412), other, failed, lost)
            times = self.times_ms(what)
            quantiles = np.percentile(times, (50, 95, 99)) if len(times) else (np.nan,) * 3
            widths = (6, 6, 6, 7, 6, 6)
            cells = "".join(f"{n:>{width}}" for n, width in zip(counts, widths, strict=True))
            lines.append(f"{what:<16}{cells}" + "".join(f"{ms:>9.0f}" for ms in quantiles))
        codes = Counter(f"{r['status']} {r['code']}" for r in self.records if r["code"])
        lines.append("refused: " + (", ".join(f"{code} × {n}" for code, n in codes.most_common()) or "nothing"))
        again = sum(bool(r.get("is_again")) and 200 <= r["status"] < 300 for r in self.saves)
        lines.append(f"saves that were drawn again on what others had done: {again}")
        lines.append(
            f"deadlocks broken by the database: {self.deadlocks}; "
            f"looked {self.looks} times for two approved editions at one moment: {len(self.seen_twice)} seen"
        )
        if not self.outages:
            server_s, database_s = self.cpu_s
            each_ms = 1000 * server_s / max(len(self.records), 1)
            lines.append(
                f"the server took {server_s:.1f} s of a processor, {each_ms:.0f} ms a request, the database {database_s:.1f} s; "
                f"load average of the machine {self.load:.1f} on {os.cpu_count()} processors"
            )
        for down, back, what in self.outages:
            hit = sum(
                record["status"] == 0 or record["status"] >= 500 for record in self.records if self.is_hit(record)
            )
            lines.append(f"killed the {what}: away for {back - down:.1f} s (of all outages together {hit} requests)")
        return "\n".join(lines)
