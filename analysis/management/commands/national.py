"""``manage.py national <country>``: coverage and priority of all its cities, on all processors or on a cluster."""

from __future__ import annotations

import json
import signal
import sys
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management import BaseCommand
from django.db import InterfaceError, OperationalError

from analysis.commands import add_question_arguments, question_from_options
from analysis.national.running import Step, country_get, national_begin, national_continue, part_get
from analysis.national.totals import national_answer
from geo.errors import MahallehError
from geo.querysets import system_user
from layers.models import Service, Supply

_EVERY_S = 5.0
"""How often a line is written where lines cannot be written over."""


class Command(BaseCommand):
    help = "Compute coverage and priority of all cities of a country; what is done already is kept."
    requires_system_checks = ()  # they load all pages, while the workers wait

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("country", help="code of the country, such as iran")
        parser.add_argument("--only", default="", metavar="PROVINCE", help="only the cities of a province")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--workers", type=int, default=0, help="processes; as many as processors by default")
        where.add_argument(
            "--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.5:8786"
        )
        parser.add_argument("--again", action="store_true", help="compute all anew, as a run of its own")
        parser.add_argument("--json", action="store_true", help="print JSON on stdout, and nothing else there")
        add_question_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it; 1 where a city could not be computed, 2 for an error of the input, 130 where it was stopped."""
        signal.signal(signal.SIGTERM, _interrupt)
        self._told_at, self._is_open = 0.0, False
        began = time.monotonic()
        try:
            country = country_get(options["country"], system_user())
            only = part_get(country, options["only"]) if options["only"] else None
            known = sorted(set(
                Supply.objects.filter(city__path__startswith=f"{country.path}/").values_list("service__code", flat=True)
            ))  # fmt: skip
            question = question_from_options(options, known)
            national, is_new = national_begin(country, question, again=options["again"])
            self.stderr.write(
                f"{'Beginning' if is_new else 'Going on with'} national run {national.pk} of {country.name_en} …",
                self.style.HTTP_INFO,
            )
            states: dict[str, int] = {}
            for step in national_continue(
                national, workers=options["workers"] or None, scheduler=options["scheduler"], only=only
            ):
                states[step.answer["state"]] = states.get(step.answer["state"], 0) + 1
                self._tell(step)
        except MahallehError as error:
            self._line_end()
            self.stderr.write(str(error))
            sys.exit(2)
        except (OperationalError, InterfaceError) as error:
            self._line_end()
            self.stderr.write(
                f"The database is away: {error}\nWhat is done is kept: the same command goes on from there."
            )
            sys.exit(2)
        except KeyboardInterrupt:
            self._line_end()
            self.stderr.write("Stopped. What is done is kept: the same command goes on from there.")
            sys.exit(130)
        self._line_end()
        answer = national_answer(national, only) | {
            "computed": states.get("done", 0), "kept": states.get("kept", 0), "seconds": time.monotonic() - began,
        }  # fmt: skip
        try:
            if options["json"]:
                json.dump(answer, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
                sys.stdout.write("\n")
            else:
                sys.stdout.write("\n".join(_table(answer)) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            sys.stdout = None  # type: ignore[assignment]
        if answer["problems"]:
            sys.exit(1)

    def _tell(self, step: Step) -> None:
        name, answer = step.city.name_en, step.answer
        if answer["state"] == "problem":
            self._line_end()
            self.stderr.write(f"{name} ({step.city.code}): {answer['problem']['title']}")
        now = time.monotonic()
        is_last = step.done == step.of
        if not self.stderr.isatty() and not is_last and now - self._told_at < _EVERY_S:
            return
        self._told_at = now
        took = (
            f"{answer['seconds']:.1f} s, {answer['memory_mb']:,.0f} MB"
            if answer["state"] == "done"
            else answer["state"]
        )
        line = f"{step.done:,} of {step.of:,} cities · {step.people:,.0f} people · {_minutes(step.left_s)} left · {name}: {took}"
        if self.stderr.isatty():
            self.stderr.write(f"\r\033[K{line[:150]}", ending="")
            self.stderr.flush()
            self._is_open = True
        else:
            self.stderr.write(line)

    def _line_end(self) -> None:
        if self._is_open:
            self.stderr.write("")
            self._is_open = False


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _minutes(seconds: float) -> str:
    """Write a time.

    Examples
    --------
    >>> _minutes(75), _minutes(3_700)
    ('1:15', '1:01:40')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _table(answer: dict[str, Any]) -> list[str]:
    services = [code for code in Service.objects.values_list("code", flat=True) if code in answer["total"]["services"]]
    lines = [
        f"National run {answer['run']} of {answer['country']}: {answer['computed']:,} cities computed, {answer['kept']:,} kept, "
        f"{len(answer['problems']):,} with a problem; {_minutes(answer['seconds'])}.",
        "",
        "People covered:",
        "  ".join(["cities", "     people", *(code[:9].rjust(9) for code in services), "province"]),
    ]
    for part in [*answer["provinces"], answer["total"] | {"name_en": "all"}]:
        shares = [part["services"].get(code, {}).get("covered_share") for code in services]
        cells = ["     none" if share is None else f"{share:9.1%}" for share in shares]
        lines.append("  ".join([f"{part['cities']:6,}", f"{part['people']:11,.0f}", *cells, part["name_en"]]))
    if answer["problems"]:
        lines += ["", "Not computed:"]
        lines += [
            f"  {row['name_en']} ({row['city']}): {row['title']} {row.get('remedy', '')}" for row in answer["problems"]
        ]
    if answer["sizes"]:
        lines += ["", "What a city takes:"]
        lines.append("below cells  cities     cells  places  seconds  processor s  of a million cells  memory MB")
    for row in answer["sizes"]:
        below, million = row["below"], row["cpu_seconds_a_million_cells"]
        lines.append(
            f"{f'{below:,}' if below else 'larger':>11}  {row['cities']:6,}  {row['cells']:8,.0f}  {row['places']:6,.0f}  "
            f"{row['seconds']:7.2f}  {row['cpu_seconds']:11.2f}  {million or 0:18.1f}  {row['memory_mb']:9,.0f}"
        )
    return lines
