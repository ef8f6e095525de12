"""Rows for the table of `test_access`: who reads published indices, and who publishes and withdraws them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from analysis.indices.computing import IndexQuestion
from analysis.indices.editions import index_publish
from analysis.models import IndexEdition
from geo.models import Place

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")
PUBLISHERS = ("analyst", "planner", "administrator")
LOGIN = ("anonymous",)

_frozen: list[IndexEdition] = []


def editions_put(city: Place, author: User) -> None:
    """Publish an index of a city as its first, and put a withdrawn one beside it; worked out once for all tests."""
    if not _frozen:
        asked = IndexQuestion(
            weights={"early-care": 1.0, "water-all-day": 2.0}, kinds=("settlement",), first=3, draws=200
        )
        made = index_publish(
            city=city, author=author, question=asked, title_fa="شاخص", title_en="Index", reversals_seen=True
        )
        made.delete()
        _frozen.append(copy.deepcopy(made))
    run = _frozen[0].run
    run.pk, run.author = None, author
    run.save(force_insert=True)
    withdrawn = {"withdrawn_at": timezone.now(), "withdrawn_by": author, "withdrawn_reason": "r"}
    for number, more in ((1, {}), (2, withdrawn)):
        edition = copy.deepcopy(_frozen[0])
        edition.pk, edition.number, edition.author, edition.run = None, number, author, run
        for name, value in more.items():
            setattr(edition, name, value)
        edition.save(force_insert=True)


def editions_hide(city: Place, word: str) -> None:
    """Put an index of a city that is not published, with a word in every text that must not be seen."""
    edition = IndexEdition.objects.order_by("pk").first()
    assert edition is not None
    edition.pk, edition.city, edition.number = None, city, 1
    edition.title_fa = edition.title_en = edition.note = word
    edition.save(force_insert=True)


def index_edition_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def some(names: tuple[str, ...], status: int, otherwise: int = 403, **others: int) -> dict[str, int]:
        return everybody(otherwise, anonymous=302) | dict.fromkeys(names, status) | others

    def of_city(suffix: str, *asked: Any, anonymous: int = 302, hidden: int = 200) -> Callable[[Any], list[Any]]:
        def asks(world: Any) -> list[Any]:
            login = LOGIN if anonymous == 302 else ()
            found = [one(f"/{world.city.code}/index/{suffix}") for one in asked]
            found.append(ask(f"/nowhere/index/{suffix}", everybody(404, anonymous=anonymous), to_login=login))
            if world.hush:
                whole = everybody(404, anonymous=anonymous, administrator=hidden)
                found.append(ask(f"/{world.hush['city']}/index/{suffix}", whole, to_login=login))
            return found

        return asks

    def get(query: str, status: dict[str, int], to_login: tuple[str, ...] = LOGIN) -> Callable[[str], Any]:
        return lambda path: ask(path + query, status, to_login=to_login)

    def withdraw(world: Any) -> list[Any]:
        path = f"/{world.city.code}/index/editions/1/withdraw"
        return [
            ask(path, everybody(405, anonymous=302), to_login=LOGIN),
            ask(path, some(PUBLISHERS, 400), "POST", to_login=LOGIN),
            ask(
                f"/{world.city.code}/index/editions/99/withdraw", everybody(404, anonymous=302), "POST", to_login=LOGIN
            ),
        ]

    gone = everybody(410) | dict.fromkeys(INSIDERS, 200)
    kept = everybody(404) | dict.fromkeys(INSIDERS, 200)
    base = "<slug:city>/index"
    return {
        f"{base}/export": of_city(
            "export",
            get("", some(INSIDERS, 200)),
            get("?w-castle=1", some(INSIDERS, 400)),
            get("?first=0", some(INSIDERS, 400)),
            hidden=404,  # nothing is measured there
        ),
        f"{base}/publish/": of_city(
            "publish/",
            get("?w-early-care=1&first=3", some(PUBLISHERS, 200)),
            get("?w-castle=1", some(PUBLISHERS, 400)),
            lambda path: ask(path, some(PUBLISHERS, 400), "POST", {"title_fa": "", "title_en": "T"}, to_login=LOGIN),
            hidden=404,
        ),
        f"{base}/editions/": of_city("editions/", get("", everybody(200), ()), anonymous=404),
        f"{base}/editions/<int:number>/": of_city(
            "editions/1/",
            get("", everybody(200), ()),
            lambda path: ask(path.replace("/1/", "/2/"), gone),
            lambda path: ask(path.replace("/1/", "/99/"), everybody(404)),
            anonymous=404,
        ),
        f"{base}/editions/<int:number>/export": of_city(
            "editions/1/export",
            get("", everybody(200), ()),
            lambda path: ask(path.replace("/1/", "/2/"), kept),
            anonymous=404,
        ),
        f"{base}/editions/<int:number>/withdraw": withdraw,
    }
