"""``manage.py overlay <city> --with <layer>``: what of a layer lies in each neighbourhood."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from analysis.commands import AnalysisCommand, conditions_from
from analysis.services import overlay_compute
from geo.models import Place
from geo.querysets import system_user


class Command(AnalysisCommand):
    help = "Count the features of a layer in each neighbourhood and measure the land they cover."
    progress = "Overlaying on"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--with", dest="subject", required=True, metavar="LAYER", help="code of a layer, or `settlements`"
        )
        parser.add_argument(
            "--where", action="append", default=[], metavar="FIELD=VALUE",
            help="only features with this value, such as --where atencao=Sim; may be given again for another field",
        )  # fmt: skip

    def answer(self, city: Place, options: dict[str, Any]) -> dict[str, Any]:
        where = conditions_from(options["where"])
        result = overlay_compute(city=city, user=system_user(), subject=options["subject"], where=where)
        rows = [
            {
                "code": row.code, "name": row.name_fa, "name_en": row.name_en, "kind": row.kind, "count": row.count,
                "area_m2": row.area_m2, "length_m": row.length_m, "area_share": row.area_share,
            }
            for row in result.rows
        ]  # fmt: skip
        return {
            "city": city.code,
            "with": result.subject,
            "where": dict(part.split("=", 1) for part in options["where"]),
            "places": rows,
            "outside": result.outside,
            "inputs": dict(result.inputs),
        }

    def table(self, answer: dict[str, Any]) -> list[str]:
        lines = ["  ".join([" count", "   share", "         m²", "place"])]
        for row in answer["places"]:
            share = "       –" if row["area_share"] is None else f"{row['area_share']:8.2%}"
            area = "          –" if row["area_m2"] is None else f"{row['area_m2']:11,.0f}"
            lines.append(f"{row['count']:6d}  {share}  {area}  {row['name_en']}")
        return [*lines, f"{answer['outside']} outside every neighbourhood."]
