"""What may be told of a count of people and of a share, and in which words. Pure.

A person with a role in the city is told everything. The public is told no count of one to nine people, nor a share from
which one could be worked out; it is told the bound instead («fewer than 10»), which depends on nothing but that limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext as _

from analysis.disclosure import SMALL_COUNT, suppressed
from maps.pages import formats

NOBODY: Final = 0.005
"""Fewer people than this are an error of floating point, not people."""

Kind = Literal["exact", "below", "above", "withheld", "none"]


@dataclass(frozen=True, slots=True)
class Told:
    """A number as it may be told.

    Attributes
    ----------
    value : float or None
        The number, or the bound where `kind` says it lies below or above it; None where nothing can be said.
    """

    value: float | None
    kind: Kind = "exact"

    @property
    def exact(self) -> float | None:
        """The number itself where it may be told, else None."""
        return self.value if self.kind == "exact" else None

    def as_people(self, language: str) -> str:
        """Write it as a count of people."""
        if self.kind == "below" and self.value is not None:
            return _("fewer than %(count)s") % {"count": formats.number(self.value, language)}
        if self.kind == "above" and self.value is not None:
            return _("more than %(count)s") % {"count": formats.number(self.value, language)}
        return _("withheld") if self.kind == "withheld" else formats.number(self.value, language)

    def as_percent(self, language: str) -> str:
        """Write it as per cent."""
        if self.kind == "below" and self.value is not None:
            return _("under %(share)s") % {"share": formats.percent(math.ceil(self.value * 100) / 100, language)}
        if self.kind == "above" and self.value is not None:
            return _("over %(share)s") % {"share": formats.percent(math.floor(self.value * 100) / 100, language)}
        return _("withheld") if self.kind == "withheld" else formats.percent(self.value, language)

    def as_points(self, language: str) -> str:
        """Write it as points of a score."""
        if self.kind == "below" and self.value is not None:
            return _("under %(share)s") % {"share": formats.number(math.ceil(self.value * 10) / 10, language, 1)}
        if self.kind == "above" and self.value is not None:
            return _("over %(share)s") % {"share": formats.number(math.floor(self.value * 10) / 10, language, 1)}
        return formats.number(self.value, language, 1)

    def as_distance(self, language: str, *, is_time: bool = False) -> str:
        """Write it as a distance, with minutes where it stands for time."""
        return _("withheld") if self.kind == "withheld" else formats.cost(self.value, language, is_time)


NOTHING = Told(None, "none")
WITHHELD = Told(None, "withheld")


def people(count: float, is_insider: bool) -> Told:
    """Tell a count of people.

    Examples
    --------
    >>> people(3.2, False), people(3.2, True).value, people(1e-12, False).value
    (Told(value=10.0, kind='below'), 3.2, 0.0)
    """
    if not math.isfinite(count):
        return NOTHING
    if count < NOBODY:
        return Told(0.0)
    return Told(float(SMALL_COUNT), "below") if not is_insider and suppressed(count) else Told(float(count))


def people_of(count: float, whole: float, is_insider: bool) -> Told:
    """Tell how many of a place's people are concerned; where nearly all are, not how many are left over.

    Examples
    --------
    >>> people_of(995.0, 1000.0, False), people_of(5.0, 1000.0, False).kind, people_of(995.0, 1000.0, True).value
    (Told(value=990.0, kind='above'), 'below', 995.0)
    """
    told = share(count, whole, is_insider)
    if told.kind == "withheld":
        return WITHHELD
    return Told(whole - SMALL_COUNT, "above") if told.kind == "above" else people(count, is_insider)


def share(part: float, whole: float, is_insider: bool) -> Told:
    """Tell which share a part of the people is of a whole.

    Where the part is small, or the rest is, only the bound that follows from the limit is told.

    Examples
    --------
    >>> share(380.0, 1000.0, False).value, share(5.0, 1000.0, False), share(995.0, 1000.0, False)
    (0.38, Told(value=0.01, kind='below'), Told(value=0.99, kind='above'))
    >>> share(2.0, 4.0, False).kind, share(0.0, 0.0, False).kind, share(0.0, 500.0, False).value
    ('withheld', 'none', 0.0)
    """
    if not (math.isfinite(part) and math.isfinite(whole)) or whole < NOBODY:
        return NOTHING
    part = min(max(part, 0.0), whole)
    rest = whole - part
    part, rest = (0.0 if v < NOBODY else v for v in (part, rest))
    if not is_insider:
        if suppressed(whole):
            return WITHHELD
        if suppressed(part) and suppressed(rest):
            return WITHHELD
        if suppressed(part):
            return Told(SMALL_COUNT / whole, "below")
        if suppressed(rest):
            return Told(1 - SMALL_COUNT / whole, "above")
    return Told(1.0 if rest == 0 else part / whole)


def complement(told: Told) -> Told:
    """Tell one minus a share.

    Examples
    --------
    >>> complement(Told(0.25)), complement(Told(0.01, "below"))
    (Told(value=0.75, kind='exact'), Told(value=0.99, kind='above'))
    """
    if told.value is None:
        return told
    kind: Kind = "above" if told.kind == "below" else "below" if told.kind == "above" else told.kind
    return Told(1 - told.value, kind)


def distance(metres: float, whole: float, is_insider: bool) -> Told:
    """Tell a mean distance of people, unless they are few."""
    if not math.isfinite(metres):
        return NOTHING
    return WITHHELD if not is_insider and suppressed(whole) else Told(float(metres))
