"""``manage.py equity <city>``: how unevenly people are near services, and who has farther to go."""

from __future__ import annotations

from typing import Any

from analysis.measures.answers import equity_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.equity import equity_compute
from analysis.measures.tables import Answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = "Compute Gini, Palma, concentration and shortfall of the distance to services, settlements against the rest."
    progress = "Computing the equity of"
    shown = ("gini", "palma", "by_settlement", "fgt1", "covered_settlements", "covered_rest")
    table_name = "services"

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        return equity_answer(equity_compute(city=city, user=system_user(), question=question, cell_m=cell_m))
