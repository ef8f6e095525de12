"""Rows for the table of `test_access`: who sees actions, enters and changes them, and takes files with them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from interventions.models import Action, Organisation, Sector

Rows = dict[str, Callable[[Any], list[Any]]]

WORKERS = ("reporter", "agency", "supervisor", "administrator")


def hidden_actions(world: Any, hush: str) -> None:
    """Put an action that is not public in the published city, and name it by the hidden word."""
    organisation = Organisation.objects.filter(place__path__startswith=world.city.path).order_by("pk").first()
    sector = Sector.objects.order_by("pk").first()
    assert organisation is not None
    assert sector is not None
    Action.objects.create(
        organisation=organisation,
        place=world.quarter,
        sector=sector,
        approach="social",
        title_en=hush,
        text_en=hush,
        starts_on=date(2026, 1, 1),
        ends_on=date(2030, 1, 1),
        is_public=False,
    )


def action_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def public() -> Action:
        found: Action = Action.objects.filter(is_public=True).earliest("pk")
        return found

    def lists(world: Any) -> list[Any]:
        city = world.city.code
        found = [
            ask(f"/{city}/actions/", everybody(200)),
            ask(f"/{city}/actions/?state=done&late=1&since=1405/01/01", everybody(200)),
            ask(f"/{city}/actions/?state=lost", everybody(400)),
            ask("/nowhere/actions/", everybody(404)),
        ]
        if world.hush:
            found.append(ask(f"/{world.hush['city']}/actions/", everybody(404, administrator=200)))
        return found

    def exports(world: Any) -> list[Any]:
        city = world.city.code
        # A workbook says in its bytes when it was packed, so files are compared as CSV; it is read in `test_actions_pages`.
        found = [
            ask(f"/{city}/actions/export/?format=csv", everybody(200)),
            ask(f"/{city}/actions/export/?format=csv&of=humanitarian_needs", everybody(200)),
            ask(f"/{city}/actions/export/?format=exe", everybody(400)),
        ]
        if world.hush:
            found.append(ask(f"/{world.hush['city']}/actions/export/", everybody(404, administrator=200)))
        return found

    def one(world: Any) -> list[Any]:
        city = world.city.code
        return [
            ask(f"/{city}/actions/{public().pk}/", everybody(200)),
            ask(f"/{city}/actions/999999/", everybody(404)),
        ]

    def entering(world: Any) -> list[Any]:
        city = world.city.code
        allowed = everybody(403) | dict.fromkeys(WORKERS, 200) | {"anonymous": 302}
        posted = everybody(403) | dict.fromkeys(WORKERS, 400) | {"anonymous": 302}
        return [
            ask(f"/{city}/actions/new/", allowed, to_login=("anonymous",)),
            ask(f"/{city}/actions/new/", posted, "POST", to_login=("anonymous",)),
        ]

    def changing(world: Any) -> list[Any]:
        path = f"/{world.city.code}/actions/{public().pk}/edit/"
        allowed = everybody(403) | dict.fromkeys(WORKERS, 200) | {"anonymous": 302}
        posted = everybody(403) | dict.fromkeys(WORKERS, 400) | {"anonymous": 302}
        return [
            ask(path, allowed, to_login=("anonymous",)),
            ask(path, posted, "POST", to_login=("anonymous",)),
        ]

    def writing(suffix: str) -> Callable[[Any], list[Any]]:
        """Give the asks of a form that is empty: a fault of the form, before any right is asked; nothing is changed."""

        def asks(world: Any) -> list[Any]:
            city = world.city.code
            refused = everybody(400) | {"anonymous": 302}
            return [
                ask(f"/{city}/actions/{public().pk}/{suffix}/", refused, "POST", to_login=("anonymous",)),
                ask(
                    f"/{city}/actions/999999/{suffix}/",
                    everybody(404) | {"anonymous": 302},
                    "POST",
                    to_login=("anonymous",),
                ),
            ]

        return asks

    nobody = uuid.UUID(int=7)
    city = "<slug:city>/actions/"
    of = f"{city}<int:number>/"
    return {
        city: lists,
        f"{city}export/": exports,
        f"{city}new/": entering,
        of: one,
        f"{of}edit/": changing,
        f"{of}step/": writing("step"),
        f"{of}progress/": writing("progress"),
        f"{of}milestones/": writing("milestones"),
        f"{of}evidence/": writing("evidence"),
        "evidence/<uuid:evidence>/": lambda _: [ask(f"/evidence/{nobody}/", everybody(404))],
        "evidence/<uuid:evidence>/small/": lambda _: [ask(f"/evidence/{nobody}/small/", everybody(404))],
        "evidence/<uuid:evidence>/change/": lambda _: [
            ask(f"/evidence/{nobody}/change/", everybody(404) | {"anonymous": 302}, "POST", to_login=("anonymous",))
        ],
    }
