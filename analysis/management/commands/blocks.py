"""``manage.py blocks <city> --place <code>``: homes without access, and paths that would give it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, get_args

from analysis.commands import AnalysisCommand
from analysis.core.reblocking import Goal
from analysis.forms import number
from analysis.settlement_form import FormQuestion, form_record, settlement_form
from geo.models import Place
from geo.querysets import system_user


class Command(AnalysisCommand):
    help = "Measure the blocks of a place: homes without access, narrow passages, small plots; and find paths that would help."
    progress = "Measuring blocks in"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--place", required=True, metavar="CODE")
        parser.add_argument("--streets", default="roads", metavar="LAYER")
        parser.add_argument("--buildings", default="buildings", metavar="LAYER")
        parser.add_argument("--width-field", default="width_m", metavar="FIELD", help="of the streets, in metres")
        parser.add_argument("--narrowest-m", default="0", metavar="METRES", help="narrower streets give no access")
        parser.add_argument(
            "--paths", default="", choices=["", *get_args(Goal)], help="find new paths, chosen for this"
        )
        parser.add_argument("--path-width-m", default="4", metavar="METRES")
        parser.add_argument("--cost-per-m", default="0", metavar="RIALS")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        asked = FormQuestion(
            streets=options["streets"],
            buildings=options["buildings"],
            width_field=options["width_field"],
            narrowest_m=number(options["narrowest_m"], "--narrowest-m", 0, 100),
            goal=options["paths"] or None,
            path_width_m=number(options["path_width_m"], "--path-width-m", 0.5, 40),
            cost_per_m=number(options["cost_per_m"], "--cost-per-m", 0, 1e12),
        )
        found = settlement_form(city=city, user=system_user(), place_code=options["place"], asked=asked)
        return {"city": city.code, **form_record(found)}

    def table(self, answer: dict[str, Any]) -> list[str]:
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


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{share:.0%}"
