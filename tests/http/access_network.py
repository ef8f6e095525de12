"""Rows for the table of `test_access`: who is told about the parts of a country, and who sets crisis committees to work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]


def network_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def parts(world: Any) -> list[Any]:
        found = [
            ask(f"/network/{world.city.path}/", everybody(200)),
            ask("/network/nowhere/", everybody(404)),
        ]
        if world.hush:
            hidden = world.city.path.rpartition("/")[0] + "/" + world.hush["city"]
            found.append(ask(f"/network/{hidden}/", everybody(404, administrator=200)))
        return found

    return {
        "network/": lambda world: [ask("/network/", everybody(200))],
        "network/<path:path>/": parts,
        "network/activate/": lambda world: [
            ask("/network/activate/", everybody(404), method="POST", data={"around": "nowhere", "committee": "1"})
        ],
        "network/stand-down/": lambda world: [
            ask("/network/stand-down/", everybody(404), method="POST", data={"activation": "999999999"})
        ],
    }
