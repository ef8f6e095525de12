"""Ordering a national run: begun or gone on with, the largest cities first, and told as it proceeds."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from analysis.models import NationalCity, NationalRun
from analysis.national.city import WrongWorker, question_kept
from analysis.national.cluster import done_by_cluster
from analysis.national.processes import done_by_processes
from analysis.national.worker import Task
from analysis.results import Question
from analysis.version import code_version
from geo.errors import Conflict, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Service
from layers.standards import programme_required

_AS_MANY_PLACES = 20
"""A city takes the time of its places, and of so many more for being one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One city is over.

    Attributes
    ----------
    city
        The city.
    answer
        What `analysis.national.city.city_compute` said.
    done, of
        Cities that are over, and all.
    people
        In the cities that are over.
    left_s
        Seconds that the rest will take, by the time the others took.
    """

    city: Place
    answer: dict[str, Any]
    done: int
    of: int
    people: float
    left_s: float


def country_get(code: str, user: User) -> Place:
    """Return a country a user may see.

    Raises
    ------
    NotFound
        Where there is none.
    """
    seen = Place.objects.visible_to(user).filter(kind=Place.Kind.COUNTRY)
    country = seen.filter(code=code).first()
    if country is None:
        known = list(seen.values_list("code", flat=True)[:20])
        raise NotFound(
            f"There is no country {code!r}.",
            code="unknown_country",
            remedy=f"Choose one of: {', '.join(known) or 'none is loaded yet'}.",
            details={"country": code, "choices": known},
        )
    return country


def part_get(country: Place, code: str) -> Place:
    """Return a province of a country.

    Raises
    ------
    NotFound
        Where there is none.
    """
    provinces = Place.objects.within(country).filter(kind=Place.Kind.PROVINCE)
    province = provinces.filter(code=code).first()
    if province is None:
        known = list(provinces.values_list("code", flat=True)[:40])
        raise NotFound(
            f"{country.name_en} has no province {code!r}.",
            code="unknown_province",
            where="--only",
            remedy=f"Choose one of: {', '.join(known) or 'none is loaded yet'}.",
            details={"country": country.name, "province": code, "choices": known},
        )
    return province


def national_begin(country: Place, question: Question, *, again: bool = False) -> tuple[NationalRun, bool]:
    """Return the national run that asks a question by the code as it is: a new one, or the newest, to go on with.

    Returns
    -------
    tuple
        The run, and whether it is new.

    Raises
    ------
    NotFound
        Where the question names a service that nobody knows, or a programme that no standard is of.
    InvalidInput
        Where the question is about changes of one city.
    """
    codes = set(Service.objects.values_list("code", flat=True))
    if unknown := question.unknown(codes):
        name, code = unknown
        raise NotFound(
            f"There is no service {code!r}.",
            code="unknown_service",
            where=name,
            remedy=f"Choose one of: {', '.join(sorted(codes)) or 'none'}.",
            details={"service": code, "choices": sorted(codes)},
        )
    programme_required(question.programme)
    kept = question_kept(question)
    same = NationalRun.objects.filter(country=country, question=kept, code_version=code_version())
    newest = None if again else same.first()
    if newest is not None:
        return newest, False
    return NationalRun.objects.create(country=country, question=kept, code_version=code_version()), True


def national_continue(
    national: NationalRun, *, workers: int | None = None, scheduler: str = "", only: Place | None = None
) -> Iterator[Step]:
    """Have the cities of a national run computed that are not yet, or whose inputs have changed since; give each when it is over.

    Whoever stops in between, and whatever dies, loses no city that was given: the next time it is kept.

    Parameters
    ----------
    national
        From `national_begin`.
    workers
        Processes of this machine; as many as there are processors if None.
    scheduler
        Address of a Dask scheduler, whose workers compute instead.
    only
        A province: the others' cities are left for another time.

    Raises
    ------
    NotFound
        Where there is no city.
    InvalidInput
        Where no scheduler answers.
    WrongWorker
        Where a worker has another database or other code.
    Conflict
        Where the database stays away, or the scheduler goes.
    """
    within = only or national.country
    cities = {city.pk: city for city in Place.objects.within(within).cities()}
    if not cities:
        raise NotFound(
            f"{within.name_en} has no city.",
            code="no_cities",
            where=within.code,
            remedy="Load one, as docs/city-description.md explains.",
            details={"place": within.name},
        )
    NationalCity.objects.bulk_create(
        [NationalCity(national=national, city=city) for city in cities.values()], ignore_conflicts=True, batch_size=2000
    )
    if national.finished_at is not None:
        national.finished_at = None
        national.save(update_fields=["finished_at"])
    sizes = _sizes(within, list(cities.values()))
    order = sorted(cities, key=lambda pk: (-sizes[pk], cities[pk].path))
    tasks: list[Task] = [(national.pk, national.country.path, pk, national.code_version) for pk in order]
    close_old_connections()  # the database may be started again while it is not asked
    answers = (
        done_by_cluster(tasks, scheduler) if scheduler else done_by_processes(tasks, workers or os.cpu_count() or 1)
    )
    began, before, people, size, whole = time.monotonic(), 0, 0.0, 0, sum(sizes.values())
    for done, (task, answer) in enumerate(answers, start=1):
        city = cities[task[2]]
        if answer["state"] == "wrong":
            raise WrongWorker(str(answer["problem"]["title"]), remedy=str(answer["problem"]["remedy"]))
        if answer["state"] == "again":
            raise Conflict(
                f"The database is away: {answer['problem']['title']}",
                code="database_away",
                remedy="Start it, and the same command: what is done is kept.",
            )
        if answer["state"] == "problem" and "people" not in answer:  # its worker died, and could not record it
            NationalCity.objects.filter(national=national, city=city).update(
                problem=answer["problem"], coverage=None, priority=None, input_key="", done_at=timezone.now()
            )
            close_old_connections()
        people += answer.get("people", 0.0)
        size += sizes[city.pk]
        left_s = (time.monotonic() - began) / (size - before) * (whole - size)
        if done == 1:  # until then the workers were starting
            began, before = time.monotonic(), size
        yield Step(city, answer, done, len(tasks), people, left_s)
    if not NationalCity.objects.filter(national=national, done_at__isnull=True).exists() and only is None:
        national.finished_at = timezone.now()
        national.save(update_fields=["finished_at"])


def _sizes(within: Place, cities: list[Place]) -> dict[int, int]:
    """Return how much work each city is, by the number of its places."""
    paths = {city.path: city.pk for city in cities}
    sizes: Counter[int] = Counter({city.pk: _AS_MANY_PLACES for city in cities})
    below = Place.objects.within(within).filter(kind__in=[Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT])
    for path in below.values_list("path", flat=True):
        while path and path not in paths:
            path = path.rpartition("/")[0]
        if path:
            sizes[paths[path]] += 1
    return dict(sizes)
