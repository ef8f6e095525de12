"""``manage.py blocks <city> [--place <code>]``: homes without access in one place or all, and paths that would give it; each is kept as a run."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, get_args

from django.utils import timezone

from analysis.commands import AnalysisCommand, file_target, file_write
from analysis.core.reblocking import Goal
from analysis.forms import number
from analysis.selectors import place_number
from analysis.settlement_form import (
    FormQuestion,
    FormReading,
    WornRule,
    alternatives_of,
    city_workbook,
    form_keep,
    form_of,
    form_reading,
    form_record,
    form_workbook,
    forms_kept,
    plans_of,
)
from geo.errors import InvalidInput, LimitExceeded
from geo.models import Place
from geo.querysets import system_user


class Command(AnalysisCommand):
    help = (
        "Measure the blocks of a place, or of all places of a city: homes without access, narrow passages, small plots; "
        "and find paths that would help. What was measured is kept as a run."
    )
    progress = "Measuring blocks in"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--place", default="", metavar="CODE", help="one place; all where it is left out")
        parser.add_argument("--streets", default="roads", metavar="LAYER")
        parser.add_argument("--buildings", default="buildings", metavar="LAYER")
        parser.add_argument("--width-field", default="width_m", metavar="FIELD", help="of the streets, in metres")
        parser.add_argument("--narrowest-m", default="0", metavar="METRES", help="narrower streets give no access")
        parser.add_argument(
            "--paths", default="", choices=["", *get_args(Goal)], help="find new paths of one place, chosen for this"
        )
        parser.add_argument("--path-width-m", default="4", metavar="METRES")
        parser.add_argument("--cost-per-m", default="0", metavar="RIALS")
        parser.add_argument("--xlsx", default="", metavar="FILE", help="write a workbook with a codebook, too")
        parser.add_argument(
            "--marks",
            default="2",
            choices=["1", "2", "3"],
            help="of the workbook: worn fabric has so many marks of three",
        )
        parser.add_argument("--share", default="50", metavar="PERCENT", help="of the workbook: a mark is above this")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        target = file_target(options["xlsx"], "--xlsx")
        rule = WornRule(int(options["marks"]), number(options["share"], "--share", 0, 100) / 100)
        asked = FormQuestion(
            streets=options["streets"],
            buildings=options["buildings"],
            width_field=options["width_field"],
            narrowest_m=number(options["narrowest_m"], "--narrowest-m", 0, 100),
            goal=options["paths"] or None,
            path_width_m=number(options["path_width_m"], "--path-width-m", 0.5, 40),
            cost_per_m=number(options["cost_per_m"], "--cost-per-m", 0, 1e12),
        )
        reading = form_reading(city, system_user(), asked)
        if options["place"]:
            row = place_number(city, reading.places, options["place"])
            run = form_keep(reading, row, asked, None)
            told = dict(run.result)
            if asked.goal is not None:
                told["paths"] = form_record(form_of(reading, row, asked), asked)["paths"]
            if target:
                self._write(target, _place_book(reading, row, asked, rule, told.get("paths")))
            return {"city": city.code, "run": run.pk, **told}
        if asked.goal is not None:
            raise InvalidInput(
                "Paths are found for one place at a time.",
                code="no_place",
                where="--paths",
                remedy="Name it with --place.",
            )
        places, refused = [], {}
        for row, place in enumerate(reading.places.rows):
            self.stderr.write(f"{row + 1} of {len(reading.places.rows)}: {place.name_en}")
            try:
                run = form_keep(reading, row, asked, None)
            except (InvalidInput, LimitExceeded) as error:
                refused[place.code] = str(error)
            else:
                places.append({"run": run.pk, **run.result})
        if target:
            every, runs = range(len(reading.places.rows)), forms_kept(reading, system_user(), asked)
            self._write(target, city_workbook(reading, every, runs, asked, rule, written_at=timezone.now()))
        return {"city": city.code, "places": places, "not_measured": refused}

    def _write(self, target: Path, content: bytes) -> None:
        file_write(target, content, "--xlsx")
        self.stderr.write(f"Wrote {target}.")

    def table(self, answer: dict[str, Any]) -> list[str]:
        if "places" in answer:
            lines = ["place         homes  without   k"]
            places = sorted(answer["places"], key=lambda one: -one["homes_without_access"] / one["buildings"])
            lines += [
                f"{one['place']:<12} {one['buildings']:6,}  {one['homes_without_access']:7,}  {one['k']:2}"
                for one in places
            ]
            return [*lines, *answer["not_measured"].values()]
        passages, plots = (answer[name]["share"] for name in ("passages_under_6_m", "plots_under_200_m2"))
        lines = [
            f"{answer['buildings']:,} buildings in {answer['blocks']:,} blocks; "
            f"{answer['homes_without_access']:,} without access; k up to {answer['k']}.",
            f"Passages under 6 m: {_percent(passages)} of the length; plots under 200 m²: {_percent(plots)}.",
            "   k  blocks",
        ]
        lines += [f"{k:>4}  {count:6,}" for k, count in answer["blocks_by_k"].items()]
        if "paths" in answer:
            paths = answer["paths"]
            lines.append(
                f"New paths ({paths['goal']}): {paths['length_m']:,.0f} m, {paths['homes_touched']:,} homes touched; "
                f"{paths['homes_without_access_after']:,} homes would have no access, k up to {paths['k_after']}."
            )
        return lines


def _place_book(
    reading: FormReading, row: int, asked: FormQuestion, rule: WornRule, paths: dict[str, Any] | None
) -> bytes:
    """Return the workbook of a place, with the alternatives that were kept, or else the one that was just found."""
    form, user = form_of(reading, row, asked), system_user()
    kept = alternatives_of(form, asked, reading.city, user)
    found = kept.result if kept else {"alternatives": [paths]} if paths else None
    plans = plans_of(reading.city, form.place.code, user).iterator(chunk_size=20)
    return form_workbook(reading, row, form, asked, rule, alternatives=found, plans=plans, written_at=timezone.now())


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{share:.0%}"
