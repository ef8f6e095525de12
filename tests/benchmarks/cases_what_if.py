"""What if: a facility dragged across a large city, through the whole web stack, and the city recomputed instead."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from analysis.caching import caches_clear
from analysis.core.changes import FacilityMoved
from analysis.inputs import inputs_read
from analysis.results import Question
from analysis.selectors import city_get, city_read
from analysis.services import priority_compute
from geo.querysets import system_user
from tests.benchmarks.measuring import Report, Row, interleaved_ms
from tests.benchmarks.sized_city import SEED, Size, sized_city_load

LIMIT_MS = 50.0


def what_if_cases(report: Report, runs: int, *, is_quick: bool) -> None:
    """Measure a moved clinic, in a straight line and along streets, against the limit and a recomputation."""
    folder = Path(os.environ["MAHALLEH_VAR"]) / "what-if"
    folder.mkdir(parents=True, exist_ok=True)
    sized_city_load(folder, Size(5, 4, 5_000) if is_quick else Size(20, 15, 500_000))
    city = city_get("sized", system_user())
    size = _size()
    user, _ = get_user_model().objects.get_or_create(username="what-if", is_superuser=True)
    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
    client.force_login(user)
    for travel in ("straight", "streets"):
        question = {"travel": travel}
        rng = np.random.default_rng(SEED)
        known = json.loads(_sent(client, question, [], ""))
        west, south, east, north = _bounds(client)

        def moved(
            rng: np.random.Generator = rng, bounds: tuple[float, ...] = (west, south, east, north)
        ) -> dict[str, object]:
            lon, lat = rng.uniform(bounds[:2], bounds[2:])
            return {"type": "facility-moved", "service": "clinic", "number": 1, "lon": lon, "lat": lat}

        def drag(
            question: dict[str, str] = question, since: str = known["since"], move: Callable[[], object] = moved
        ) -> bytes:
            return _sent(client, question, [move()], since)

        def recompute(travel: str = travel, move: Callable[[], dict[str, object]] = moved) -> None:
            change = move()
            caches_clear()
            changes = (FacilityMoved("clinic", 1, float(str(change["lon"])), float(str(change["lat"]))),)
            priority_compute(city=city, user=system_user(), question=Question(travel=travel, changes=changes))

        full_ms = interleaved_ms({"full": recompute}, min(runs, 3))["full"]
        # The first move measures what stays, which all others then use.
        _sent(client, question, [], "")
        drag()
        told_ms: list[float] = []
        sizes: list[int] = []

        def told(drag: Callable[[], bytes] = drag, told_ms: list[float] = told_ms, sizes: list[int] = sizes) -> None:
            answer = drag()
            sizes.append(len(answer))
            told_ms.append(json.loads(answer)["server_ms"])

        whole_ms = interleaved_ms({"drag": told}, max(4 * runs, 2))["drag"]
        report.add(
            Row(
                f"what if: a clinic moved, {travel}",
                size,
                whole_ms,
                f"the limit of {LIMIT_MS:g} ms",
                LIMIT_MS,
                runs,
                1.0,
            )
        )
        report.add(Row("  the same", size, whole_ms, "recomputing the city from empty caches", full_ms, runs))
        report.note(
            f"What if, {travel}: {np.median(told_ms):.1f} ms in our own code, {np.median(sizes) / 1000:.1f} kB of JSON."
        )


def _sent(client: Client, question: dict[str, str], changes: list[object], since: str) -> bytes:
    body = json.dumps({"question": question, "changes": changes, "since": since})
    answer = client.post("/api/v1/cities/sized/what-if", body, content_type="application/json")
    assert answer.status_code == 200, answer.content[:300]
    return bytes(answer.content)


def _bounds(client: Client) -> tuple[float, ...]:
    answer = client.get("/api/v1/cities/sized/facilities?service=clinic")
    at = np.array([[one["lon"], one["lat"]] for one in answer.json()["facilities"]])
    return (*at.min(axis=0).tolist(), *at.max(axis=0).tolist())


def _size() -> str:
    inputs = inputs_read(city_read(city_get("sized", system_user()), system_user()), Question())
    people = inputs.arrays.people
    return f"{len(inputs.places.rows)} × {len(inputs.services)} × {np.unique(inputs.ground.cells[people > 0]).size:,}"
