"""``manage.py frequency <city>``: how many departures of public transport a week leave from within people's reach."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.forms import edges_from
from analysis.measures.answers import frequency_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.frequency import frequency_compute
from analysis.measures.tables import Answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = (
        "Compute how many departures of public transport a week leave from within reach, and people in classes of them."
    )
    progress = "Computing frequency in"
    shown = ("population", "departures_week", "lines_each", "class0_people", "class1_people", "class2_people")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--edges",
            default="",
            metavar="N,N",
            help="departures a week at which classes begin; the service's by default",
        )

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        edges = edges_from(options["edges"], "--edges") if options["edges"] else None
        return frequency_answer(
            frequency_compute(city=city, user=system_user(), question=question, edges=edges, cell_m=cell_m)
        )
