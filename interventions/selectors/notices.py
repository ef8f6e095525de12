"""What somebody was told, as they may read it now: a notice about what they may not see any more says nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.db.models import QuerySet

from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.models import Action, MailChoice, Need, Notice, Organisation, Proposal, Round
from interventions.querysets import LEADING_ROLES
from interventions.selectors.rights import paths_around
from interventions.selectors.rows import NamedRow, named_row

PAGE: Final = 30
"""Notices on one page."""

MOST_COUNTED: Final = 99
"""More unread notices are not counted."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a notice is about, with the city in which its page is found; no city where it lies in none.

    Attributes
    ----------
    kind
        ``round``, ``need``, ``proposal`` or ``action``.
    title_fa, title_en
        The text of a need is its title.
    """

    kind: str
    pk: int
    title_fa: str
    title_en: str
    city: str | None
    path: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice as its person may read it now.

    Attributes
    ----------
    what
        Which sentence says it.
    is_shown
        Whether the person may still see all that it is about; where not, the members below are empty.
    subjects
        What it is about, the first one first.
    facts
        Numbers and moments of it, as `interventions.services.notices` wrote them.
    """

    pk: int
    kind: str
    what: str
    at: datetime
    is_read: bool
    is_shown: bool
    place: NamedRow | None
    organisation: NamedRow | None
    subjects: tuple[Subject, ...]
    facts: Mapping[str, Any]


def notices_unread(user: User) -> int:
    """Return how many notices somebody has not read, at most `MOST_COUNTED` and one."""
    return len(Notice.objects.visible_to(user).unread().order_by().values_list("pk")[: MOST_COUNTED + 1])


def notices_of(
    user: User, *, before: int | None = None, unread: bool = False, most: int = PAGE
) -> tuple[NoticeRow, ...]:
    """Return what somebody was told, the latest first.

    Parameters
    ----------
    before : int, optional
        Begin after this notice, the last one of the page before.
    unread : bool
        Only what was not read.
    """
    found = Notice.objects.visible_to(user).select_related("place").order_by("-pk")
    if unread:
        found = found.unread()
    if before is not None:
        found = found.filter(pk__lt=before)
    return notice_rows(found[:most], user)


def notice_rows(notices: Iterable[Notice], user: User) -> tuple[NoticeRow, ...]:
    """Return notices of somebody as they may read them now."""
    found = list(notices)
    wanted = [_wanted(notice) for notice in found]
    seen = _Seen(user, [pair for pairs in wanted for pair in pairs], found)
    rows = []
    for notice, pairs in zip(found, wanted, strict=True):
        subjects = [seen.subjects[pair] for pair in pairs if pair in seen.subjects]
        # Of several actions, those that may be seen are enough.
        is_whole = len(subjects) == len(pairs) or (bool(subjects) and "actions" in notice.content)
        body = notice.content.get("organisation")
        leads = notice.place_id in seen.led
        is_own = leads or body in seen.own or notice.kind == Notice.Kind.CHANGE
        is_shown = is_whole and is_own
        rows.append(
            NoticeRow(
                pk=notice.pk,
                kind=notice.kind,
                what=notice.content["what"],
                at=notice.created_at,
                is_read=notice.read_at is not None,
                is_shown=is_shown,
                place=named_row(notice.place) if is_shown else None,
                organisation=seen.organisations.get(body) if is_shown and body else None,
                subjects=tuple(subjects) if is_shown else (),
                facts=MappingProxyType(notice.content if is_shown else {}),
            )
        )
    return tuple(rows)


def mail_language(user: User) -> str:
    """Return in which language somebody is told by e-mail; empty where they do not want to be."""
    chosen = MailChoice.objects.visible_to(user).values_list("language", flat=True).first()
    return MailChoice.Language.PERSIAN.value if chosen is None else str(chosen)


_MODELS: Final[Mapping[str, Any]] = {"round": Round, "need": Need, "proposal": Proposal, "action": Action}

Pair = tuple[str, int]


def _wanted(notice: Notice) -> tuple[Pair, ...]:
    """Return what a notice is about, by kind and number."""
    content = notice.content
    found: list[Pair] = []
    if "subject" in content:
        found.append((content["subject"], content["number"]))
    if "into" in content:
        found.append(("need", content["into"]))
    if "own" in content:
        found.append((content["own"], content["own_number"]))
    if "round" in content:
        found.append(("round", content["round"]))
    return (*found, *(("action", number) for number in content.get("actions", ())))


class _Seen:
    """What of the things that notices are about somebody may see, read all at once."""

    def __init__(self, user: User, pairs: Iterable[Pair], notices: list[Notice]) -> None:
        numbers: dict[str, set[int]] = {kind: set() for kind in _MODELS}
        for kind, number in pairs:
            numbers[kind].add(number)
        records = {
            (kind, record.pk): record
            for kind, keys in numbers.items()
            if keys
            for record in self._read(kind, keys, user)
        }
        places = {pair: self._place(pair[0], record) for pair, record in records.items()}
        cities = self._cities(places.values(), user)
        self.subjects = {pair: self._subject(pair, record, places[pair], cities) for pair, record in records.items()}
        bodies = {notice.content.get("organisation") for notice in notices} - {None}
        known = Organisation.objects.filter(pk__in=bodies)
        self.organisations: dict[int | None, NamedRow] = {body.pk: named_row(body) for body in known}
        self.own: set[int | None] = set(known.of_member(user).values_list("pk", flat=True)) if bodies else set()
        led = Place.objects.filter(pk__in={notice.place_id for notice in notices})
        if not is_administrator(user):
            led = led.filter(assigned_q(user, "path", LEADING_ROLES))
        self.led = set(led.values_list("pk", flat=True)) if notices else set()

    @staticmethod
    def _read(kind: str, keys: set[int], user: User) -> QuerySet[Any]:
        found: QuerySet[Any] = _MODELS[kind].objects.visible_to(user).filter(pk__in=keys)
        if kind == "proposal":
            return found.select_related("round__place").prefetch_related("needs__place")
        return found.select_related("place").prefetch_related(*(["areas"] if kind == "round" else []))

    @staticmethod
    def _place(kind: str, record: Any) -> Place:
        """Return a place in whose city the record's page is found."""
        if kind == "proposal":
            return next((need.place for need in record.needs.all()), record.round.place)  # type: ignore[no-any-return]
        if kind == "round":
            return next(iter(record.areas.all()), record.place)  # type: ignore[no-any-return]
        return record.place  # type: ignore[no-any-return]

    @staticmethod
    def _cities(places: Iterable[Place], user: User) -> dict[str, str]:
        around = {path for place in places for path in paths_around(place)}
        cities = Place.objects.visible_to(user).filter(kind=Place.Kind.CITY, path__in=around)
        return dict(cities.values_list("path", "code"))

    @staticmethod
    def _subject(pair: Pair, record: Any, place: Place, cities: Mapping[str, str]) -> Subject:
        city = next((cities[path] for path in paths_around(place) if path in cities), None)
        field = {"need": "text", "round": "name"}.get(pair[0], "title")
        return Subject(*pair, getattr(record, f"{field}_fa"), getattr(record, f"{field}_en"), city, place.path)


__all__ = [
    "MOST_COUNTED", "PAGE", "NoticeRow", "Subject", "mail_language", "notice_rows", "notices_of", "notices_unread",
]  # fmt: skip
