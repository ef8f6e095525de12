"""What a reader asks of the pages of actions, and what a person enters, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.contrib.gis.geos import GEOSGeometry
from django.http import HttpRequest

from geo.core.text import normalise
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.models import MAX_PEOPLE, Action, Approach, Need, Organisation, Sector
from interventions.selectors.actions import ActionFilter
from interventions.services import ActionSpec, ProgressSpec
from maps.pages import formats
from maps.pages.dates import day_typed
from maps.pages.marked import geometry_marked
from maps.pages.reader import language

_MOST_IRR: Final = 10**18 - 1
FIELDS: Final = (
    "organisation", "place", "sector", "approach", "title_fa", "title_en", "text_fa", "text_en", "starts_on", "ends_on",
    "budget_irr", "people_targeted", "geometry", "lon", "lat", "is_public",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionsState:
    """What the page of actions shows.

    Attributes
    ----------
    begin
        The first month of the calendar; None for the one that fits.
    """

    asked: ActionFilter
    begin: date | None
    kept: Mapping[str, str]

    @property
    def is_filtered(self) -> bool:
        """Whether not all actions are asked for."""
        return any(value for name, value in self.kept.items() if name != "from")


def actions_state_from(request: HttpRequest, city: Place) -> ActionsState:
    """Read the state of the page of actions.

    Raises
    ------
    InvalidInput
        Where a value is none of the page's choices, or no day.
    """
    asked = request.GET
    names = ("area", "sector", "organisation", "state", "since", "until", "late", "from")
    kept = {name: asked.get(name, "")[:100] for name in names}
    area = None
    if kept["area"]:
        area = Place.objects.visible_to(request.user).within(city).filter(code=kept["area"]).first()
        if area is None:
            raise _no_choice("area", kept["area"])
    if kept["sector"] and not Sector.objects.filter(code=kept["sector"]).exists():
        raise _no_choice("sector", kept["sector"])
    if kept["state"] and kept["state"] not in Action.State.values:
        raise _no_choice("state", kept["state"])
    return ActionsState(
        ActionFilter(
            area=area,
            sectors=(kept["sector"],) if kept["sector"] else (),
            organisations=(kept["organisation"],) if kept["organisation"] else (),
            states=(kept["state"],) if kept["state"] else (),
            since=day_typed(kept["since"], "since") if kept["since"] else None,
            until=day_typed(kept["until"], "until") if kept["until"] else None,
            is_late=bool(kept["late"]),
        ),
        day_typed(kept["from"], "from") if kept["from"] else None,
        kept,
    )


def action_spec_from(data: Mapping[str, str], city: Place, user: User, needs: list[str]) -> ActionSpec:
    """Read the form of an action; whether the person may, is asked by the service.

    Raises
    ------
    InvalidInput
        Where a value is missing or malformed; ``where`` is the field.
    """
    place = _one(Place.objects.visible_to(user).within(city).filter(code=data.get("place", "")), "place")
    organisation = _one(
        Organisation.objects.visible_to(user).filter(pk=whole(data.get("organisation", ""), "organisation", 2**31)),
        "organisation",
    )
    sector = _one(Sector.objects.filter(code=data.get("sector", "")[:60]), "sector")
    if data.get("approach") not in Approach.values:
        raise _no_choice("approach", data.get("approach", ""))
    wanted = {whole(text, "needs", 2**62) for text in needs[:200]}
    found = tuple(Need.objects.visible_to(user).filter(pk__in=wanted).select_related("place").order_by("pk"))
    if len(found) != len(wanted):
        raise _no_choice("needs", "")
    return ActionSpec(
        organisation=organisation,
        place=place,
        sector=sector,
        approach=data["approach"],
        starts_on=day(data, "starts_on"),
        ends_on=day(data, "ends_on"),
        title_fa=data.get("title_fa", "")[:200],
        title_en=data.get("title_en", "")[:200],
        text_fa=data.get("text_fa", "")[:4000],
        text_en=data.get("text_en", "")[:4000],
        geometry=_geometry(data),
        budget_irr=Decimal(whole(data.get("budget_irr", ""), "budget_irr", _MOST_IRR, 0)),
        people_targeted=whole(data.get("people_targeted", ""), "people_targeted", MAX_PEOPLE, 0),
        is_public=bool(data.get("is_public")),
        needs=found,
    )


def progress_spec_from(data: Mapping[str, str]) -> ProgressSpec:
    """Read the form of a report of progress.

    Raises
    ------
    InvalidInput
        Where a value is missing or malformed.
    """
    return ProgressSpec(
        done_percent=whole(data.get("done_percent", ""), "done_percent", 100),
        spent_irr=Decimal(whole(data.get("spent_irr", ""), "spent_irr", _MOST_IRR)),
        people_reached=whole(data.get("people_reached", ""), "people_reached", MAX_PEOPLE),
        text=data.get("text", "")[:4000],
    )


def day(data: Mapping[str, str], name: str) -> date:
    """Read a day of a form, Jalali or Gregorian.

    Raises
    ------
    InvalidInput
        Where it is none; ``where`` is the field.
    """
    return day_typed(data.get(name, ""), name)


def whole(text: str, where: str, most: int, default: int | None = None) -> int:
    """Read a whole number from 0, in digits of any script, with or without separators.

    Raises
    ------
    InvalidInput
        Where it is none.

    Examples
    --------
    >>> whole("۹٬۶۰۰٬۰۰۰", "budget", 10**18), whole("12,000", "budget", 10**18), whole("", "budget", 9, 0)
    (9600000, 12000, 0)
    """
    plain = normalise(text[:60]).replace(" ", "").replace(",", "").replace("٬", "").replace("،", "")
    if not plain and default is not None:
        return default
    if not (plain.isascii() and plain.isdecimal()) or int(plain) > most:
        raise InvalidInput(
            "This is not a whole number in range.",
            code="bad_number",
            where=where,
            remedy=f"Give digits only, from 0 to {most}.",
            details={"most": str(most)},
        )
    return int(plain)


def entered(action: Action | None, data: Mapping[str, str] | None) -> dict[str, str]:
    """Return what the fields of the form hold: what was sent, else what the action says, else what is usual."""
    if data is not None:
        return {name: data.get(name, "") for name in FIELDS}
    if action is None:
        return dict.fromkeys(FIELDS, "") | {"approach": Approach.SOCIAL.value, "is_public": "1"}
    point = action.geometry if action.geometry is not None and action.geometry.geom_type == "Point" else None
    return {
        "organisation": str(action.organisation_id),
        "place": action.place.code,
        "sector": action.sector.code,
        "approach": action.approach,
        "title_fa": action.title_fa,
        "title_en": action.title_en,
        "text_fa": action.text_fa,
        "text_en": action.text_en,
        "starts_on": formats.day_in_figures(action.starts_on, language()),
        "ends_on": formats.day_in_figures(action.ends_on, language()),
        "budget_irr": str(action.budget_irr),
        "people_targeted": str(action.people_targeted),
        "geometry": action.geometry.geojson if action.geometry is not None and point is None else "",
        "lon": f"{point.x:.6f}" if point else "",
        "lat": f"{point.y:.6f}" if point else "",
        "is_public": "1" if action.is_public else "",
    }


def _geometry(data: Mapping[str, str]) -> GEOSGeometry | None:
    """Return the point whose degrees were typed, else what was marked or drawn before; without either it is for the place."""
    lon, lat = data.get("lon", "")[:40], data.get("lat", "")[:40]
    is_typed = bool(lon.strip() or lat.strip())
    return geometry_marked("" if is_typed else data.get("geometry", "")[:40_000], lon, lat)


def _one(found: Any, where: str) -> Any:
    one = found.first()
    if one is None:
        raise _no_choice(where, "")
    return one


def _no_choice(where: str, value: str) -> InvalidInput:
    return InvalidInput(
        f"{value[:40]!r} is none of the choices.",
        code="bad_choice",
        where=where,
        remedy="Choose one from the list.",
        details={"value": value[:40]},
    )
