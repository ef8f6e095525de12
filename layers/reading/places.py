"""What the rows of a table are joined to: places of a city, or the features of a layer, found by code or by name.

Two spellings of one name find the same thing. A name that two things have stands for neither.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import shapely

from geo.core.text import joining_forms, normalise
from layers.reading.problems import Json

#: By what a row found its partner: its code, its name, or a name that differs in spaces or in the word of its kind.
By: TypeAlias = Literal["code", "name", "like"]

_CLOSE: Final = 3
"""Suggestions for one name."""
_LEAST_ALIKE: Final = 0.4
_USED: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Partner:
    """A thing that rows can be joined to.

    Attributes
    ----------
    code
        What it is called in programs; empty if it has none.
    name
        What people call it; empty if it has none.
    geometry
        In EPSG:4326.
    also
        Further names.
    """

    code: str
    name: str
    geometry: shapely.Geometry
    also: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What to call it in a list."""
        return self.name or self.code


class Found(NamedTuple):
    """What a cell stands for: the position of a partner and by what it was found, or how many there are that it may mean."""

    at: int
    by: By | None
    several: int = 0


class Places:
    """Things that rows can be joined to.

    Parameters
    ----------
    partners
        The things.
    layer, release
        The layer they are features of, and the number of its release; empty for places of the city.
    """

    def __init__(self, partners: Iterable[Partner], *, layer: str = "", release: int | None = None) -> None:
        self.partners: Sequence[Partner] = tuple(partners)
        self.layer, self.release = layer, release
        exact: defaultdict[str, set[int]] = defaultdict(set)
        codes: defaultdict[str, set[int]] = defaultdict(set)
        names: defaultdict[str, set[int]] = defaultdict(set)
        forms: defaultdict[str, set[int]] = defaultdict(set)
        for at, one in enumerate(self.partners):
            if one.code:
                exact[one.code].add(at)
                codes[normalise(one.code)].add(at)
            for text in {one.name, *one.also} - {""}:
                names[normalise(text)].add(at)
            for text in {one.code, one.name, *one.also} - {""}:
                for form in joining_forms(text):
                    forms[form].add(at)
        self._exact, self._codes, self._names, self._forms = dict(exact), dict(codes), dict(names), dict(forms)

    def __len__(self) -> int:
        """The number of things."""
        return len(self.partners)

    def find(self, text: str) -> Found:
        """Find what a text stands for, the strictest way first; what stands for several stands for none.

        Examples
        --------
        >>> here = shapely.Point(0, 0)
        >>> counties = Places([Partner("k1", "شهرستان سردرود", here), Partner("k2", "پل\u200cسفید", here)])
        >>> counties.find("k1"), counties.find("سردرود"), counties.find("پلسفید").at, counties.find("آبسرد").at
        (Found(at=0, by='code', several=0), Found(at=0, by='like', several=0), 1, -1)
        """
        plain = normalise(text)
        like = [self._forms.get(form, set()) for form in joining_forms(text)]
        tried: tuple[tuple[By, Collection[int]], ...] = (
            ("code", self._exact.get(text, ())),
            ("code", self._codes.get(plain, ())),
            ("name", self._names.get(plain, ())),
            ("like", set().union(*like)),
        )
        for by, found in tried:
            if len(found) == 1:
                return Found(next(iter(found)), by)
            if found:
                return Found(-1, None, len(found))
        return Found(-1, None)

    def close(self, texts: Collection[str], used: Collection[int]) -> dict[str, tuple[int, ...]]:
        """Give for each text the positions of a few things with a name like it: those with most pairs of letters in common.

        Parameters
        ----------
        texts
            What was not found.
        used
            Positions of the things that other texts stand for: they come into question less.
        """
        having: defaultdict[str, list[int]] = defaultdict(list)
        sizes: list[tuple[int, int]] = []
        for at, one in enumerate(self.partners):
            for form in {form for text in (one.code, one.name, *one.also) for form in joining_forms(text)}:
                pairs = _pairs(form)
                for pair in pairs:
                    having[pair].append(len(sizes))
                sizes.append((at, len(pairs)))
        found: dict[str, tuple[int, ...]] = {}
        for text in texts:
            alike: dict[int, float] = {}
            for form in joining_forms(text):
                pairs = _pairs(form)
                shared = Counter(number for pair in pairs for number in having.get(pair, ()))
                for number, n in shared.items():
                    at, size = sizes[number]
                    share = 2 * n / (size + len(pairs)) * (_USED if at in used else 1)
                    alike[at] = max(alike.get(at, 0.0), share)
            best = sorted((at for at, share in alike.items() if share >= _LEAST_ALIKE), key=lambda at: (-alike[at], at))
            found[text] = tuple(best[:_CLOSE])
        return found


def cell_text(value: Json) -> str:
    """Give what a cell says as a code or a name: a whole number has no decimals.

    Examples
    --------
    >>> cell_text(12.0), cell_text(" خرم "), cell_text(None)
    ('12', 'خرم', '')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()


def _pairs(form: str) -> set[str]:
    edged = f" {form} "
    return {edged[i : i + 2] for i in range(len(edged) - 1)}


@dataclass(frozen=True, slots=True)
class Lonely:
    """Rows with one name, for which there is no partner.

    Attributes
    ----------
    name
        What stands in the cell; empty if nothing.
    row, rows
        The first such row in the file, and how many there are.
    several
        How many things have this name, where it is more than one.
    close
        Things with a name like it: what is to be written for each, and its name.
    """

    name: str
    row: int
    rows: int
    several: int
    close: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """Sum of a column of numbers, over all rows and over those that found a partner."""

    field: str
    all: int | float
    matched: int | float


@dataclass(frozen=True, slots=True)
class Joining:
    """How the rows of a file found their partners: what is left on both sides, and what is lost with it.

    Attributes
    ----------
    field
        Column with codes or names.
    layer, release
        The layer joined to and its release; empty for places of the city.
    rows, matched, by
        Rows in the file, those with a partner, and by what they found it.
    is_left_out
        Whether rows without a partner are left out, as was asked.
    partners, used, repeated
        Things to join to, those with a row, and those with several.
    lonely
        Rows without a partner by name, a bounded number.
    unused
        Code, name, longitude and latitude of things without a row, a bounded number.
    totals
        Of the columns of numbers.
    """

    field: str
    layer: str
    release: int | None
    rows: int
    matched: int
    by: dict[str, int]
    is_left_out: bool
    partners: int
    used: int
    repeated: int
    lonely: tuple[Lonely, ...]
    unused: tuple[tuple[str, str, float, float], ...]
    totals: tuple[Total, ...]

    @property
    def unmatched(self) -> int:
        """Rows without a partner, listed or not."""
        return self.rows - self.matched

    def as_dict(self) -> dict[str, Json]:
        """Give it as JSON-safe values."""
        return {
            "field": self.field,
            "layer": self.layer,
            "release": self.release,
            "rows": self.rows,
            "matched": self.matched,
            "unmatched": self.unmatched,
            "by": dict(self.by),
            "is_left_out": self.is_left_out,
            "features": self.partners,
            "features_used": self.used,
            "features_repeated": self.repeated,
            "features_without": self.partners - self.used,
            "rows_listed": [
                {
                    "name": one.name, "row": one.row, "rows": one.rows, "several": one.several,
                    "close": [{"write": written, "name": name} for written, name in one.close],
                }
                for one in self.lonely
            ],
            "features_listed": [
                {"code": code, "name": name, "lon": lon, "lat": lat} for code, name, lon, lat in self.unused
            ],
            "totals": [{"field": one.field, "all": one.all, "matched": one.matched} for one in self.totals],
        }  # fmt: skip

    def lines(self, *, shown: int = 20) -> list[str]:
        """Put it into lines for a terminal."""
        to = f"layer {self.layer} (release {self.release})" if self.layer else "places of the city"
        lines = [
            f"joined by '{self.field}' to {to}: {self.matched:,} of {self.rows:,} rows; "
            f"{self.used:,} of {self.partners:,} features have a row, {self.repeated:,} several"
        ]
        for one in self.lonely[:shown]:
            like = f", like {', '.join(name for _, name in one.close)}" if one.close else ""
            what = f"{one.several} features have this name" if one.several else "no feature"
            lines.append(f"  row {one.row} (of {one.rows:,}) '{one.name}': {what}{like}")
        lines += [f"  no row: {name or code}" for code, name, _, _ in self.unused[:shown]]
        lines += [f"  sum of {one.field}: {one.matched:,} of {one.all:,}" for one in self.totals[:shown]]
        return lines


__all__ = ["By", "Found", "Joining", "Lonely", "Partner", "Places", "Total", "cell_text"]
