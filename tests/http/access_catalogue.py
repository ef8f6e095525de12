"""Rows for the table of `test_access`: who sees which layers, changes them, and hangs photos on them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

EDITORS = ("analyst", "planner", "administrator")
ATTACHERS = (*EDITORS, "reporter", "agency")
INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")


def catalogue_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def only(names: tuple[str, ...], status: int, otherwise: int) -> dict[str, int]:
        return everybody(otherwise) | dict.fromkeys(names, status)

    def lists(world: Any) -> list[Any]:
        city = world.city.code
        found = [
            ask("/layers/", everybody(200)),
            ask("/layers/?q=zzhush", everybody(200)),
            ask("/layers/?theme=health&kind=point&freshness=unknown", everybody(200)),
            ask("/layers/?show=archived", everybody(200)),
            ask("/layers/?kind=cube", everybody(400)),
            ask(f"/layers/?city={city}", everybody(200)),
            ask("/layers/?city=nowhere", everybody(404)),
        ]
        if world.hush:
            found.append(ask(f"/layers/?city={world.hush['city']}", everybody(404, administrator=200)))
        return found

    def of_city(world: Any) -> list[Any]:
        found = [
            ask(f"/{world.city.code}/layers/", everybody(200)),
            ask(f"/{world.city.code}/layers/?q=zzhush", everybody(200)),
            ask("/nowhere/layers/", everybody(404)),
        ]
        if world.hush:
            found.append(ask(f"/{world.hush['city']}/layers/", everybody(404, administrator=200)))
        return found

    def of_layer(suffix: str = "", *, number: bool = False) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            city = world.city.code
            found = [
                ask(f"/{city}/layers/clinic/{suffix}", everybody(200)),
                ask(f"/{city}/layers/nothing/{suffix}", everybody(404)),
                ask(f"/nowhere/layers/clinic/{suffix}", everybody(404)),
            ]
            if number:
                found.append(ask(f"/{city}/layers/clinic/rows/999999/", everybody(404)))
            if world.hush:
                found += [
                    ask(f"/{city}/layers/{world.hush['layer']}/{suffix}", only(INSIDERS, 200, 404)),
                    ask(
                        f"/{world.hush['city']}/layers/{world.hush['open']}/{suffix}", everybody(404, administrator=200)
                    ),
                ]
            return found

        return asks

    def of_writing(
        suffix: str, names: tuple[str, ...], status: int, *, methods: tuple[str, ...] = ("POST",)
    ) -> Callable[[Any], list[Any]]:
        """Give the asks of an address that changes something: signed in, then seen, then allowed."""

        def asks(world: Any) -> list[Any]:
            city, found = world.city.code, []
            for method in methods:

                def one(path: str, said: dict[str, int], method: str = method) -> Any:
                    return ask(path, said | {"anonymous": 302}, method, to_login=("anonymous",))

                right = 200 if method == "GET" and status == 400 else status
                found += [
                    one(f"/{city}/layers/clinic/{suffix}", only(names, right, 403)),
                    one(f"/{city}/layers/nothing/{suffix}", everybody(404)),
                ]
                if world.hush:
                    outside = {"planner_elsewhere": 404}
                    found += [
                        one(f"/{city}/layers/{world.hush['layer']}/{suffix}", only(names, right, 403) | outside),
                        one(
                            f"/{world.hush['city']}/layers/{world.hush['open']}/{suffix}",
                            everybody(404, administrator=right),
                        ),
                    ]
            return found

        return asks

    nobody = uuid.UUID(int=7)
    city = "<slug:city>/layers/"
    return {
        "layers/": lists,
        city: of_city,
        f"{city}<slug:layer>/": of_layer(),
        f"{city}<slug:layer>/rows/<int:number>/": of_layer("rows/1/", number=True),
        f"{city}<slug:layer>/edit/": of_writing("edit/", EDITORS, 400, methods=("GET", "POST")),
        f"{city}<slug:layer>/releases/<int:number>/restore/": of_writing(
            "releases/1/restore/", EDITORS, 409, methods=("GET", "POST")
        ),
        f"{city}<slug:layer>/archive/": of_writing("archive/", EDITORS, 302),
        f"{city}<slug:layer>/rows/<int:number>/attachments/": of_writing("rows/1/attachments/", ATTACHERS, 400),
        "attachments/<uuid:attachment>/": lambda _: [ask(f"/attachments/{nobody}/", everybody(404))],
        "attachments/<uuid:attachment>/small/": lambda _: [ask(f"/attachments/{nobody}/small/", everybody(404))],
        "attachments/<uuid:attachment>/change/": lambda _: [
            ask(f"/attachments/{nobody}/change/", everybody(404, anonymous=302), "POST", to_login=("anonymous",))
        ],
    }
