"""What a query string asks of a measure: the question, the services, and what only this measure knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal, cast

from django.http import HttpRequest

from analysis.forms import MAX_THRESHOLD_M, edges_from, number
from analysis.measures.access import HowShared
from analysis.measures.results import Decaying
from analysis.results import Question
from analysis.scenarios import question_asked
from geo.errors import InvalidInput
from geo.models import Place

Format = Literal["json", "xlsx"]
FORMATS: Final[tuple[Format, ...]] = ("json", "xlsx")
_MOST_SERVICES: Final = 100


def question_of(request: HttpRequest, city: Place) -> Question:
    """Return the question of a query string; ``service`` may be given again, and leaves the others out.

    Raises
    ------
    InvalidInput, NotFound
        As `analysis.scenarios.question_asked`.
    """
    asked = question_asked(request.GET.dict(), city=city, user=request.user)
    services = tuple(dict.fromkeys(code[:80] for code in request.GET.getlist("service") if code))[:_MOST_SERVICES]
    return replace(asked, services=services) if services else asked


def format_of(request: HttpRequest) -> Format:
    """Return the form in which the answer is wanted.

    Raises
    ------
    InvalidInput
        Where there is no such form (``bad_format``).
    """
    return cast(Format, one_of(request.GET.get("format", "json"), FORMATS, "format", "bad_format"))


def sharing_of(request: HttpRequest) -> HowShared:
    """Return how capacity is shared: ``decay``, ``limit`` (m), ``capacity=count``, ``per-1000``.

    Raises
    ------
    InvalidInput
        Where a value is not possible.
    """
    asked = request.GET
    capacity = one_of(asked.get("capacity", "") or "field", ("field", "count"), "capacity", "bad_capacity")
    return HowShared(
        decay=cast(Decaying, asked.get("decay", "")[:20] or "2sfca"),
        limit_m=number_of(request, "limit", 1, MAX_THRESHOLD_M),
        counts_one=capacity == "count",
        per_1000=number_of(request, "per-1000", 0.001, 100_000),
    )


def edges_of(request: HttpRequest) -> tuple[float, ...] | None:
    """Return where classes of departures a week begin: ``edges=100,400``; None where they are left out.

    Raises
    ------
    InvalidInput
        Where one is no number (``bad_number``).
    """
    text = request.GET.get("edges", "")[:200]
    return edges_from(text, "edges") if text else None


def number_of(request: HttpRequest, name: str, low: float, high: float) -> float | None:
    """Return a number of the query string, None where it is left out.

    Raises
    ------
    InvalidInput
        Where it is no number in range (``bad_number``).
    """
    text = request.GET.get(name, "")
    return number(text, name, low, high) if text != "" else None


def one_of(value: str, choices: Iterable[str], where: str, code: str) -> str:
    """Return a value that is one of some choices.

    Raises
    ------
    InvalidInput
        Where it is none of them.
    """
    known = list(choices)
    if value not in known:
        raise InvalidInput(
            f"{value[:40]!r} is none of the choices.",
            code=code,
            where=where,
            remedy=f"Choose one of: {', '.join(known)}.",
            details={"value": value[:40], "choices": known},
        )
    return value
