"""Rows for the table of `test_access`: who may bring data for a city, and who sees what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = dict[str, Callable[[Any], list[Any]]]

BRINGERS = ("analyst", "planner", "administrator")
KEY = "00000000-0000-4000-8000-000000000000"


def import_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def bringers(status: int) -> dict[str, int]:
        return everybody(403, anonymous=401) | dict.fromkeys(BRINGERS, status)

    def of_city(world: Any) -> list[Any]:
        def at(city: str) -> str:
            return f"/api/v1/cities/{city}/uploads"

        found = []
        for method, status in (("GET", 200), ("POST", 400)):
            found += [
                ask(at(world.city.code), bringers(status), method),
                ask(at("nowhere"), everybody(404, anonymous=401), method),
            ]
            if world.hush:
                hidden = everybody(404, anonymous=401, administrator=status)
                found.append(ask(at(world.hush["city"]), hidden, method))
        return found

    def of_upload(suffix: str, method: str = "GET") -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            found = [ask(f"/api/v1/uploads/{KEY}{suffix}", everybody(404, anonymous=401), method)]
            if world.hush:
                # One of the published city, one of the hidden: seen by those who bring data there.
                made = {"": (200, 200), "/store": (428, 428), "/cancel": (200, 200)}.get(suffix, (404, 404))
                here = everybody(404, anonymous=401) | dict.fromkeys(BRINGERS, made[0])
                there = everybody(404, anonymous=401, administrator=made[1])
                found += [
                    ask(f"/api/v1/uploads/{world.hush['upload']}{suffix}", here, method),
                    ask(f"/api/v1/uploads/{world.hush['upload_there']}{suffix}", there, method),
                ]
            return found

        return asks

    one = "api/v1/uploads/<uuidstr:upload>"
    return {
        "api/v1/cities/<slug:city>/uploads": of_city,
        one: of_upload(""),
        f"{one}/store": of_upload("/store", "POST"),
        f"{one}/cancel": of_upload("/cancel", "POST"),
        f"{one}/preview.geojson": of_upload("/preview.geojson"),
        f"{one}/problems.geojson": of_upload("/problems.geojson"),
    }


def hidden_uploads(city: Any, hidden_city: Any, author: Any, word: str) -> dict[str, str]:
    """Make an upload in a published city and one in a hidden one, with a word in every text; return their keys."""
    from layers.models import Upload

    def made(place: Any) -> str:
        upload = Upload.objects.create(
            city=place, author=author, file_name=f"{word}.gpkg", size=1, sha256="0" * 64, state="failed",
            new_layer={"code": word}, options={"layer": word}, problem={"title": word}, report={"layers": [word]},
        )  # fmt: skip
        return str(upload.pk)

    return {"upload": made(city), "upload_there": made(hidden_city)}
