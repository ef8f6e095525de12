"""One city of a national run: computed as by `coverage_compute` and `priority_compute`, recorded once, whoever does it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.utils import timezone

from analysis.caching import caches_clear, content_key
from analysis.models import NationalCity
from analysis.national.memory import memory_peak_mb, memory_peak_reset, memory_return
from analysis.questions import question_from_json, question_to_json
from analysis.results import CityCoverage, CityPriority, Question
from analysis.selectors import city_key, city_read
from analysis.services import priority_compute, run_record
from analysis.version import code_version
from geo.errors import Conflict, InvalidInput, MahallehError
from geo.models import Place
from geo.querysets import system_user

_log = logging.getLogger("mahalleh.national")


class WrongWorker(Conflict):
    """A worker has another database or other code than who ordered the work."""

    default_code = "wrong_worker"


def question_kept(question: Question) -> dict[str, Any]:
    """Return a question as JSON, without what it leaves open.

    Raises
    ------
    InvalidInput
        Where it is about changes of one city.

    Examples
    --------
    >>> question_kept(Question(weights={"clinic": 2.0}, services=("clinic", "park")))
    {'weights': {'clinic': 2.0}, 'services': ['clinic', 'park']}
    """
    if question.changes:
        raise InvalidInput(
            "Changes are about one city.", code="not_national", where="changes", remedy="Ask this of the city."
        )
    return question_to_json(question)


def question_of(kept: Mapping[str, Any], has: frozenset[str]) -> Question:
    """Return the question as a city is asked it: about the services that the city has.

    Parameters
    ----------
    kept
        From `question_kept`.
    has
        Codes of the city's services.

    Raises
    ------
    InvalidInput
        Where the city has none of the services asked for.
    """
    question = question_from_json(dict(kept))
    asked = question.about(has)
    if question.services and not asked.services:
        raise InvalidInput(
            "The city has none of the services asked for.",
            code="no_services",
            where="service",
            remedy="Load a layer and say which service it supplies.",
        )
    return asked


def city_compute(national_id: int, country_path: str, city_id: int, code: str) -> dict[str, Any]:
    """Compute a city of a national run and record it, unless this was done with the same inputs.

    Parameters
    ----------
    national_id, country_path
        The run, and its country, so that another database is noticed.
    city_id
        The city.
    code
        `analysis.version.code_version` of who orders the work.

    Returns
    -------
    dict
        ``state`` (``done``, ``kept`` or ``problem``), ``people``, ``seconds``, ``cpu_seconds``, ``memory_mb``, and the
        ``problem`` if there is one.

    Raises
    ------
    WrongWorker
        Where this process has another database or other code.
    OperationalError, InterfaceError
        Where the database is away; it may be tried again.
    """
    close_old_connections()
    rows = NationalCity.objects.filter(national=national_id, city=city_id, national__country__path=country_path)
    row = rows.select_related("national", "city").first()
    if row is None or code != code_version():
        what = "code" if row else "database"
        raise WrongWorker(
            f"A worker has another {what} than this national run.",
            remedy="Start the workers with the same checkout, and with the same DATABASE_URL and MAHALLEH_VAR.",
        )
    city, asked, user, key = row.city, row.national.question, system_user(), ""
    # What was never computed is read once, and its key is of what was read.
    if row.coverage_id is not None and row.input_key == content_key("national", city_key(city, user), asked, code):
        return {"state": "kept", **_told(row)}
    memory_peak_reset()
    begun, cpu = time.perf_counter(), time.process_time()
    result: CityPriority | None = None
    problem: dict[str, object] = {}
    try:
        reading = city_read(city, user)
        key = content_key("national", reading.key, asked, code)
        question = question_of(asked, frozenset(found.supply.service.code for found in reading.supplied))
        result = priority_compute(city=city, user=user, question=question, reading=reading)
    except MahallehError as error:
        problem = error.members()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one city, the others go on
        _log.exception("%s cannot be computed", city.code)
        problem = {"title": f"{type(error).__name__}: {error}"[:500], "code": "unexpected"}
    finally:
        caches_clear()
    with transaction.atomic():
        row = NationalCity.objects.select_for_update().get(pk=row.pk)
        if row.input_key == key and row.coverage_id is not None:  # another worker was asked too, and was faster
            return {"state": "kept", **_told(row)}
        row.input_key, row.problem, row.done_at = key, problem, timezone.now()
        row.coverage = run_record(result.coverage) if result else None
        row.priority = run_record(result) if result else None
        row.totals = city_totals(result.coverage) if result else {}
        row.people = row.totals["people"] if result else 0.0
        row.places = len(result.coverage.places) if result else 0
        grid = result.coverage.inputs["grid"] if result else {"rows": 0, "columns": 0}
        row.cells = grid["rows"] * grid["columns"]
        row.seconds, row.cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
        row.memory_mb = memory_peak_mb()
        row.save()
    del result
    memory_return()
    return {"state": "problem" if problem else "done", **_told(row)}


def _told(row: NationalCity) -> dict[str, Any]:
    told: dict[str, Any] = {
        "people": row.people, "seconds": row.seconds, "cpu_seconds": row.cpu_seconds, "memory_mb": row.memory_mb,
    }  # fmt: skip
    return told | {"problem": row.problem} if row.problem else told


def city_totals(result: CityCoverage) -> dict[str, Any]:
    """Add a city's places up, as JSON: people, land, and by service the people and the land not covered.

    Settlements lie over neighbourhoods and would count the same people twice: they are added apart, and make up the city
    only where it has nothing else.

    Returns
    -------
    dict
        ``people``, ``area_m2``, ``services`` (code to ``uncovered_people``, ``uncovered_m2``, ``unreachable_people``), and
        ``settlements``, the same of them; people are zero where nobody counted them.
    """
    is_settlement = np.array([place.kind == Place.Kind.SETTLEMENT for place in result.places])
    whole = ~is_settlement if not is_settlement.all() else is_settlement
    return _added(result, whole) | {"settlements": _added(result, is_settlement)}


def _added(result: CityCoverage, rows: Any) -> dict[str, Any]:
    values = result.values
    return {
        "people": float(values.population[rows].sum()),
        "area_m2": float(values.area_m2[rows].sum()),
        "services": {
            service.code: {
                "uncovered_people": float(values.uncovered_people[rows, k].sum()),
                "uncovered_m2": float((values.area_m2[rows] * (1 - values.area_share[rows, k])).sum()),
                "unreachable_people": float(values.unreachable_people[rows, k].sum()),
            }
            for k, service in enumerate(result.services)
        },
    }
