"""``manage.py curves <city>``: how far people have: percentiles, whole curves, nearest facilities."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.measures.answers import distances_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.distances import distances_compute
from analysis.measures.tables import Answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = "Compute percentiles and curves of the distance to services, and the facility nearest to most of each place."
    progress = "Computing the distances of"
    shown = ("population", "p10_m", "p50_m", "p90_m")
    table_name = "percentiles"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--nearest", action="store_true", help="find the nearest facilities, too")

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        return distances_answer(
            distances_compute(
                city=city, user=system_user(), question=question, cell_m=cell_m, has_nearest=options["nearest"]
            )
        )
