"""Rows for the table of `test_access`: who reads and writes proposals, who decides, and what everybody reads of decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
LEADERS = ("supervisor", "administrator")
NUMBER = 999_999_999


def proposal_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def of_city(suffix: str, status: int) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            found = [
                ask(f"/{world.city.code}/{suffix}", everybody(403, anonymous=302) | dict.fromkeys(INSIDERS, status)),
                ask(f"/nowhere/{suffix}", everybody(404, anonymous=302)),
            ]
            if world.hush:
                found.append(
                    ask(f"/{world.hush['city']}/{suffix}", everybody(404, anonymous=302, administrator=status))
                )
            return found

        return asks

    def of_round(suffix: str, public: int | None) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            from interventions.models import Round

            round_ = Round.objects.filter(place=world.city).first()
            assert round_ is not None
            address = f"/{world.city.code}/rounds/{round_.pk}/{suffix}"
            if public is None:
                told = everybody(403, anonymous=302) | dict.fromkeys(LEADERS, 200)
                unknown = everybody(404, anonymous=302)
            else:
                told, unknown = everybody(public), everybody(404)
            return [ask(address, told), ask(f"/{world.city.code}/rounds/{NUMBER}/{suffix}", unknown)]

        return asks

    city = "<slug:city>"
    return {
        f"{city}/proposals/": of_city("proposals/", 200),
        f"{city}/proposals/new/": of_city("proposals/new/", 200),
        f"{city}/proposals/<int:number>/": of_city(f"proposals/{NUMBER}/", 404),
        f"{city}/proposals/<int:number>/edit/": of_city(f"proposals/{NUMBER}/edit/", 404),
        f"{city}/rounds/<int:number>/decision/": of_round("decision/", None),
        f"{city}/rounds/<int:number>/decisions/": of_round("decisions/", 200),
    }
