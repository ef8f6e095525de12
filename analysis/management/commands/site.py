"""``manage.py site <city>``: where new facilities of a service would newly reach most people."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model

from analysis.commands import AnalysisCommand, conditions_from, file_target, file_write
from analysis.forms import MAX_THRESHOLD_M, number
from analysis.results import TRAVELS, Question
from analysis.scenarios import Content, scenario_create
from analysis.siting import (
    MODELS,
    MOST_BUDGET,
    MOST_CAPACITY,
    MOST_SITES,
    SPACINGS_M,
    SitingQuestion,
    plan_workbook,
    siting_compute,
    siting_record,
    siting_run,
)
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import system_user

STATUS = {
    "optimal": "no other choice among the candidates is better",
    "gap_proven": "another choice may be up to {gap} better",
    "best_found": "the best found in the time allowed; another choice may be up to {gap} better",
}
DEFAULT_SITES = "3"


class Command(AnalysisCommand):
    help = "Choose where new facilities of a service would help most, and keep the plan as a run."
    progress = "Siting in"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--service", required=True, metavar="CODE")
        parser.add_argument(
            "--model", default="mclp", choices=MODELS,
            help="mclp: most people newly within the threshold; lscp: fewest facilities that reach everybody who can be reached; "
            "p-median: least mean distance; p-centre: shortest farthest distance; capacitated: most people where each takes so many",
        )  # fmt: skip
        parser.add_argument(
            "--sites",
            default="",
            metavar="N",
            help=f"at most so many new facilities; {DEFAULT_SITES} where no budget is given",
        )
        parser.add_argument("--budget", default="", metavar="MONEY", help="what all may cost together")
        parser.add_argument("--cost", default="", metavar="MONEY", help="what one costs")
        parser.add_argument("--capacity", default="", metavar="PEOPLE", help="how many people a new facility takes")
        parser.add_argument("--threshold-m", default="", metavar="METRES", help="instead of the city's standard")
        parser.add_argument(
            "--spacing-m", default="400", metavar="METRES", help="between candidates, which stand where people live"
        )
        parser.add_argument("--candidates", default="", metavar="LAYER", help="its points or polygons, instead")
        parser.add_argument(
            "--candidates-where", action="append", default=[], metavar="FIELD=VALUE", help="only such candidates"
        )
        parser.add_argument("--forbidden", default="", metavar="LAYER", help="nothing is built on its polygons")
        parser.add_argument(
            "--forbidden-where", action="append", default=[], metavar="FIELD=VALUE", help="only such polygons"
        )
        parser.add_argument(
            "--must-reach-all",
            action="store_true",
            help="refuse lscp where somebody is out of reach of every candidate",
        )
        parser.add_argument("--by-priority", action="store_true", help="count people by the priority of their place")
        parser.add_argument("--curve", default="0", metavar="N", help="also tell what 1 to N facilities would reach")
        parser.add_argument(
            "--travel", default="", choices=["", *TRAVELS], help="way of travel; the city's own by default"
        )
        parser.add_argument("--xlsx", default="", metavar="FILE", help="write the plan as a workbook with codebook")
        parser.add_argument("--save", default="", metavar="NAME", help="keep the plan as a scenario of this name …")
        parser.add_argument("--author", default="", metavar="USERNAME", help="… of this person")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        target = file_target(options["xlsx"], "--xlsx")
        author = self._author(options) if options["save"] else None
        found = siting_compute(city=city, user=author or system_user(), asked=self._asked(options))
        run = siting_run(found, author=author)
        scenario = (
            scenario_create(city=city, author=author, content=Content(options["save"], found.question))
            if author
            else None
        )
        if target is not None:
            file_write(target, plan_workbook(run), "--xlsx")
            self.stderr.write(f"Wrote {target}: {target.stat().st_size:,} bytes.")
        return {
            "city": city.code,
            "run": run.pk,
            "scenario": scenario.pk if scenario else None,
            **siting_record(found),
        }

    def _asked(self, options: dict[str, Any]) -> SitingQuestion:
        service, threshold, model = options["service"], options["threshold_m"], options["model"]
        sites = options["sites"] or ("" if options["budget"] or model == "lscp" else DEFAULT_SITES)

        def whole(name: str, text: str, low: float, high: float) -> int | None:
            return round(number(text, name, low, high)) if text else None

        return SitingQuestion(
            service=service,
            model=model,
            sites=whole("--sites", sites, 1, MOST_SITES),
            budget=whole("--budget", options["budget"], 0, MOST_BUDGET),
            site_cost=whole("--cost", options["cost"], 1, MOST_BUDGET),
            capacity=number(options["capacity"], "--capacity", 1, MOST_CAPACITY) if options["capacity"] else None,
            spacing_m=number(options["spacing_m"], "--spacing-m", *SPACINGS_M),
            by_priority=options["by_priority"],
            curve=round(number(options["curve"], "--curve", 0, MOST_SITES)),
            candidates=options["candidates"],
            candidates_where=conditions_from(options["candidates_where"]),
            forbidden=options["forbidden"],
            forbidden_where=conditions_from(options["forbidden_where"]),
            must_reach_all=options["must_reach_all"],
            question=Question(
                thresholds_m={service: number(threshold, "--threshold-m", 1, MAX_THRESHOLD_M)} if threshold else {},
                travel=options["travel"],
            ),
        )

    def _author(self, options: dict[str, Any]) -> Any:
        found = get_user_model().objects.filter(username=options["author"], is_active=True).first()
        if found is None:
            raise NotFound(
                f"There is nobody called {options['author'][:60]!r}.",
                code="unknown_person",
                where="--author",
                remedy="Name somebody with a role in the city.",
            )
        return found

    def table(self, answer: dict[str, Any]) -> list[str]:
        gap = "" if answer["gap"] is None else f"{answer['gap']:.1%}"
        lines = [
            f"{answer['people_gained']:,.0f} of {answer['people_uncovered_today']:,.0f} people without {answer['service']} would be within "
            f"{answer['threshold_m']:,.0f} m; {STATUS[answer['status']].format(gap=gap)} ({answer['candidates']} candidates).",
            f"Mean distance {_metres(answer['mean_m'])}, farthest {_metres(answer['farthest_m'])}. Kept as run {answer['run']}.",
            "   longitude   latitude  newly reached  place",
        ]
        lines += [
            f"{site['lon']:12.6f} {site['lat']:10.6f} {site['people']:14,.0f}  {site['place'] or ''}"
            for site in answer["sites"]
        ]
        lines += [
            f"{point['sites']:3d} facilities: {point['people']:10,.0f} people, {point['adds_people']:,.0f} more"
            for point in answer["curve"]
        ]
        return lines


def _metres(both: list[float | None]) -> str:
    return " → ".join("–" if one is None else f"{one:,.0f} m" for one in both)
