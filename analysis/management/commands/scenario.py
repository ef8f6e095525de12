"""``manage.py scenario <city> list|show|compare``: what would change if something were built, moved or closed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.commands import AnalysisCommand
from analysis.comparing import comparison_record, scenarios_compared, what_if_compute, what_if_record
from analysis.models import Scenario
from analysis.scenarios import scenario_get, scenario_question, scenarios_of
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import system_user


class Command(AnalysisCommand):
    help = "List the scenarios of a city, tell what one does, or compare several."
    progress = "Reading the scenarios of"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("what", choices=["list", "show", "compare"])
        parser.add_argument(
            "numbers",
            nargs="*",
            help="of scenarios; “now” is the city as it is, and is what one alone is compared with",
        )
        parser.add_argument("--archived", action="store_true", help="list those put away too")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        if options["what"] == "list":
            found = scenarios_of(city, system_user(), with_archived=options["archived"])
            return {"city": city.code, "scenarios": [_row(one) for one in found]}
        sides = [_scenario(text, city) for text in options["numbers"]]
        if options["what"] == "show":
            scenario = sides[0] if len(sides) == 1 else None
            if scenario is None:
                raise InvalidInput(
                    "One scenario is shown.", code="bad_scenario", where="numbers", remedy="Give its number."
                )
            question = scenario_question(scenario, system_user())
            effects = what_if_record(what_if_compute(city=city, user=system_user(), question=question))
            return {"city": city.code, "scenario": {**_row(scenario), "note": scenario.note}, **effects}
        if len(sides) == 1:
            sides = [None, *sides]
        return comparison_record(scenarios_compared(city=city, user=system_user(), scenarios=sides))

    def table(self, answer: dict[str, Any]) -> list[str]:
        if "scenarios" in answer:
            return [
                f"{one['id']:5d}  v{one['version']:<3d} {one['saved_at'][:10]}  {one['name']}"
                for one in answer["scenarios"]
            ]
        if "scenario" in answer:
            return _shown(answer)
        return _compared(answer)


def _row(scenario: Scenario) -> dict[str, Any]:
    return {
        "id": scenario.pk,
        "name": scenario.name,
        "version": scenario.version,
        "author": scenario.author.get_username(),
        "saved_at": scenario.saved_at.isoformat(),
        "archived_at": scenario.archived_at.isoformat() if scenario.archived_at else None,
        "is_shared": scenario.is_shared,
        "question": scenario.question,
        "changes": scenario.changes,
    }


def _scenario(text: str, city: Place) -> Scenario | None:
    if text == "now":
        return None
    if not (text.isdecimal() and len(text) <= 9):
        raise InvalidInput(
            f"{text!r} is not the number of a scenario.",
            code="bad_scenario",
            where="numbers",
            remedy="Give numbers such as 3 5, or now.",
        )
    return scenario_get(int(text), system_user(), city)


def _shown(answer: dict[str, Any]) -> list[str]:
    lines = [f"{answer['scenario']['name']}: {len(answer['scenario']['changes'])} changes"]
    lines += [f"Note: {warning}" for warning in answer["warnings"]]
    for code, total in answer["totals"].items():
        lines.append(
            f"{code}: {total['uncovered_people']:,.0f} people not covered "
            f"({total['gained']:,.0f} newly covered, {total['lost']:,.0f} no longer)"
        )
    for place, found in answer["places"].items():
        told = [f"{code} +{gained:,.0f} −{lost:,.0f}" for code, (_, _, gained, lost) in found["services"].items()]
        lines.append(f"  rank {found['rank']:4d}  {place}: {', '.join(told) or 'score or rank alone'}")
    return lines


def _compared(answer: dict[str, Any]) -> list[str]:
    names = [side["name"] or "now" for side in answer["sides"]]
    lines = [f"Note: {warning}" for warning in answer["warnings"]]
    lines.append("  ".join([*(name[:14].rjust(14) for name in names), "people not covered by"]))
    for code, total in answer["totals"].items():
        lines.append("  ".join([*(f"{people:14,.0f}" for people in total["uncovered_people"]), code]))
    lines.append("  ".join([*(name[:14].rjust(14) for name in names), "rank (score) of"]))
    for place in answer["places"]:
        told = [f"{rank:5d} ({score:6.2f})" for rank, score in zip(place["rank"], place["score"], strict=True)]
        lines.append("  ".join([*told, place["name_en"]]))
    return lines
