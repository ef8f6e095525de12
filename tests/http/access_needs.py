"""Rows for the table of `test_access`: who sees the pages of rounds and needs, and who may send what, capacities too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from interventions.models import Need, Round

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
LEADERS = ("supervisor", "administrator")
LOGIN = ("anonymous",)
NUMBER = 999_999_999


def need_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def insiders(status: int, **others: int) -> dict[str, int]:
        return everybody(403, anonymous=302) | dict.fromkeys(INSIDERS, status) | others

    nowhere = everybody(404, anonymous=302)

    def of(suffix: str, status: dict[str, int], *, hidden: int) -> Callable[[Any], list[Any]]:
        """Ask for a page behind a role: in the published city, in none, in one that is not published."""

        def asks(world: Any) -> list[Any]:
            found = [ask(f"/{world.city.code}/{suffix}", status, to_login=LOGIN)]
            found.append(ask(f"/nowhere/{suffix}", nowhere, to_login=LOGIN))
            if world.hush:
                whole = nowhere | {"administrator": hidden}
                found.append(ask(f"/{world.hush['city']}/{suffix}", whole, to_login=LOGIN))
            return found

        return asks

    def listed(world: Any) -> list[Any]:
        path = f"/{world.city.code}/needs/"
        return [
            *of("needs/", insiders(200), hidden=200)(world),
            ask(f"{path}?standing=all&q=zzhush", insiders(200), to_login=LOGIN),
            ask(f"{path}?standing=castle", insiders(400), to_login=LOGIN),
            ask(f"{path}?severity=9", insiders(400), to_login=LOGIN),
        ]

    def one(world: Any) -> list[Any]:
        need = Need.objects.filter(place__path__startswith=f"{world.city.path}/", state="confirmed").first()
        path = f"/{world.city.code}/needs/"
        found = of(f"needs/{NUMBER}/", insiders(404), hidden=404)(world)
        if need is not None:
            own = f"{path}{need.pk}/"
            found += [
                ask(own, insiders(200), to_login=LOGIN),
                ask(own, insiders(400), "POST", {"do": "nothing"}, to_login=LOGIN),
                ask(own, insiders(403, supervisor=400, administrator=400), "POST", {"do": "reject"}, to_login=LOGIN),
            ]
        return found

    def amended(world: Any) -> list[Any]:
        need = Need.objects.filter(place__path__startswith=f"{world.city.path}/", state="confirmed").first()
        found = of(f"needs/{NUMBER}/amend/", insiders(404), hidden=404)(world)
        if need is not None:
            found.append(ask(f"/{world.city.code}/needs/{need.pk}/amend/", insiders(403), to_login=LOGIN))
        return found

    def sent(suffix: str) -> Callable[[Any], list[Any]]:
        """Ask with a form instead of JSON; what a member's JSON gets has tests of its own."""

        def asks(world: Any) -> list[Any]:
            def at(city: str) -> str:
                return f"/api/v1/cities/{city}/{suffix}"

            whole = everybody(403, anonymous=401) | dict.fromkeys(INSIDERS, 415)
            found = [ask(at(world.city.code), whole, "POST"), ask(at("nowhere"), everybody(404, anonymous=401), "POST")]
            if world.hush:
                hidden = everybody(404, anonymous=401, administrator=415)
                found.append(ask(at(world.hush["city"]), hidden, "POST"))
            return found

        return asks

    def photos(world: Any) -> list[Any]:
        need = Need.objects.filter(place__path__startswith=f"{world.city.path}/", state="confirmed").first()
        found = [ask(f"/nowhere/needs/{NUMBER}/photos/", nowhere, "POST", to_login=LOGIN)]
        if need is not None:
            # Nothing is chosen: a fault of the form, for whoever sees the need; rights are asked of a photo, in tests of its own.
            found.append(ask(f"/{world.city.code}/needs/{need.pk}/photos/", insiders(400), "POST", to_login=LOGIN))
        return found

    def photo(world: Any) -> list[Any]:
        need = Need.objects.filter(place__path__startswith=f"{world.city.path}/", state="confirmed").first()
        ticket = UUID(int=11)
        found = [
            ask(f"/api/v1/cities/nowhere/needs/{NUMBER}/photos/{ticket}", everybody(404, anonymous=401), "POST"),
            ask(
                f"/api/v1/cities/{world.city.code}/needs/{NUMBER}/photos/{ticket}",
                everybody(403, anonymous=401) | dict.fromkeys(INSIDERS, 404),
                "POST",
            ),
        ]
        if need is not None:
            # No photo at all: a fault of the file, for whoever may add one.
            may = everybody(403, anonymous=401) | dict.fromkeys(LEADERS, 400)
            found.append(ask(f"/api/v1/cities/{world.city.code}/needs/{need.pk}/photos/{ticket}", may, "POST"))
        return found

    def indicator(world: Any) -> list[Any]:
        query = f"needs/indicator?place={world.quarter.code}&service=clinic"
        whole = everybody(403, anonymous=401) | dict.fromkeys(INSIDERS, 200)
        return [
            ask(f"/api/v1/cities/{world.city.code}/{query}", whole),
            ask(f"/api/v1/cities/nowhere/{query}", everybody(404, anonymous=401)),
        ]

    def rounds(world: Any) -> list[Any]:
        found = [
            ask(f"/{world.city.code}/rounds/", everybody(200)),
            ask("/nowhere/rounds/", everybody(404)),
        ]
        if world.hush:
            found.append(ask(f"/{world.hush['city']}/rounds/", everybody(404, administrator=200)))
        return found

    def round_(world: Any) -> list[Any]:
        opened = Round.objects.filter(place=world.city).first()
        found = [ask(f"/{world.city.code}/rounds/{NUMBER}/", everybody(404))]
        if opened is not None:
            path = f"/{world.city.code}/rounds/{opened.pk}/"
            may = everybody(403, anonymous=302) | dict.fromkeys(LEADERS, 400)
            found += [
                ask(path, everybody(200)),
                ask(f"/nowhere/rounds/{opened.pk}/", everybody(404)),
                ask(path, everybody(400, anonymous=302), "POST", {"do": "nothing"}, to_login=LOGIN),
                ask(path, may, "POST", {"do": "extend", "needs_due": "1406/01/31"}, to_login=LOGIN),
            ]
        if world.hush and opened is not None:
            found.append(ask(f"/{world.hush['city']}/rounds/{opened.pk}/", everybody(404)))
        return found

    leaders = everybody(403, anonymous=302) | dict.fromkeys(LEADERS, 200)
    city = "<slug:city>"
    return {
        f"{city}/rounds/": rounds,
        f"{city}/rounds/open/": of("rounds/open/", leaders, hidden=200),
        f"{city}/rounds/<int:number>/": round_,
        f"{city}/needs/": listed,
        f"{city}/needs/worker.js": lambda world: [ask(f"/{world.city.code}/needs/worker.js", everybody(200))],
        f"{city}/capacities/worker.js": lambda world: [ask(f"/{world.city.code}/capacities/worker.js", everybody(200))],
        f"{city}/needs/report/": of("needs/report/", leaders, hidden=200),
        f"{city}/needs/<int:number>/": one,
        f"{city}/needs/<int:number>/amend/": amended,
        f"{city}/needs/<int:number>/photos/": photos,
        "api/v1/cities/<slug:city>/needs": sent("needs"),
        "api/v1/cities/<slug:city>/capacities": sent("capacities"),
        "api/v1/cities/<slug:city>/needs/<int:number>/photos/<uuidstr:ticket>": photo,
        "api/v1/cities/<slug:city>/needs/similar": sent("needs/similar"),
        "api/v1/cities/<slug:city>/needs/indicator": indicator,
    }
