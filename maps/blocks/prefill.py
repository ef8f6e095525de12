"""A plan of paths as the beginning of a proposal: the plan is named in the address, nothing else is handed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import shapely

from analysis.disclosure import is_insider
from analysis.settlement_form import plan_geometry, plan_get
from geo.models import Place
from geo.querysets import User
from maps.blocks.forms import plan_number
from maps.blocks.presenters import plan_effect
from maps.pages import formats
from maps.pages.marked import MOST_VERTICES
from maps.pages.reader import language

_FIT: Final = MOST_VERTICES - 20


def plan_values(parameters: Mapping[str, str], city: Place, user: User) -> dict[str, str]:
    """Return with what a proposal's form is filled in: the line, a title, what it does, what it costs; nothing where no plan is named.

    Raises
    ------
    NotFound
        Where there is no such plan, or the user may not know of it.
    """
    number = plan_number(parameters.get("paths", ""))
    if not number or not is_insider(user, city):
        return {}
    run, lang = plan_get(number, city, parameters.get("place", ""), user), language()
    values = {
        "geometry": shapely.to_geojson(plan_geometry(run, _FIT)),
        f"title_{lang}": str(run.parameters["name"]),
        f"effect_{lang}": plan_effect(run),
    }
    if run.result["cost"] > 0:
        values["cost_irr"] = formats.number(round(run.result["cost"]), lang)
    return values


__all__ = ["plan_values"]
