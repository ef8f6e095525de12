"""Server time of the city page's results after a slider moved, through the whole web stack."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from tests.benchmarks.measuring import Report, Row, interleaved_ms
from tests.benchmarks.question import asked

LIMIT_MS = 50.0


def server_cases(report: Report, runs: int) -> None:
    """Measure a changed threshold and a changed weight, as an anonymous visitor asks for them."""
    everything = asked()
    size = f"{len(everything.editions)} × {len(everything.services)}"
    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
    code = everything.services[0][0]
    numbers = iter(range(1, 1_000_000))

    def get(key: str, start: float, step: float) -> None:
        answer = client.get("/api/khorramabad/results", {key: f"{start + next(numbers) * step:g}"})
        assert answer.status_code == 200, answer.content[:300]

    cases = {
        "server: threshold changed": lambda: get(f"threshold-{code}", 400, 1),
        "server: weight changed": lambda: get(f"weight-{code}", 1, 0.01),
    }
    for job in cases.values():
        job()
    for case, ms in interleaved_ms(cases, runs).items():
        report.add(Row(case, size, ms, f"the limit of {LIMIT_MS:g} ms", LIMIT_MS, runs, 1.0))
