"""``manage.py access <city>``: how much of each service's capacity people can count on (2SFCA, E2SFCA)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, get_args

from analysis.forms import MAX_THRESHOLD_M, number
from analysis.measures.access import HowShared, access_compute
from analysis.measures.answers import access_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.results import Decaying
from analysis.measures.tables import Answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = "Compute how much of each service's capacity the people of each place can count on."
    progress = "Computing access in"
    shown = ("population", "per_1000", "unmet_people", "unreached_people")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--decay", default="2sfca", choices=get_args(Decaying), help="how weights fall with the cost"
        )
        parser.add_argument("--limit-m", default="", help="beyond it nobody counts; the service's threshold by default")
        parser.add_argument("--count", action="store_true", help="count each facility as one, whatever its capacity")
        parser.add_argument("--per-1000", default="", help="capacity that 1,000 people need; the standard by default")

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        how = HowShared(
            options["decay"],
            number(options["limit_m"], "--limit-m", 1, MAX_THRESHOLD_M) if options["limit_m"] else None,
            options["count"],
            number(options["per_1000"], "--per-1000", 0.001, 100_000) if options["per_1000"] else None,
        )
        return access_answer(access_compute(city=city, user=system_user(), question=question, how=how, cell_m=cell_m))
