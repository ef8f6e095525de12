"""Rows for the table of `test_access`: who sees the pages of what-ifs and scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
LOGIN = ("anonymous",)


def what_if_page_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def insiders(status: int) -> dict[str, int]:
        return everybody(403, anonymous=302) | dict.fromkeys(INSIDERS, status)

    nowhere = everybody(404, anonymous=302)

    def of(suffix: str, *asked: tuple[str, int], hidden: int) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            path = f"/{world.city.code}/{suffix}"
            found = [ask(f"{path}{query}", insiders(status), to_login=LOGIN) for query, status in asked]
            found.append(ask(f"/nowhere/{suffix}", nowhere, to_login=LOGIN))
            if world.hush:
                whole = nowhere | {"administrator": hidden}
                found.append(ask(f"/{world.hush['city']}/{suffix}", whole, to_login=LOGIN))
            return found

        return asks

    def of_list(world: Any) -> list[Any]:
        path = f"/{world.city.code}/scenarios/"
        return [
            *of("scenarios/", ("", 200), ("?archived=true", 200), hidden=200)(world),
            ask(path, insiders(400), "POST", {"step": "nothing"}, to_login=LOGIN),
            ask(
                path,
                insiders(404),
                "POST",
                {"step": "archive", "scenario": "999999999", "version": "1"},
                to_login=LOGIN,
            ),
            ask("/nowhere/scenarios/", nowhere, "POST", {"step": "archive"}, to_login=LOGIN),
        ]

    def why(world: Any) -> list[Any]:
        path = f"/{world.city.code}/s06/why/"
        found = [
            ask(f"{path}{query}", insiders(status), to_login=LOGIN)
            for query, status in (
                ("", 200),
                ("?part=moves&first=2", 200),
                ("?kind=neighbourhood", 404),
                ("?w-castle=1", 400),
                ("?w-castle=1&part=moves", 400),
            )
        ]
        found.append(ask(f"/{world.city.code}/castle/why/", insiders(404), to_login=LOGIN))
        found.append(ask("/nowhere/s06/why/", nowhere, to_login=LOGIN))
        if world.hush:
            found.append(ask(f"/{world.city.code}/{world.hush['place']}/why/", insiders(200), to_login=LOGIN))
            found.append(ask(f"/{world.hush['city']}/{world.hush['quarter']}/why/", nowhere, to_login=LOGIN))
        return found

    return {
        "<slug:city>/what-if/": of(
            "what-if/",
            ("", 200),
            ("?service=castle", 404),
            ("?show=castle", 400),
            ("?scenario=999999999", 404),
            hidden=200,
        ),
        "<slug:city>/index/": of(
            "index/",
            ("?draws=1&first=2", 200),
            ("?part=result&w-early-care=1", 200),
            ("?part=sensitivity&w-early-care=1", 200),
            ("?part=pattern&w-early-care=1", 200),
            ("?w-castle=1", 400),
            ("?w-early-care=0", 400),
            ("?aggregation=castle", 400),
            hidden=404,  # nothing is measured there
        ),
        "<slug:city>/<slug:place>/why/": why,
        "<slug:city>/scenarios/": of_list,
        "<slug:city>/scenarios/compare/": of(
            "scenarios/compare/", ("", 400), ("?with=now", 400), ("?with=now,999999999", 404), hidden=400
        ),
    }
