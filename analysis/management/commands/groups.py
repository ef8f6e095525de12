"""``manage.py groups <city>``: who is covered among women, children, older people."""

from __future__ import annotations

from typing import Any

from analysis.measures.answers import groups_answer
from analysis.measures.commands import MeasureCommand
from analysis.measures.groups import groups_compute
from analysis.measures.tables import Answer
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user


class Command(MeasureCommand):
    help = "Compute the coverage of each group of people that the city's source of people counts."
    progress = "Computing the coverage of groups in"
    shown = ("group", "population", "population_share", "uncovered_people")

    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        return groups_answer(groups_compute(city=city, user=system_user(), question=question, cell_m=cell_m))
