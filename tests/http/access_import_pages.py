"""Rows for the table of `test_access`: who may bring data by the pages, and who sees what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

BRINGERS = ("analyst", "planner", "administrator")
KEY = "00000000-0000-4000-8000-000000000000"


def import_page_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """
    login = ("anonymous",)

    def of_form(world: Any) -> list[Any]:
        def bringers(status: int) -> dict[str, int]:
            return everybody(403, anonymous=302) | dict.fromkeys(BRINGERS, status)

        path = f"/{world.city.code}/layers/import/"
        found = [
            ask(path, bringers(200), to_login=login),
            ask(f"{path}?layer=nothing", bringers(200), to_login=login),
            ask(path, bringers(400), "POST", to_login=login),  # without a file
            ask("/nowhere/layers/import/", everybody(404, anonymous=302), to_login=login),
        ]
        if world.hush:
            hidden = everybody(404, anonymous=302, administrator=200)
            found.append(ask(f"/{world.hush['city']}/layers/import/", hidden, to_login=login))
        return found

    def of_upload(suffix: str) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            nowhere = everybody(404, anonymous=302)
            found = [ask(f"/imports/{KEY}/{suffix}", nowhere, to_login=login)]
            if world.hush:
                here = nowhere | dict.fromkeys(BRINGERS, 200)
                there = nowhere | {"administrator": 200}
                found += [
                    ask(f"/imports/{world.hush['upload']}/{suffix}", here, to_login=login),
                    ask(f"/imports/{world.hush['upload_there']}/{suffix}", there, to_login=login),
                ]
                if not suffix:
                    unclear = nowhere | dict.fromkeys(BRINGERS, 400)
                    given_up = nowhere | {"administrator": 302}
                    found += [
                        ask(f"/imports/{world.hush['upload']}/", unclear, "POST", {"do": "nothing"}, to_login=login),
                        ask(
                            f"/imports/{world.hush['upload_there']}/",
                            given_up,
                            "POST",
                            {"do": "cancel"},
                            to_login=login,
                        ),
                    ]
            return found

        return asks

    one = "imports/<uuid:upload>/"
    return {
        "<slug:city>/layers/import/": of_form,
        one: of_upload(""),
        f"{one}state/": of_upload("state/"),
        f"{one}repairs.geojson": of_upload("repairs.geojson"),
    }
