"""``manage.py utility <city> --of water``: who has a utility, in one way that the result names."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, get_args

from analysis.measures.answers import utility_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.tables import Answer
from analysis.measures.utilities import Way, utility_compute
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = "Compute who has a utility: near a main, in a served zone, or by a surveyed share."
    progress = "Computing the utility in"
    shown = ("population", "population_share", "uncovered_people", "way")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--of", required=True, metavar="CODE", help="code of the utility, such as water")
        parser.add_argument("--way", default="main", choices=get_args(Way))
        parser.add_argument("--layer", default="", metavar="CODE", help="polygons of served zones, or of the survey")
        parser.add_argument("--field", default="", help="field with the surveyed share, 0 to 1")

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        return utility_answer(
            utility_compute(
                city=city, user=system_user(), service=options["of"], way=options["way"], layer=options["layer"],
                field=options["field"], question=question, cell_m=cell_m,
            )
        )  # fmt: skip
