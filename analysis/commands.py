"""What the analysis commands have in common: options, JSON on stdout alone, progress and errors on stderr, exit status 2."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand

from analysis.forms import MAX_NEED, MAX_THRESHOLD_M, MAX_WEIGHT, MIN_NEED, number
from analysis.results import TRAVELS, Question
from analysis.selectors import city_get
from geo.errors import InvalidInput, MahallehError
from geo.models import Place
from geo.querysets import system_user


class AnalysisCommand(BaseCommand, ABC):
    """A command about one city that answers with a table, or with JSON for another program."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what all have: the city and ``--json``."""
        parser.add_argument("city", help="code of the city, such as khorramabad")
        parser.add_argument("--json", action="store_true", help="print JSON on stdout, and nothing else there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the analysis; an error of the input ends with status 2 and says what to do."""
        try:
            city = city_get(options["city"], system_user())
            self.stderr.write(f"{self.progress} {city.name_en} …", self.style.HTTP_INFO)
            answer = self.answer(city, options)
        except MahallehError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        try:
            if options["json"]:
                json.dump(answer, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
                sys.stdout.write("\n")
            else:
                sys.stdout.write("\n".join(self.table(answer)) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            sys.stdout = None  # type: ignore[assignment]

    progress = "Reading"

    @abstractmethod
    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON-safe answer."""

    @abstractmethod
    def table(self, answer: dict[str, Any]) -> list[str]:
        """Return the answer as lines for a person."""


def add_question_arguments(parser: ArgumentParser) -> None:
    """Add the options that change what is asked."""
    parser.add_argument(
        "--service", action="append", default=[], metavar="CODE", help="only this service; may be given again"
    )
    parser.add_argument(
        "--threshold-m", action="append", default=[], metavar="METRES|CODE=METRES",
        help="threshold of the services asked for, or of one: --threshold-m 600, --threshold-m clinic=600",
    )  # fmt: skip
    parser.add_argument(
        "--weights",
        default="",
        metavar="CODE=NUMBER,…",
        help="weights of the index, such as clinic=2,park=0.5; others keep theirs",
    )
    parser.add_argument(
        "--need",
        default="",
        metavar="CODE=NUMBER,…",
        help="capacity that 1,000 people need, such as clinic=13; whoever finds no room is then without the service",
    )
    parser.add_argument("--normalisation", default="", choices=["", "goalpost", "min-max"])
    parser.add_argument("--aggregation", default="", choices=["", "arithmetic", "geometric"])
    parser.add_argument("--travel", default="", choices=["", *TRAVELS], help="way of travel; the city's own by default")
    parser.add_argument(
        "--population", default="", metavar="CODE", help="source of people; the city's main one by default"
    )
    parser.add_argument(
        "--programme", default="", metavar="CODE", help="programme whose standards hold, such as sdg or sphere"
    )
    parser.add_argument("--scenario", default="", metavar="NUMBER", help="the city with the changes of this scenario")


def question_from_options(options: dict[str, Any], known: list[str]) -> Question:
    """Read the question from a command's options.

    Parameters
    ----------
    options : dict
        As argparse gives them.
    known : list of str
        Codes of the city's services: a threshold without a code goes to the services asked for, or to all of these.

    Raises
    ------
    InvalidInput
        Where a threshold or weight is not a number in range.
    """
    thresholds: dict[str, float] = {}
    for text in options["threshold_m"]:
        code, equals, value = text.rpartition("=")
        metres = number(value, "--threshold-m", 1, MAX_THRESHOLD_M)
        thresholds.update({code: metres} if equals else dict.fromkeys(options["service"] or known, metres))
    return Question(
        thresholds_m=thresholds,
        weights=numbers_by_code(options["weights"], "--weights", 0, MAX_WEIGHT),
        needs_per_1000=numbers_by_code(options["need"], "--need", MIN_NEED, MAX_NEED),
        services=tuple(options["service"]),
        normalisation=options["normalisation"],
        aggregation=options["aggregation"],
        travel=options["travel"],
        population=options["population"],
        programme=options["programme"],
    )


def file_target(text: str, option: str) -> Path | None:
    """Return where a file is to be written; None where nothing is said.

    It is asked before anything is computed, so that nobody waits for what cannot be kept.

    Raises
    ------
    InvalidInput
        Where its folder is not there, or it is a folder itself.
    """
    if not text:
        return None
    target = Path(text)
    if not target.parent.is_dir():
        raise InvalidInput(
            f"There is no folder {str(target.parent)!r}.", code="no_folder", where=option, remedy="Make it first."
        )
    if target.is_dir():
        raise InvalidInput(f"{text!r} is a folder.", code="is_folder", where=option, remedy="Name a file in it.")
    return target


def file_write(target: Path, content: bytes, option: str) -> None:
    """Write a file whole or not at all: one of that name stays as it is until then.

    Raises
    ------
    InvalidInput
        Where it cannot be written.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise InvalidInput(
            f"{str(target)!r} cannot be written: {error.strerror}.",
            code="not_writable",
            where=option,
            remedy="Name another file, or make room.",
        ) from error
    finally:
        with suppress(OSError):  # it was never there, or cannot even be named
            part.unlink()


def numbers_by_code(text: str, option: str, low: float, high: float, *, plain: float | None = None) -> dict[str, float]:
    """Read numbers by code, such as ``clinic=2,park=0.5``.

    Parameters
    ----------
    plain : float, optional
        The number of a code that comes without one; None where each needs its own.

    Raises
    ------
    InvalidInput
        Where one is not a number in range, or a code comes twice.

    Examples
    --------
    >>> numbers_by_code("clinic=2, park", "--indicators", 0, 10, plain=1.0)
    {'clinic': 2.0, 'park': 1.0}
    """
    found: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        code, equals, value = part.partition("=")
        if not equals and plain is None:
            raise InvalidInput(
                f"{part!r} is not a number for a service.",
                code="bad_number",
                where=option,
                remedy="Write CODE=NUMBER, separated by commas.",
            )
        if code.strip() in found:
            raise InvalidInput(
                f"{code.strip()!r} is named twice.", code="bad_choice", where=option, remedy="Name it once."
            )
        found[code.strip()] = number(value, option, low, high) if equals else float(plain or 0)
    return found


def conditions_from(parts: list[str]) -> dict[str, Any]:
    """Read ``FIELD=VALUE`` conditions: a value that can be a number, true or false is looked for as that too.

    Raises
    ------
    InvalidInput
        Where one has no equals sign or no field, or a field comes twice.

    Examples
    --------
    >>> conditions_from(["atencao=Sim", "floors=2"])
    {'atencao': ['Sim'], 'floors': ['2', 2]}
    """
    conditions: dict[str, Any] = {}
    for part in parts:
        field, equals, value = part.partition("=")
        if not equals or not field or field in conditions:
            raise InvalidInput(
                f"{part!r} is not a condition, or its field comes twice.",
                code="bad_condition",
                where="--where",
                remedy="Write FIELD=VALUE, each field once.",
            )
        conditions[field] = [value, *_plain_values(value)]
    return conditions


def _plain_values(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return [value] if isinstance(value, (bool, int, float)) and value == value and abs(value) != float("inf") else []
