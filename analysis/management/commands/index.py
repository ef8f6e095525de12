"""``manage.py index <city>``: places ranked by indicators, and how sure each rank is."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.contrib.auth import get_user_model

from analysis.commands import AnalysisCommand, numbers_by_code
from analysis.forms import MAX_WEIGHT, number
from analysis.indices.computing import (
    AGGREGATIONS,
    NORMALISATIONS,
    TREATMENTS,
    WEIGHTINGS,
    IndexQuestion,
    index_compute,
    index_parameters,
    index_record,
    index_rows,
)
from analysis.indices.editions import index_publish
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user

MESSAGES = {
    "robustly-worst": "among the first whatever is chosen",
    "depends-on-choices": "depends on choices",
    "robustly-fine": "not among the first whatever is chosen",
    "no-data": "no data",
}


class Command(AnalysisCommand):
    help = "Rank a city's places by indicators, and tell how sure each rank is."
    progress = "Ranking the places of"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--indicators",
            default="",
            metavar="CODE=WEIGHT,…",
            help="indicators and their weights, such as early-care=2,water-all-day; all that are measured by default",
        )
        parser.add_argument("--kind", action="append", default=[], choices=Place.Kind.values, help="only such places")
        parser.add_argument(
            "--treatment", default="none", choices=TREATMENTS, help="what is done about values that stand out"
        )
        parser.add_argument("--normalisation", default="goalpost", choices=NORMALISATIONS)
        parser.add_argument("--weighting", default="given", choices=WEIGHTINGS)
        parser.add_argument("--aggregation", default="arithmetic", choices=AGGREGATIONS)
        parser.add_argument(
            "--vary-weights",
            default="0.25",
            metavar="SHARE",
            help="by how much each weight may be otherwise: 0.25 is ±25 %%",
        )
        parser.add_argument(
            "--fixed-methods", action="store_true", help="draw no other ways to normalise and aggregate"
        )
        parser.add_argument("--first", default="10", metavar="N", help="tell the chance to be among the first N")
        parser.add_argument("--draws", default="10000", metavar="N")
        parser.add_argument("--seed", default="1", metavar="N")
        parser.add_argument("--until", default="", metavar="YYYY-MM-DD", help="leave out stored values of later years")
        parser.add_argument("--record", action="store_true", help="keep the result as a run")
        parser.add_argument(
            "--publish",
            default="",
            metavar="TITLE",
            help="freeze the index as the city's next edition, as anybody may see it; the title says what was found",
        )
        parser.add_argument("--title-en", default="", metavar="TITLE", help="English title; the same by default")
        parser.add_argument("--note", default="", help="what is new since the edition before")
        parser.add_argument("--author", default="", metavar="USERNAME", help="who publishes; nobody by default")
        parser.add_argument(
            "--reversals-seen", action="store_true", help="that the pairs of places which swap have been read"
        )

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        question = IndexQuestion(
            weights=numbers_by_code(options["indicators"], "--indicators", 0, MAX_WEIGHT, plain=1.0),
            weighting=options["weighting"],
            treatment=options["treatment"],
            normalisation=options["normalisation"],
            aggregation=options["aggregation"],
            vary_weights=number(options["vary_weights"], "--vary-weights", 0, 1),
            vary_methods=not options["fixed_methods"],
            draws=_whole(options["draws"], "--draws", 100, 100_000),
            seed=_whole(options["seed"], "--seed", 0, 2**53),
            first=_whole(options["first"], "--first", 1, 10_000),
            kinds=tuple(options["kind"]),
            until=_day(options["until"]),
        )
        if options["publish"]:
            return self._publish(city, question, options)
        result = index_compute(city=city, user=system_user(), question=question)
        for warning in result.warnings:
            self.stderr.write(f"Note: {warning}")
        run = index_record(result) if options["record"] else None
        return {
            "city": city.code,
            "run": run.pk if run else None,
            "places": index_rows(result),
            "parameters": index_parameters(result),
            "inputs": dict(result.matrix.inputs),
            "warnings": list(result.warnings),
        }

    def _publish(self, city: Place, question: IndexQuestion, options: dict[str, Any]) -> dict[str, Any]:
        author: Any = system_user()
        if options["author"]:
            author = get_user_model().objects.filter(username=options["author"]).first()
            if author is None:
                raise NotFound(f"There is no user {options['author']!r}.", code="unknown_user", where="--author")
        made = index_publish(
            city=city,
            author=author,
            question=question,
            title_fa=options["publish"],
            title_en=options["title_en"] or options["publish"],
            note=options["note"],
            reversals_seen=options["reversals_seen"],
        )
        told = made.document["reversals"]
        self.stderr.write(f"{len(told['found'])} of {told['asked']} changes tried swap places that they do not touch.")
        return {
            "city": city.code,
            "edition": made.number,
            "address": f"/{city.code}/index/editions/{made.number}/",
            "run": made.run_id,
            "places": made.document["places"],
            "parameters": {**made.document["method"], "indicators": made.codebook},
            "inputs": made.run.inputs,
            "warnings": made.run.warnings,
        }

    def table(self, answer: dict[str, Any]) -> list[str]:
        first = answer["parameters"]["first"]
        lines = [f"rank  90 % of draws   score  chance of the first {first}  place"]
        lines += [
            f"{place['rank']:4d}  {place['rank_low']:5d} to {place['rank_high']:<5d}  {place['score']:6.1f}  "
            f"{place['chance_first']:20.0%}  {place['name_en']}: {MESSAGES[place['message']]}"
            for place in answer["places"]
        ]
        return [*lines, *([answer["address"]] if "address" in answer else [])]


def _whole(text: str, where: str, low: int, high: int) -> int:
    found = number(text, where, low, high)
    if found != int(found):
        raise InvalidInput(
            f"{text[:40]!r} cannot be used here.",
            code="bad_number",
            where=where,
            remedy=f"Give a whole number from {low} to {high}.",
            details={"value": text[:40], "low": low, "high": high},
        )
    return int(found)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text[:40]!r} is not a day.", code="bad_day", where="--until", remedy="Write it like 2026-03-21."
        ) from error
