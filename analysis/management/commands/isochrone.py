"""``manage.py isochrone <city> --limit-m 800 --service clinic --number 3``: from where a point or facility is within reach."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.commands import AnalysisCommand
from analysis.forms import number
from analysis.measures.geojson import isochrone_feature, isochrone_parameters
from analysis.measures.isochrone import MOST_LIMIT_M, isochrone_compute
from analysis.measures.records import shape_record
from analysis.models import Run
from analysis.results import TRAVELS, Question
from geo.models import Place
from geo.querysets import system_user


class Command(AnalysisCommand):
    help = "Draw from where a point, or a facility, is within a cost; GeoJSON in longitude and latitude."
    progress = "Drawing an isochrone in"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--limit-m", required=True, help="metres, or time as metres of level walking")
        parser.add_argument("--lon", default="", help="longitude of a point")
        parser.add_argument("--lat", default="", help="latitude of a point")
        parser.add_argument("--service", default="", metavar="CODE", help="service of a facility")
        parser.add_argument("--number", type=int, help="row of the facility in its layer's newest release")
        parser.add_argument(
            "--travel", default="", choices=["", *TRAVELS], help="way of travel; the city's own by default"
        )
        parser.add_argument("--record", action="store_true", help="keep the result as a run")

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        found = isochrone_compute(
            city=city,
            user=system_user(),
            limit_m=number(options["limit_m"], "--limit-m", 1, MOST_LIMIT_M),
            lon=number(options["lon"], "--lon", -180, 180) if options["lon"] else None,
            lat=number(options["lat"], "--lat", -90, 90) if options["lat"] else None,
            service=options["service"],
            number=options["number"],
            question=Question(travel=options["travel"]),
        )
        feature, parameters = isochrone_feature(found), isochrone_parameters(found)
        run = shape_record(Run.Kind.ISOCHRONE, found.basis, parameters, feature) if options["record"] else None
        return {
            "city": city.code,
            "run": run.pk if run else None,
            "feature": feature,
            "parameters": parameters,
            "inputs": dict(found.basis.inputs),
            "warnings": list(found.basis.warnings),
        }

    def table(self, answer: dict[str, Any]) -> list[str]:
        told = answer["feature"]["properties"]
        people = "unknown" if told["people"] is None else f"{told['people']:,.0f}"
        return [
            f"{told['limit_m']:,.0f} m, {told['travel']}, of {told['facility'] or 'the point'} at {told['lon']}, {told['lat']}",
            f"{told['area_m2']:,.0f} m², {people} people",
        ]
