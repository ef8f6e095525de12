"""What a change does, in one sentence; areas, people and moments as a reader writes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from geo.models import Change, ChangeSet
from maps.pages import formats, telling
from maps.pages.reader import language
from maps.reviews.sheets import Side

NOTHING_M2: Final = 0.5
"""Less ground than this is the rounding of a vertex, not a change."""
_ASIDE: Final = 0.005
"""A smaller part of the largest change is told in the table, not in the sentence."""
NOBODY: Final = 0.5
"""Fewer people than this are written as none."""


class Gains(Protocol):
    """What a place gains and loses."""

    @property
    def gained_m2(self) -> float:
        """Ground gained."""

    @property
    def lost_m2(self) -> float:
        """Ground lost."""

    @property
    def people_gained(self) -> float | None:
        """People on ground gained."""

    @property
    def people_lost(self) -> float | None:
        """People on ground lost."""


def area(square_metres: float | None) -> str:
    """Write an area in square metres."""
    if square_metres is None:
        return formats.DASH
    decimals = 1 if 0 < square_metres < 10 else 0
    return _("%(n)s m²") % {"n": formats.number(square_metres, language(), decimals)}


def people(count: float | None, is_insider: bool) -> str:
    """Write a count of people, or the bound that may be told of it."""
    return formats.DASH if not count or count < NOBODY else telling.people(count, is_insider).as_people(language())


def ground(square_metres: float, count: float | None, is_insider: bool) -> str:
    """Write a piece of ground: its area and who lives there."""
    if count is None:
        return area(square_metres)
    told = telling.people(count, is_insider)
    if told.exact is not None and told.exact < 0.5:
        return _("%(area)s without residents") % {"area": area(square_metres)}
    whole = round(told.value or 0)
    return ngettext("%(area)s with %(people)s person", "%(area)s with %(people)s people", whole) % {
        "area": area(square_metres),
        "people": told.as_people(language()),
    }


def signed(square_metres: float) -> str:
    """Write an area gained or lost, with its sign; a dash where there is none."""
    if abs(square_metres) < NOTHING_M2:
        return formats.DASH
    return _with_sign(square_metres)


def signed_people(count: float | None) -> str:
    """Write people gained or lost, with the sign; a dash where nobody is counted."""
    if count is None or abs(count) < NOBODY:
        return formats.DASH
    return _with_sign(count)


def _with_sign(value: float) -> str:
    """Write a number with its sign on the left, where readers of either script look for it."""
    return left_to_right(f"{'+' if value > 0 else '−'}{formats.number(abs(value), language())}")


def left_to_right(text: str) -> str:
    """Write a number with signs in it so that a Persian sentence does not turn its parts round."""
    return f"\u2066{formats.digits(text, language())}\u2069"


def share(part: float | None) -> str:
    """Write a share with a decimal, but for none and all."""
    if part is None or not 0 < part < 1:
        return formats.percent(part, language())
    return formats.percent(min(max(part, 0.001), 0.999), language(), 1)


def by_when(who: str, when: str) -> str:
    """Write who did something, and when."""
    return _("%(who)s, %(when)s") % {"who": formats.isolated(who, language()), "when": when} if who else when


def either(items: Sequence[str]) -> str:
    """Join words into a choice: «الف، ب یا پ», "a, b or c"."""
    if len(items) < 2:
        return "".join(items)
    comma = "، " if language() == "fa" else ", "
    return _("%(first)s or %(last)s") % {"first": comma.join(items[:-1]), "last": items[-1]}


def renamed(change: Change) -> str:
    """Return the name a change gives its place, in the reader's language; empty where it keeps its own."""
    own = change.name_en if language() == "en" else change.name_fa
    return own if own != change.place.name else ""


def moment(value: datetime | None) -> str:
    """Write a day and the time of day, at the place of the service."""
    if value is None:
        return formats.DASH
    local, lang = timezone.localtime(value), language()
    return _("%(day)s, %(time)s") % {"day": formats.day(local, lang), "time": formats.digits(f"{local:%H:%M}", lang)}


def title_of(change_set: ChangeSet) -> str:
    """Return the title of a change set, or its number where it has none."""
    return change_set.title or _("Change set %(n)s") % {"n": formats.number(change_set.pk, language())}


def few(names: Sequence[str], most: int = 3) -> str:
    """Join names into a phrase; of many, the first and how many more."""
    lang = language()
    told = [formats.isolated(name, lang) for name in names[:most]]
    if len(names) > most:
        rest = len(names) - most
        told.append(ngettext("%(n)s other", "%(n)s others", rest) % {"n": formats.number(rest, lang)})
    return formats.listing(told, lang)


def change_sentence(sides: Sequence[Side], measured: Mapping[str, Gains], *, is_insider: bool) -> str:
    """Say in one sentence what a change set changes, in square metres and people."""
    new = [side for side in sides if side.before is None]
    ended = [side for side in sides if side.after is None]
    largest_m2 = max((max(measured[s.code].gained_m2, measured[s.code].lost_m2) for s in sides), default=0.0)
    least_m2 = max(NOTHING_M2, _ASIDE * largest_m2)
    grown = [side for side in sides if side not in new and measured[side.code].gained_m2 > least_m2]
    shrunk = [side for side in sides if side not in ended and measured[side.code].lost_m2 > least_m2]
    names = {side.code: formats.isolated(side.name, language()) for side in sides}

    def gained(side: Side) -> str:
        own = measured[side.code]
        return ground(own.gained_m2, own.people_gained, is_insider)

    def lost(side: Side) -> str:
        own = measured[side.code]
        return ground(own.lost_m2, own.people_lost, is_insider)

    if len(new) == 1 and not ended and not grown:
        words = {"place": names[new[0].code], "ground": gained(new[0])}
        if not shrunk:
            return _("A new place, %(place)s, is drawn: %(ground)s.") % words
        words["old"] = formats.listing([names[side.code] for side in shrunk], language())
        return _("%(place)s is made of %(ground)s taken from %(old)s.") % words
    if ended and not new and len(grown) == 1 and not shrunk:
        return _("%(gone)s becomes part of %(place)s, which grows by %(ground)s.") % {
            "gone": formats.listing([names[side.code] for side in ended], language()),
            "place": names[grown[0].code],
            "ground": gained(grown[0]),
        }
    if len(sides) == 1:
        only = sides[0]
        return _alone(names[only.code], measured[only.code], gained(only), lost(only), bool(ended))
    if not new and not ended and len(grown) == 1 and len(shrunk) == 1 and grown != shrunk:
        return _("%(ground)s pass from %(old)s to %(place)s.") % {
            "ground": gained(grown[0]),
            "old": names[shrunk[0].code],
            "place": names[grown[0].code],
        }
    return _together(sides, measured, is_insider=is_insider)


def _alone(name: str, own: Gains, gained: str, lost: str, is_ended: bool) -> str:
    words = {"place": name, "gained": gained, "lost": lost}
    if is_ended:
        return _("%(place)s ends; its %(lost)s belong to no place.") % words
    grows, shrinks = own.gained_m2 > NOTHING_M2, own.lost_m2 > NOTHING_M2
    if grows and shrinks:
        return _("%(place)s gains %(gained)s and loses %(lost)s.") % words
    if grows:
        return _("%(place)s gains %(gained)s.") % words
    if shrinks:
        return _("%(place)s loses %(lost)s.") % words
    return _("The boundary of %(place)s stays where it is; what is known about it changes.") % words


def _together(sides: Sequence[Side], measured: Mapping[str, Gains], *, is_insider: bool) -> str:
    gained_m2 = sum(measured[side.code].gained_m2 for side in sides)
    lost_m2 = sum(measured[side.code].lost_m2 for side in sides)
    is_gain = gained_m2 >= lost_m2
    counts = [measured[s.code].people_gained if is_gain else measured[s.code].people_lost for s in sides]
    known = [count for count in counts if count is not None]
    whole = sum(known) if len(known) == len(counts) else None
    return ngettext(
        "%(n)s place changes; %(ground)s come to another place.",
        "%(n)s places change; %(ground)s come to another place.",
        len(sides),
    ) % {
        "n": formats.number(len(sides), language()),
        "ground": ground(max(gained_m2, lost_m2), whole, is_insider),
    }
