"""Rows for the table of `test_access`: who is told what changed, enters values and brings tables of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from analysis.models import Indicator, IndicatorValue
from interventions.services.outcomes import COLUMNS

Rows = dict[str, Callable[[Any], list[Any]]]

MEASURERS = ("analyst", "supervisor", "administrator")


def hidden_outcomes(place: Any, hush: str) -> None:
    """Measure something in a hidden place, of an indicator that is measured elsewhere too."""
    indicator = Indicator.objects.stored().order_by("pk").first()
    known = IndicatorValue.objects.filter(indicator=indicator, kind="measured").order_by("pk").first()
    if indicator is None or known is None:
        return
    for kind, value in (("baseline", 5.0), ("measured", 95.0)):
        IndicatorValue.objects.create(
            indicator=indicator, place=place, year_begins_on=known.year_begins_on, kind=kind, value=value, error=1.0, source=hush,
            source_fa=hush, entered_at=timezone.now(),
        )  # fmt: skip


def outcome_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def in_city(suffix: str) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            found = [
                ask(f"/{world.city.code}/changed/{suffix}", everybody(200)),
                ask(f"/nowhere/changed/{suffix}", everybody(404)),
            ]
            if world.hush:
                found.append(ask(f"/{world.hush['city']}/changed/{suffix}", everybody(404, administrator=200)))
            return found

        return asks

    def in_network(suffix: str) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            county = world.city.path.rpartition("/")[0]
            found = [
                ask(f"/network/{county}/changed/{suffix}", everybody(200)),
                ask(f"/network/nowhere/changed/{suffix}", everybody(404)),
            ]
            if world.hush:
                hidden = f"{county}/{world.hush['city']}"
                found.append(ask(f"/network/{hidden}/changed/{suffix}", everybody(404, administrator=200)))
            return found

        return asks

    def years(world: Any) -> list[Any]:
        city = world.city.code
        return [
            ask(f"/{city}/changed/1404/", everybody(200)),
            ask(f"/{city}/changed/1390/", everybody(200)),
            ask(f"/{city}/changed/99999/", everybody(400)),
        ]

    def network_years(world: Any) -> list[Any]:
        return [
            ask(f"/network/{world.city.path}/changed/1404/", everybody(200)),
            ask(f"/network/{world.city.path}/changed/7/", everybody(400)),
        ]

    allowed = everybody(403) | dict.fromkeys(MEASURERS, 200) | {"anonymous": 302}
    posted = everybody(403) | dict.fromkeys(MEASURERS, 400) | {"anonymous": 302}

    def entering(world: Any) -> list[Any]:
        path = f"/{world.city.code}/changed/enter/"
        named = f"?place={world.quarter.code}&indicator=refuse-collected&year=1404"
        return [
            ask(path, allowed, to_login=("anonymous",)),
            ask(path + named, allowed, to_login=("anonymous",)),
            ask(path, posted, "POST", to_login=("anonymous",)),
        ]

    def retracting(world: Any) -> list[Any]:
        path = f"/{world.city.code}/changed/retract/"
        told = IndicatorValue.objects.filter(place__path__startswith=world.city.path).earliest("pk")
        refused = everybody(403) | dict.fromkeys(MEASURERS, 400) | {"anonymous": 302}
        return [
            ask(path, refused, "POST", data={"outcome": str(told.pk), "reason": ""}, to_login=("anonymous",)),
            ask(
                path, everybody(404) | {"anonymous": 302}, "POST", data={"outcome": "999999999"}, to_login=("anonymous",)
            ),
        ]  # fmt: skip

    def bringing(base: Callable[[Any], str]) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            path = base(world)
            wrong = "\t".join(COLUMNS) + "\nnowhere\tnothing\t1404\t1\t\t\t\t\ts\t\n"
            return [
                ask(path, allowed, to_login=("anonymous",)),
                ask(path, posted, "POST", data={"do": "store", "table": wrong}, to_login=("anonymous",)),
            ]

        return asks

    city, network = "<slug:city>/changed/", "network/<path:path>/changed/"
    return {
        city: in_city(""),
        f"{city}<int:year>/": years,
        f"{city}enter/": entering,
        f"{city}retract/": retracting,
        f"{city}import/": bringing(lambda world: f"/{world.city.code}/changed/import/"),
        f"{city}export/": in_city("export/"),
        network: in_network(""),
        f"{network}<int:year>/": network_years,
        f"{network}import/": bringing(lambda world: f"/network/{world.city.path}/changed/import/"),
        f"{network}export/": in_network("export/"),
    }
