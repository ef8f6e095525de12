"""Rows for the table of `test_access`: who reads and who keeps weights of institutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interventions.models import WeightSet

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
KEEPERS = ("analyst", "planner", "supervisor", "administrator")
"""Members of organisations do too; these people are members of none."""
LOGIN = ("anonymous",)
NUMBER = 999_999_999


def weight_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """
    outside = everybody(403, anonymous=302)
    nowhere = everybody(404, anonymous=302)

    def insiders(status: int) -> dict[str, int]:
        return outside | dict.fromkeys(INSIDERS, status)

    def keepers(status: int, others: int = 403) -> dict[str, int]:
        return insiders(others) | dict.fromkeys(KEEPERS, status)

    def kept(world: Any) -> int:
        found = WeightSet.objects.filter(city=world.city).order_by("pk").first()
        assert found is not None
        return int(found.pk)

    def listed(world: Any) -> list[Any]:
        path = f"/{world.city.code}/index/weights/"
        found = [ask(f"{path}{query}", insiders(status), to_login=LOGIN) for query, status in (
            ("", 200), ("?archived=1", 200), (f"?set={kept(world)}&kind=neighbourhood", 200), (f"?set={NUMBER}", 404),
            ("?set=castle", 400), ("?kind=castle", 400), ("?aggregation=castle", 400),
        )]  # fmt: skip
        found.append(ask("/nowhere/index/weights/", nowhere, to_login=LOGIN))
        if world.hush:  # where no institution keeps weights, the page says how to
            empty = nowhere | {"administrator": 200}
            found.append(ask(f"/{world.hush['city']}/index/weights/", empty, to_login=LOGIN))
        return found

    def export(world: Any) -> list[Any]:
        path = f"/{world.city.code}/index/weights/export"
        found = [ask(f"{path}{query}", insiders(status), to_login=LOGIN) for query, status in (
            ("", 200), (f"?set={kept(world)}&kind=neighbourhood", 200), (f"?set={NUMBER}", 404), ("?set=castle", 400),
            ("?kind=castle", 400),
        )]  # fmt: skip
        found.append(ask("/nowhere/index/weights/export", nowhere, to_login=LOGIN))
        if world.hush:
            none = nowhere | {"administrator": 404}
            found.append(ask(f"/{world.hush['city']}/index/weights/export", none, to_login=LOGIN))
        return found

    def new(world: Any) -> list[Any]:
        path = f"/{world.city.code}/index/weights/new/"
        return [
            ask(path, keepers(200), to_login=LOGIN),
            ask(f"{path}?w-early-care=2", keepers(200), to_login=LOGIN),
            ask(path, keepers(400), "POST", {"how": "castle"}, to_login=LOGIN),
            ask("/nowhere/index/weights/new/", nowhere, to_login=LOGIN),
        ]

    def one(world: Any) -> list[Any]:
        path = f"/{world.city.code}/index/weights/{kept(world)}/"
        return [
            ask(path, insiders(200), to_login=LOGIN),
            ask(path, insiders(400), "POST", {"do": "nothing"}, to_login=LOGIN),
            ask(path, keepers(409), "POST", {"do": "restore"}, to_login=LOGIN),
            ask(f"/{world.city.code}/index/weights/{NUMBER}/", insiders(404), to_login=LOGIN),
        ]

    def amend(world: Any) -> list[Any]:
        path = f"/{world.city.code}/index/weights/{kept(world)}/amend/"
        return [
            ask(path, keepers(200), to_login=LOGIN),
            ask(path, keepers(400), "POST", {"how": "castle"}, to_login=LOGIN),
            ask(f"/{world.city.code}/index/weights/{NUMBER}/amend/", insiders(404), to_login=LOGIN),
        ]

    return {
        "<slug:city>/index/weights/": listed,
        "<slug:city>/index/weights/export": export,
        "<slug:city>/index/weights/new/": new,
        "<slug:city>/index/weights/<int:number>/": one,
        "<slug:city>/index/weights/<int:number>/amend/": amend,
    }
