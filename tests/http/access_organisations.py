"""Rows for the table of `test_access`: who sees organisations, councils and capacities, and who does what with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model

from interventions.models import Capacity, Council, Membership, Organisation, Seat, WeightSet
from interventions.selectors import paths_around

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
LEADERS = ("supervisor", "administrator")
LOGIN = ("anonymous",)
NUMBER = 999_999_999


def hidden_organisations(world: Any, hush: str) -> None:
    """Put what waits or is refused, people's names and a capacity into the published city, all with the hidden word."""
    named = {"name_fa": hush, "name_en": hush}
    for state in ("applied", "refused"):
        Organisation.objects.create(place=world.city, code=f"{hush}-{state}", kind="ngo", state=state, **named)
    works = Organisation.objects.filter(place=world.city, state="approved").order_by("pk").first()
    assert works is not None
    person = get_user_model().objects.create_user(f"{hush}-person", password=None, last_name=hush)
    Membership.objects.create(organisation=works, user=person, state="approved", is_contact=True)
    # The organisation's seat is public; that this person has it is not.
    seat = Seat.objects.filter(council__in=Council.objects.filter(place__path__in=paths_around(world.city))).first()
    assert seat is not None
    Seat.objects.filter(pk=seat.pk).update(user=person)
    Capacity.objects.create(
        place=world.quarter, kind="donor", organisation=works, text_fa=hush, text_en=hush, contact=hush, reporter=person
    )
    WeightSet.objects.create(
        city=world.city,
        organisation=works,
        how="given",
        weights={"early-care": 1},
        name_fa=hush,
        name_en=hush,
        note=hush,
    )


def organisation_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """
    city = "<slug:city>"

    def of(suffix: str, statuses: dict[str, int], *, to_login: tuple[str, ...] = ()) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            gone = everybody(404) | ({"anonymous": 302} if to_login else {})
            found = [
                ask(f"/{world.city.code}/{suffix}", statuses, to_login=to_login),
                ask(f"/nowhere/{suffix}", gone, to_login=to_login),
            ]
            if world.hush:
                hidden = gone | {"administrator": statuses["administrator"]}
                found.append(ask(f"/{world.hush['city']}/{suffix}", hidden, to_login=to_login))
            return found

        return asks

    def listed(world: Any) -> list[Any]:
        path = f"/{world.city.code}/organisations/"
        approved = Organisation.objects.get(code="municipality", place=world.city)
        return [
            *of("organisations/", everybody(200))(world),
            ask(f"{path}?kind=ngo&standing=all&q=علي", everybody(200)),
            ask(f"{path}?kind=bank", everybody(400)),
            ask(f"{path}?page=0", everybody(400)),
            ask(path, everybody(400, anonymous=302), "POST", {"do": "approve"}, to_login=LOGIN),
            ask(
                path, everybody(403, anonymous=302, supervisor=409, administrator=409), "POST",
                {"do": "approve", "organisations": str(approved.pk)}, to_login=LOGIN,
            ),
        ]  # fmt: skip

    def one(world: Any) -> list[Any]:
        path = f"/{world.city.code}/organisations/municipality/"
        found = [
            ask(path, everybody(200)),
            ask(f"/{world.city.code}/organisations/nothing-here/", everybody(404)),
            ask("/nowhere/organisations/municipality/", everybody(404)),
            ask(path, everybody(400, anonymous=302), "POST", {"do": "nothing"}, to_login=LOGIN),
            ask(
                path, everybody(403, anonymous=302) | dict.fromkeys(LEADERS, 400), "POST", {"do": "suspend"},
                to_login=LOGIN,
            ),
            ask(
                path, everybody(403, anonymous=302) | dict.fromkeys(LEADERS, 400), "POST",
                {"do": "members-enter", "table": "nobody-like-this"}, to_login=LOGIN,
            ),
        ]  # fmt: skip
        if world.hush:
            waits = f"/{world.city.code}/organisations/{world.hush['city'].removesuffix('town')}-applied/"
            found.append(ask(waits, everybody(404) | dict.fromkeys(LEADERS, 200)))
        return found

    def council(world: Any) -> list[Any]:
        path = f"/{world.city.code}/councils/"
        posted = {"do": "council", "place": world.city.path, "name_fa": "شورا", "name_en": ""}
        return [
            *of("councils/", everybody(200))(world),
            ask(path, everybody(400, anonymous=302), "POST", posted, to_login=LOGIN),
        ]

    inside = everybody(403, anonymous=302) | dict.fromkeys(INSIDERS, 200)
    leaders = everybody(403, anonymous=302) | dict.fromkeys(LEADERS, 200)

    def capacity(suffix: str, statuses: dict[str, int]) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            found = Capacity.objects.filter(place__path__startswith=f"{world.city.path}/").order_by("pk").first()
            assert found is not None
            unknown = everybody(404, anonymous=302, planner_elsewhere=403)
            return [
                ask(f"/{world.city.code}/capacities/{found.pk}/{suffix}", statuses, to_login=LOGIN),
                ask(f"/{world.city.code}/capacities/{NUMBER}/{suffix}", unknown, to_login=LOGIN),
            ]

        return asks

    return {
        f"{city}/organisations/": listed,
        f"{city}/organisations/new/": of("organisations/new/", everybody(200, anonymous=302), to_login=LOGIN),
        f"{city}/organisations/<slug:key>/": one,
        f"{city}/organisations/<slug:key>/amend/": lambda world: [
            ask(f"/{world.city.code}/organisations/municipality/amend/", leaders, to_login=LOGIN)
        ],
        f"{city}/councils/": council,
        f"{city}/capacities/": of("capacities/", everybody(200)),
        f"{city}/capacities/new/": lambda world: [ask(f"/{world.city.code}/capacities/new/", leaders, to_login=LOGIN)],
        f"{city}/capacities/<int:number>/": capacity("", inside),
        f"{city}/capacities/<int:number>/amend/": capacity("amend/", leaders),
    }
