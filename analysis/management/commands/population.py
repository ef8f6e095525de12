"""``manage.py population <city>``: the people of each place by every source, beside each other."""

from __future__ import annotations

from typing import Any

from analysis.commands import AnalysisCommand
from analysis.populations import population_spread
from analysis.results import number_or_none
from geo.models import Place
from geo.querysets import system_user


class Command(AnalysisCommand):
    help = "Count the people of a city's places by each of its sources of population; they are shown, never averaged."
    progress = "Counting the people of"

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        found = population_spread(city, system_user())
        return {
            "city": city.code,
            "sources": [
                {
                    "code": row.code,
                    "name": row.name_fa,
                    "name_en": row.name_en,
                    "source": row.source,
                    "reference_date": row.reference_date.isoformat() if row.reference_date else None,
                    "release": row.release_number,
                    "content_hash": row.release_hash,
                    "total": row.total,
                }
                for row in found.sources
            ],
            "places": [
                {
                    "code": place.code,
                    "name": place.name_fa,
                    "name_en": place.name_en,
                    "people": {row.code: float(found.people[i, k]) for k, row in enumerate(found.sources)},
                    "lowest": float(found.lowest[i]),
                    "highest": float(found.highest[i]),
                    "spread_share": number_or_none(found.spread_share[i]),
                }
                for i, place in enumerate(found.places)
            ],
        }

    def table(self, answer: dict[str, Any]) -> list[str]:
        codes = [row["code"] for row in answer["sources"]]
        lines = ["  ".join([*(code[:12].rjust(12) for code in codes), "  apart", "place"])]
        for place in answer["places"]:
            apart = "   none" if place["spread_share"] is None else f"{place['spread_share']:7.1%}"
            lines.append("  ".join([*(f"{place['people'][code]:12,.0f}" for code in codes), apart, place["name_en"]]))
        return lines
