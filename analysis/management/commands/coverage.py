"""``manage.py coverage <city>``: who is within reach of which service."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.commands import AnalysisCommand, add_question_arguments, question_from_options
from analysis.forms import MAX_CELL_M, MIN_CELL_M, number
from analysis.scenarios import with_scenario
from analysis.services import coverage_compute, coverage_parameters, coverage_rows, run_record
from geo.models import Place
from geo.querysets import system_user
from layers.models import Supply


class Command(AnalysisCommand):
    help = "Compute the coverage of a city's places by its services."
    progress = "Computing the coverage of"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_question_arguments(parser)
        parser.add_argument(
            "--cell-m", default="", help="side of a grid cell in metres, 1 to 1000; the city's own by default"
        )
        parser.add_argument("--record", action="store_true", help="keep the result as a run")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        known = list(Supply.objects.filter(city=city).values_list("service__code", flat=True))
        cell_m = number(options["cell_m"], "--cell-m", MIN_CELL_M, MAX_CELL_M) if options["cell_m"] else None
        question = question_from_options(options, known)
        question = with_scenario(question, options["scenario"], city=city, user=system_user())
        result = coverage_compute(city=city, user=system_user(), question=question, cell_m=cell_m)
        for warning in result.warnings:
            self.stderr.write(f"Note: {warning}")
        run = run_record(result) if options["record"] else None
        return {
            "city": city.code,
            "run": run.pk if run else None,
            "places": coverage_rows(result),
            "parameters": coverage_parameters(result),
            "inputs": dict(result.inputs),
            "warnings": list(result.warnings),
        }

    def table(self, answer: dict[str, Any]) -> list[str]:
        services = list(answer["parameters"]["thresholds_m"])
        lines = ["  ".join(["people".rjust(9), *(code[:9].rjust(9) for code in services), "place"])]
        for place in answer["places"]:
            shares = [place["services"][code]["population_share"] for code in services]
            cells = ["     none" if share is None else f"{share:9.1%}" for share in shares]
            lines.append("  ".join([f"{place['population']:9,.0f}", *cells, place["name_en"]]))
        return lines
