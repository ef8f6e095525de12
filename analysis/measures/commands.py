"""What the commands of measures have in common: the question, the run, the workbook, and a table for people."""

from __future__ import annotations

from abc import abstractmethod
from argparse import ArgumentParser
from typing import Any

from analysis.commands import AnalysisCommand, add_question_arguments, file_target, file_write, question_from_options
from analysis.forms import MAX_CELL_M, MIN_CELL_M, number
from analysis.measures.records import measure_record
from analysis.measures.tables import Answer
from analysis.measures.workbooks import workbook
from analysis.results import Question
from geo.models import Place
from layers.models import Supply


def codes_of(city: Place) -> list[str]:
    """Return the codes of a city's services."""
    return list(Supply.objects.filter(city=city).values_list("service__code", flat=True))


class MeasureCommand(AnalysisCommand):
    """A command that computes one measure of a city."""

    shown: tuple[str, ...] = ()
    """Columns of the table for people."""
    table_name = "places"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what all measures have: question, cells, run and workbook."""
        super().add_arguments(parser)
        add_question_arguments(parser)
        parser.add_argument(
            "--cell-m", default="", help="side of a grid cell in metres, 1 to 1000; the city's own by default"
        )
        parser.add_argument("--record", action="store_true", help="keep the result as a run")
        parser.add_argument("--xlsx", default="", metavar="FILE", help="write a workbook with a codebook, too")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        """Return tables, parameters and inputs."""
        target = file_target(options["xlsx"], "--xlsx")
        question = question_from_options(options, codes_of(city))
        cell_m = number(options["cell_m"], "--cell-m", MIN_CELL_M, MAX_CELL_M) if options["cell_m"] else None
        found = self.measured(city, question, cell_m, options)
        for warning in found.basis.warnings:
            self.stderr.write(f"Note: {warning}")
        if target:
            file_write(target, workbook(found, is_insider=True), "--xlsx")
            self.stderr.write(f"Wrote {target}.")
        run = measure_record(found) if options["record"] else None
        return {
            "city": city.code,
            "measure": found.measure,
            "run": run.pk if run else None,
            "tables": found.rows(),
            "parameters": dict(found.parameters),
            "inputs": dict(found.basis.inputs),
            "warnings": list(found.basis.warnings),
        }

    @abstractmethod
    def measured(self, city: Place, question: Question, cell_m: float | None, options: dict[str, Any]) -> Answer:
        """Return the measure."""

    def table(self, answer: dict[str, Any]) -> list[str]:
        """Return one line for each row of the table."""
        rows = answer["tables"][self.table_name]
        lines = ["  ".join([*(name[:14].rjust(14) for name in self.shown), "service", "place"])]
        for row in rows:
            cells = [_cell(row.get(name)) for name in self.shown]
            lines.append("  ".join([*cells, str(row.get("service", "")), str(row.get("name_en", ""))]).rstrip())
        return lines


def _cell(value: Any) -> str:
    if value is None:
        return "–".rjust(14)
    return (f"{value:,.3f}" if isinstance(value, float) else str(value)).rjust(14)
