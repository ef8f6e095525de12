"""``manage.py land <city>``: how much land of each use there is for each person (saraneh)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.forms import number
from analysis.measures.answers import land_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.land import land_compute
from analysis.measures.tables import Answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = "Compute the land of each use for each person, within places and within reach, against the standard."
    progress = "Measuring the land of"
    shown = ("population", "within_per_person_m2", "reached_per_person_m2", "within_deficit_m2")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--m2-per-person", default="", help="the standard; that of the city's size by default")

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        standard = options["m2_per_person"]
        return land_answer(
            land_compute(
                city=city, user=system_user(), question=question, cell_m=cell_m,
                m2_per_person=number(standard, "--m2-per-person", 0.001, 100_000) if standard else None,
            )
        )  # fmt: skip
