"""Needs that may have been told before: near in space and time, of the same sector, in much the same words.

Words are compared by the cosine of their trigrams of letters [@damashek1995], on normalised Persian.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.core.text import normalise, squeezed
from geo.errors import InvalidInput

#: What each respect is worth. What is not known of a pair is left out, and the others count for more.
WEIGHTS: Final[Mapping[str, float]] = {"text": 0.5, "space": 0.25, "sector": 0.15, "time": 0.1}

#: Score from which two needs are shown as perhaps the same.
THRESHOLD: Final = 0.65

#: However near they are, needs in words that are less alike than this are two.
LEAST_TEXT: Final = 0.5

#: Distance from which, and days after which, nothing speaks for one need any more.
REACH_M: Final = 500.0
SPAN_DAYS: Final = 365.0

#: Words that say nothing of what is lacking.
_FILLERS: Final = frozenset(
    normalise(
        "و در به از که این آن را با برای تا یا هم بر نیز است هست نیست بود شد شده می ی ها های هایی ای نیاز نیازمند نیازمندی "
        "محله منطقه لطفا باید دارد دارند ندارد ندارند داریم نداریم نداشتن وجود عدم نبود نبودن کمبود فقدان مشکل "
        "the a an of in to and or for is are no not lack need needs there"
    ).split()
)
_SIZE: Final = 3


@dataclass(frozen=True, slots=True)
class Telling:
    """A need, as much of it as says whether it is another's double.

    Attributes
    ----------
    text
        What is said to be lacking, in any spelling; empty if nothing is said.
    sector
        Number of the sector.
    day
        Number of the day it was reported on.
    geometry
        Where, in a metric system; None where only the place is known.
    place
        Number of the place.
    """

    text: str
    sector: int
    day: float
    geometry: BaseGeometry | None = None
    place: int = -1


@dataclass(frozen=True, slots=True)
class Match:
    """A need that may be the same as the one told.

    Attributes
    ----------
    index
        Its number among those given.
    score
        Mean of what follows, by `WEIGHTS`, 0 to 1.
    text, space, sector, time
        Likeness in each respect, 0 to 1; None for what is not known of the two.
    distance_m, days_apart
        Metres between them, None where one has no geometry, and days.
    """

    index: int
    score: float
    text: float | None
    space: float | None
    sector: float
    time: float
    distance_m: float | None
    days_apart: float


def near_duplicates(
    candidate: Telling,
    existing: Sequence[Telling],
    *,
    names: Iterable[str] = (),
    threshold: float = THRESHOLD,
    reach_m: float = REACH_M,
    span_days: float = SPAN_DAYS,
) -> tuple[Match, ...]:
    """Return the needs that may be the candidate told before, the likeliest first.

    Space falls from 1 where the two meet to 0 at `reach_m`; where one has no geometry it is 1 in the same place and
    0 in another one. Time falls from 1 to 0 over `span_days`.

    Parameters
    ----------
    candidate
        The need about to be told.
    existing
        Some hundreds of needs nearby that count.
    names
        Names of the place and those around it: «علی‌آباد» in both texts says where, and not what is lacking.
    threshold
        Score from which a need is returned.
    reach_m, span_days
        Above 0.

    Raises
    ------
    InvalidInput
        Where a parameter is out of range.

    Examples
    --------
    >>> new = Telling("آسفالت کوچه‌های علي آباد خراب است", sector=2, day=10, place=7)
    >>> old = Telling("خرابی آسفالت کوچه های علی‌آباد", sector=2, day=3, place=7)
    >>> other = Telling("درمانگاه علی‌آباد پزشک ندارد", sector=1, day=3, place=7)
    >>> [match.index for match in near_duplicates(new, [other, old])]
    [1]
    """
    if not (0 < reach_m < math.inf and 0 < span_days < math.inf and 0 <= threshold <= 1):
        raise InvalidInput(
            "Reach and span must be above zero, and the threshold from 0 to 1.", code="out_of_range", where="threshold"
        )
    distances = _distances_m(candidate, existing)
    fillers = _FILLERS.union(*((*normalise(name).split(), squeezed(name)) for name in names))
    words = _words(candidate.text, fillers)
    found = []
    for index, (one, distance_m) in enumerate(zip(existing, distances, strict=True)):
        space = _space(candidate, one, distance_m, reach_m)
        days = abs(candidate.day - one.day)
        respects = {
            "text": _likeness(words, _words(one.text, fillers)),
            "space": space,
            "sector": 1.0 if candidate.sector == one.sector else 0.0,
            "time": max(0.0, 1.0 - days / span_days),
        }
        text = respects["text"]
        if space == 0 or (text is not None and text < LEAST_TEXT):
            continue
        known = {name: value for name, value in respects.items() if value is not None}
        score = sum(WEIGHTS[name] * value for name, value in known.items()) / sum(WEIGHTS[name] for name in known)
        if score >= threshold:
            sector, time = known["sector"], known["time"]
            found.append(Match(index, score, text, space, sector, time, distance_m, days))
    return tuple(sorted(found, key=lambda match: (-match.score, match.index)))


def text_likeness(one: str, other: str) -> float | None:
    """Return how much two texts are alike, 0 to 1; None where one of them says nothing.

    The larger of two cosines of trigrams: of the words each by itself, in which their order does not matter, and of the
    text without its spaces, in which it does not matter whether «علی‌آباد» is one word or two.

    Examples
    --------
    >>> text_likeness("مدرسهٔ علي آباد", "مدرسه علی‌آباد")
    1.0
    >>> text_likeness("روشنایی معابر", "معابر روشنایی")
    1.0
    >>> text_likeness("روشنایی", "و در به") is None
    True
    """
    return _likeness(_words(one), _words(other))


def _words(text: str, fillers: Collection[str] = _FILLERS) -> tuple[str, ...]:
    return tuple(word for word in normalise(text).split() if word not in fillers)


def _likeness(one: tuple[str, ...], other: tuple[str, ...]) -> float | None:
    if not one or not other:
        return None
    apart = _cosine(_trigrams(one), _trigrams(other))
    together = _cosine(_trigrams(["".join(one)]), _trigrams(["".join(other)]))
    return max(apart, together)


def _trigrams(words: Iterable[str]) -> Counter[str]:
    """Count the trigrams of words, each with a space around it, so that short words have some and beginnings count."""
    return Counter(f" {word} "[i : i + _SIZE] for word in words for i in range(len(word) + 3 - _SIZE))


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    common = sum(count * other[gram] for gram, count in one.items())
    lengths = sum(count**2 for count in one.values()) * sum(count**2 for count in other.values())
    # Whole numbers under one root, so that equal counts give exactly 1.
    return common / math.sqrt(lengths) if lengths else 0.0


def _distances_m(candidate: Telling, existing: Sequence[Telling]) -> list[float | None]:
    if candidate.geometry is None or candidate.geometry.is_empty:
        return [None] * len(existing)
    shapes = np.array([one.geometry for one in existing], dtype=object)
    # NaN where a geometry is missing or empty.
    return [None if math.isnan(d) else d for d in shapely.distance(candidate.geometry, shapes).tolist()]


def _space(candidate: Telling, one: Telling, distance_m: float | None, reach_m: float) -> float | None:
    if distance_m is not None:
        return max(0.0, 1.0 - distance_m / reach_m)
    if candidate.place < 0 or one.place < 0:
        return None
    return 1.0 if candidate.place == one.place else 0.0


__all__ = [
    "LEAST_TEXT",
    "REACH_M",
    "SPAN_DAYS",
    "THRESHOLD",
    "WEIGHTS",
    "Match",
    "Telling",
    "near_duplicates",
    "text_likeness",
]
