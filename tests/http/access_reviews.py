"""Rows for the table of `test_access`: who sees what of change sets, histories and past days, and who may decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geo.models import Change, ChangeSet

Rows = dict[str, Callable[[Any], list[Any]]]

INSIDERS = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")


def review_rows(ask: Callable[..., Any], everybody: Callable[..., dict[str, int]]) -> Rows:
    """Give the rows.

    Parameters
    ----------
    ask : callable
        The class `Ask` of the table.
    everybody : callable
        Gives the same status to everybody, others by name.
    """

    def insiders(status: int, otherwise: int, **others: int) -> dict[str, int]:
        return everybody(otherwise) | dict.fromkeys(INSIDERS, status) | others

    def of_list(world: Any) -> list[Any]:
        path = f"/{world.city.code}/changes/"
        found = [
            ask(path, everybody(200)),
            ask(f"{path}?show=all", everybody(200)),
            ask(f"{path}?show=mine", everybody(200)),
            ask(f"{path}?show=nothing", everybody(400)),
            ask(f"{path}?show=all&place={world.quarter.code}", everybody(200)),
            ask(f"{path}?place=nothing", everybody(404)),
            ask("/nowhere/changes/", everybody(404)),
        ]
        if world.hush:
            draft_of(world)
            found += [
                ask(f"{path}?place={world.hush['place']}", insiders(200, 404)),
                ask(f"/{world.hush['city']}/changes/", everybody(404, administrator=200)),
            ]
        return found

    def of_change(world: Any) -> list[Any]:
        city, login = world.city.code, ("anonymous",)
        nowhere = everybody(404, anonymous=302)
        found = [
            ask(f"/{city}/changes/999999999/", nowhere, to_login=login),
            ask("/nowhere/changes/1/", nowhere, to_login=login),
            ask(f"/{city}/changes/999999999/", nowhere, "POST", {"step": "approve", "version": "1"}, to_login=login),
        ]
        if world.hush:
            path = f"/{city}/changes/{draft_of(world).pk}/"
            seen = insiders(200, 404, anonymous=302)
            edited = insiders(403, 404, anonymous=302, planner=302, administrator=302)
            found += [
                ask(path, seen, to_login=login),
                ask(f"{path}?place=", seen, to_login=login),
                ask(f"{path}?place=nothing", nowhere, to_login=login),
                ask(f"/{world.hush['city']}/changes/{draft_of(world).pk}/", nowhere, to_login=login),
                ask(path, edited, "POST", {"step": "propose", "version": "1"}, to_login=login),
                ask(path, edited, "POST", {"step": "withdraw", "version": "1"}, to_login=login),
                ask(
                    path, insiders(409, 404, anonymous=302), "POST", {"step": "propose", "version": "7"}, to_login=login
                ),
                ask(
                    path, insiders(409, 404, anonymous=302), "POST", {"step": "approve", "version": "1"}, to_login=login
                ),
                ask(path, insiders(400, 404, anonymous=302), "POST", {"step": "nothing"}, to_login=login),
            ]
        return found

    def of_day(world: Any) -> list[Any]:
        path = f"/{world.city.code}/as-of/"
        found = [
            ask(path, everybody(200)),
            ask(f"{path}?date=1404/12/01", everybody(200)),
            ask(f"{path}?date=2021-06-01", everybody(200)),
            ask(f"{path}?date=2300-01-01", everybody(200)),
            ask(f"{path}?date=yesterday", everybody(400)),
            ask("/nowhere/as-of/", everybody(404)),
        ]
        if world.hush:
            found.append(ask(f"/{world.hush['city']}/as-of/?date=2021-06-01", everybody(404, administrator=200)))
        return found

    def of_history(world: Any) -> list[Any]:
        path = f"/{world.city.code}/{world.quarter.code}/history/"
        edition = world.quarter.boundaries.current().get().pk
        restored = everybody(403, anonymous=302, planner=400, administrator=400)  # it is the one in force
        found = [
            ask(path, everybody(200)),
            ask(f"{path}?a={edition}&b={edition}", everybody(200)),
            ask(f"{path}?a={edition}&b=0", everybody(404)),
            ask(path, restored, "POST", {"restore": str(edition)}, to_login=("anonymous",)),
            ask(path, everybody(404, anonymous=302), "POST", {"restore": "0"}, to_login=("anonymous",)),
            ask(f"/{world.city.code}/nothing/history/", everybody(404)),
            ask("/nowhere/nothing/history/", everybody(404)),
        ]
        if world.hush:
            draft = draft_of(world).boundaries.get().pk
            drawn = insiders(403, 404, anonymous=302, planner=302, administrator=302)
            found += [
                ask(f"{path}?a={edition}&b={draft}", insiders(200, 404)),
                ask(path, drawn, "POST", {"restore": str(draft)}, to_login=("anonymous",)),
                ask(f"/{world.city.code}/{world.hush['place']}/history/", insiders(200, 404)),
                ask(f"/{world.hush['city']}/{world.hush['quarter']}/history/", everybody(404, administrator=200)),
            ]
        return found

    return {
        "<slug:city>/changes/": of_list,
        "<slug:city>/changes/<int:number>/": of_change,
        "<slug:city>/as-of/": of_day,
        "<slug:city>/<slug:place>/history/": of_history,
    }


def draft_of(world: Any) -> ChangeSet:
    """Return a draft that changes the quarter, with the hidden word in all its texts; made where there is none yet."""
    title = f"{world.hush['place']} draft"
    found = ChangeSet.objects.filter(place=world.city, title=title).first()
    if found is not None:
        return found
    base = world.quarter.boundaries.current().get()
    draft = world.quarter.boundaries.filter(status="draft").order_by("pk").first()
    made = ChangeSet.objects.create(place=world.city, title=title, comment=title)
    draft.change_set, draft.version = made, 2
    draft.save()
    Change.objects.create(change_set=made, place=world.quarter, base=base, boundary=draft)
    made.reviews.create(action="saved", comment=title)
    return made
