"""``manage.py prioritise <city>``: where the need is greatest, and why."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.commands import AnalysisCommand, add_question_arguments, question_from_options
from analysis.scenarios import with_scenario
from analysis.services import priority_compute, priority_parameters, priority_rows, run_record
from geo.models import Place
from geo.querysets import system_user
from layers.models import Supply


class Command(AnalysisCommand):
    help = "Rank a city's places by need."
    progress = "Ranking the places of"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_question_arguments(parser)
        parser.add_argument("--record", action="store_true", help="keep the result as a run")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        known = list(Supply.objects.filter(city=city).values_list("service__code", flat=True))
        question = question_from_options(options, known)
        question = with_scenario(question, options["scenario"], city=city, user=system_user())
        result = priority_compute(city=city, user=system_user(), question=question)
        for warning in result.coverage.warnings:
            self.stderr.write(f"Note: {warning}")
        run = run_record(result) if options["record"] else None
        return {
            "city": city.code,
            "run": run.pk if run else None,
            "places": priority_rows(result),
            "parameters": priority_parameters(result),
            "inputs": dict(result.coverage.inputs),
            "warnings": list(result.coverage.warnings),
        }

    def table(self, answer: dict[str, Any]) -> list[str]:
        lines = ["  ".join(["rank", " score", "   people", "largest contributions"])]
        for place in answer["places"]:
            largest = sorted(place["contributions"].items(), key=lambda item: -item[1])[:3]
            why = ", ".join(f"{code} {value:.1f}" for code, value in largest)
            lines.append(
                f"{place['rank']:4d}  {place['score']:6.1f}  {place['population']:9,.0f}  {place['name_en']}: {why}"
            )
        return lines
