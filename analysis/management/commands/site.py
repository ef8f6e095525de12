"""``manage.py site <city>``: where new facilities of a service would newly reach most people."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model

from analysis.commands import AnalysisCommand
from analysis.forms import number
from analysis.results import TRAVELS, Question
from analysis.scenarios import Content, scenario_create
from analysis.siting import MOST_SITES, SPACINGS_M, SitingQuestion, siting_compute, siting_record
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import system_user

STATUS = {
    "optimal": "no choice among the candidates reaches more",
    "gap_proven": "another choice may reach up to {gap} more",
    "best_found": "the best found in the time allowed; another choice may reach up to {gap} more",
}


class Command(AnalysisCommand):
    help = "Choose where new facilities of a service would newly reach most people."
    progress = "Siting in"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--service", required=True, metavar="CODE")
        parser.add_argument("--sites", default="3", metavar="N", help="at most so many new facilities")
        parser.add_argument("--threshold-m", default="", metavar="METRES", help="instead of the city's standard")
        parser.add_argument(
            "--spacing-m", default="400", metavar="METRES", help="between candidates, which stand where people live"
        )
        parser.add_argument("--by-priority", action="store_true", help="count people by the priority of their place")
        parser.add_argument("--curve", default="0", metavar="N", help="also tell what 1 to N facilities would reach")
        parser.add_argument(
            "--travel", default="", choices=["", *TRAVELS], help="way of travel; the city's own by default"
        )
        parser.add_argument("--save", default="", metavar="NAME", help="keep the plan as a scenario of this name …")
        parser.add_argument("--author", default="", metavar="USERNAME", help="… of this person")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        service, threshold = options["service"], options["threshold_m"]
        author = self._author(options) if options["save"] else None
        asked = SitingQuestion(
            service=service,
            sites=round(number(options["sites"], "--sites", 1, MOST_SITES)),
            spacing_m=number(options["spacing_m"], "--spacing-m", *SPACINGS_M),
            by_priority=options["by_priority"],
            curve=round(number(options["curve"], "--curve", 0, MOST_SITES)),
            question=Question(
                thresholds_m={service: number(threshold, "--threshold-m", 1, 100_000)} if threshold else {},
                travel=options["travel"],
            ),
        )
        found = siting_compute(city=city, user=author or system_user(), asked=asked)
        scenario = (
            scenario_create(city=city, author=author, content=Content(options["save"], found.question))
            if author
            else None
        )
        return {"city": city.code, "scenario": scenario.pk if scenario else None, **siting_record(found)}

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
            "   longitude   latitude  place",
        ]
        lines += [f"{site['lon']:12.6f} {site['lat']:10.6f}  {site['place'] or ''}" for site in answer["sites"]]
        lines += [
            f"{point['sites']:3d} facilities: {point['people']:10,.0f} people, {point['adds_people']:,.0f} more"
            for point in answer["curve"]
        ]
        return lines
