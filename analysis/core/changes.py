"""Changes of a scenario: facilities added, moved or closed, other capacities, streets drawn. Read from JSON and checked."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from geo.errors import InvalidInput, LimitExceeded

StreetKind = Literal["street", "path", "stairs", "bridge"]
Position: TypeAlias = tuple[float, float]
Bounds: TypeAlias = tuple[float, float, float, float]

#: Changes of one scenario.
MOST_CHANGES: Final = 200

#: Positions of one street.
MOST_POSITIONS: Final = 500

#: How far beyond a city's places something may be changed: some fifty kilometres.
AROUND_DEGREES: Final = 0.5

#: The largest capacity: nobody serves more than a country has people.
MOST_CAPACITY: Final = 1e10

#: The largest number of a row.
MOST_NUMBER: Final = 2**31 - 1

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class FacilityAdded:
    """A facility that is not there yet.

    Attributes
    ----------
    service
        Code of the service it provides.
    lon, lat
        Where it would stand, in degrees.
    id
        What the scenario calls it.
    capacity
        As in the layer of the service; None where nothing is said of it.
    """

    service: str
    lon: float
    lat: float
    id: str
    capacity: float | None = None


@dataclass(frozen=True, slots=True)
class FacilityMoved:
    """A facility that would stand elsewhere.

    Attributes
    ----------
    service, number
        Code of the service, and the facility's row in the newest release of its layer.
    lon, lat
        Where its middle would be, in degrees.
    was
        Where it stood when the change was made, so that it is known again in a later release; None if nobody said.
    """

    service: str
    number: int
    lon: float
    lat: float
    was: Position | None = None


@dataclass(frozen=True, slots=True)
class FacilityClosed:
    """A facility that would be there no longer; the attributes are those of `FacilityMoved`."""

    service: str
    number: int
    was: Position | None = None


@dataclass(frozen=True, slots=True)
class CapacityChanged:
    """A facility that would serve more, or fewer; the attributes are those of `FacilityMoved`, and its new capacity."""

    service: str
    number: int
    capacity: float
    was: Position | None = None


@dataclass(frozen=True, slots=True)
class StreetDrawn:
    """A street that is not there yet.

    Attributes
    ----------
    coordinates
        Longitude and latitude of each vertex.
    kind
        ``street``, ``path`` (on foot and by bicycle), ``stairs`` (on foot) or ``bridge`` (a street that crosses others
        without meeting them).
    """

    coordinates: tuple[Position, ...]
    kind: StreetKind = "street"


OfFacility: TypeAlias = FacilityMoved | FacilityClosed | CapacityChanged
Change: TypeAlias = FacilityAdded | OfFacility | StreetDrawn


def changes_from_json(tree: Any, within: Bounds | None = None, where: str = "changes") -> tuple[Change, ...]:
    """Read changes.

    Parameters
    ----------
    tree
        A list of objects, each with a ``type``: ``facility-added``, ``facility-moved``, ``facility-closed``,
        ``capacity-changed`` or ``street-drawn``, and the attributes of the class of that name.
    within
        West, south, east and north of the city's places in degrees: no position may lie further than
        `AROUND_DEGREES` outside.
    where
        What errors call the list.

    Raises
    ------
    LimitExceeded
        If there are too many changes, or positions of a street.
    InvalidInput
        If something is missing, unknown or out of range, or two changes contradict each other; ``where`` names it.

    Examples
    --------
    >>> changes_from_json([{"type": "facility-closed", "service": "clinic", "number": 7}])
    (FacilityClosed(service='clinic', number=7, was=None),)
    >>> changes_from_json([{"type": "facility-moved", "service": "clinic", "number": 7, "lon": "48", "lat": 33}])
    Traceback (most recent call last):
    geo.errors.InvalidInput: changes[0].lon: This is not a number from -180 to 180. Give a number from -180 to 180.
    """
    if not isinstance(tree, list):
        raise InvalidInput("Changes are a list.", code="bad_change", where=where, remedy="Send [] for none.")
    if len(tree) > MOST_CHANGES:
        raise LimitExceeded(
            f"There are {len(tree)} changes, more than {MOST_CHANGES}.",
            code="too_many_changes",
            where=where,
            remedy="Make two scenarios of them.",
        )
    changes = tuple(_change(part, f"{where}[{i}]", within) for i, part in enumerate(tree))
    _agree(changes, where)
    return changes


def changes_to_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Give changes as `changes_from_json` reads them; what was not said is left out.

    Examples
    --------
    >>> changes_to_json([FacilityAdded("clinic", 48.35, 33.49, "a")])
    [{'type': 'facility-added', 'service': 'clinic', 'lon': 48.35, 'lat': 33.49, 'id': 'a'}]
    """
    return [_plain(change) for change in changes]


def _plain(change: Change) -> dict[str, Any]:
    values = ((name, getattr(change, name)) for name in change.__dataclass_fields__)
    return {"type": _TYPES[type(change)]} | {name: _listed(value) for name, value in values if value is not None}


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple) else value


def _change(tree: Any, where: str, within: Bounds | None) -> Change:
    kind = tree.get("type") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in _READERS:
        raise InvalidInput(
            "This is no kind of change.",
            code="bad_change",
            where=f"{where}.type",
            remedy=f"Send one of: {', '.join(_READERS)}.",
        )
    reader = _READERS[kind]
    unknown = sorted(str(name)[:40] for name in tree if name != "type" and name not in reader.made.__dataclass_fields__)
    if unknown:
        raise InvalidInput(
            f"This change has no member {unknown[0]!r}.",
            code="bad_change",
            where=where,
            remedy=f"It has: {', '.join(reader.made.__dataclass_fields__)}.",
        )
    return reader.read(_Members(tree, where, within))


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of one change, each read with its place."""

    tree: dict[str, Any]
    where: str
    within: Bounds | None

    def service(self) -> str:
        return self._text("service", _CODE, 80, "This is not the code of a service.", "Send a code such as clinic.")

    def id(self) -> str:
        message = "This is not a name of up to 40 letters, digits, hyphens and underscores."
        return self._text("id", _ID, 40, message, "Send one such as a1.")

    def _text(self, name: str, pattern: re.Pattern[str], most: int, message: str, remedy: str) -> str:
        value = self.tree.get(name)
        if not isinstance(value, str) or len(value) > most or not pattern.fullmatch(value):
            raise InvalidInput(message, code="bad_change", where=f"{self.where}.{name}", remedy=remedy)
        return value

    def number(self) -> int:
        value = self.tree.get("number")
        if type(value) is not int or not 1 <= value <= MOST_NUMBER:
            raise InvalidInput(
                "This is not the number of a facility.",
                code="bad_change",
                where=f"{self.where}.number",
                remedy="Give the row that it has in the newest release of its layer.",
            )
        return value

    def capacity(self) -> float:
        return _number(self.tree.get("capacity"), f"{self.where}.capacity", 0.0, MOST_CAPACITY)

    def capacity_if_said(self) -> float | None:
        return None if self.tree.get("capacity") is None else self.capacity()

    def place(self) -> Position:
        return self._near(self.tree.get("lon"), self.tree.get("lat"), self.where, ".lon", ".lat")

    def was(self) -> Position | None:
        return None if self.tree.get("was") is None else self._position(self.tree["was"], f"{self.where}.was")

    def kind(self) -> StreetKind:
        value = self.tree.get("kind", "street")
        if value not in get_args(StreetKind):
            raise InvalidInput(
                "This is no kind of street.",
                code="bad_change",
                where=f"{self.where}.kind",
                remedy=f"Send one of: {', '.join(get_args(StreetKind))}.",
            )
        return cast(StreetKind, value)

    def coordinates(self) -> tuple[Position, ...]:
        where, value = f"{self.where}.coordinates", self.tree.get("coordinates")
        if isinstance(value, list) and len(value) > MOST_POSITIONS:
            raise LimitExceeded(
                f"The street has {len(value)} positions, more than {MOST_POSITIONS}.",
                code="too_many_positions",
                where=where,
                remedy="Draw it in parts, or with fewer points.",
            )
        found = (
            [self._position(part, f"{where}[{i}]") for i, part in enumerate(value)] if isinstance(value, list) else []
        )
        if len(set(found)) < 2:
            raise InvalidInput(
                "A street has two different positions or more.",
                code="bad_change",
                where=where,
                remedy="Send longitude first, then latitude, in degrees.",
            )
        return tuple(found)

    def _position(self, value: Any, where: str) -> Position:
        if not isinstance(value, list) or len(value) != 2:
            raise InvalidInput(
                "A position is longitude and latitude.",
                code="bad_change",
                where=where,
                remedy="Send longitude first, then latitude, in degrees.",
            )
        return self._near(value[0], value[1], where, "[0]", "[1]")

    def _near(self, lon: Any, lat: Any, where: str, of_lon: str, of_lat: str) -> Position:
        x, y = _number(lon, where + of_lon, -180.0, 180.0), _number(lat, where + of_lat, -90.0, 90.0)
        if self.within is not None:
            west, south, east, north = self.within
            around = AROUND_DEGREES
            if not (west - around <= x <= east + around and south - around <= y <= north + around):
                raise InvalidInput(
                    f"This lies more than {AROUND_DEGREES} degrees outside the city.",
                    code="far_from_city",
                    where=where,
                    remedy="Send longitude first, then latitude.",
                )
        return x, y


def _number(value: Any, where: str, low: float, high: float) -> float:
    if type(value) not in (int, float) or not low <= value <= high:  # false for NaN too
        raise InvalidInput(
            f"This is not a number from {low:.15g} to {high:.15g}.",
            code="bad_number",
            where=where,
            remedy=f"Give a number from {low:g} to {high:g}.",
        )
    return float(value)


@dataclass(frozen=True, slots=True)
class _Reader:
    made: type[Change]
    read: Callable[[_Members], Change]


_READERS: Final = {
    "facility-added": _Reader(
        FacilityAdded, lambda m: FacilityAdded(m.service(), *m.place(), m.id(), m.capacity_if_said())
    ),
    "facility-moved": _Reader(FacilityMoved, lambda m: FacilityMoved(m.service(), m.number(), *m.place(), m.was())),
    "facility-closed": _Reader(FacilityClosed, lambda m: FacilityClosed(m.service(), m.number(), m.was())),
    "capacity-changed": _Reader(
        CapacityChanged, lambda m: CapacityChanged(m.service(), m.number(), m.capacity(), m.was())
    ),
    "street-drawn": _Reader(StreetDrawn, lambda m: StreetDrawn(m.coordinates(), m.kind())),
}
_TYPES: Final = {reader.made: name for name, reader in _READERS.items()}


def _agree(changes: Sequence[Change], where: str) -> None:
    """Refuse a second change that does not go with a first one."""
    said: dict[tuple[object, ...], int] = {}
    for i, change in enumerate(changes):
        if isinstance(change, FacilityAdded):
            keys: tuple[tuple[object, ...], ...] = (("id", change.id),)
        elif isinstance(change, StreetDrawn):
            continue
        else:
            place, capacity = ((what, change.service, change.number) for what in ("place", "capacity"))
            closes = isinstance(change, FacilityClosed)
            keys = (place, capacity) if closes else (capacity,) if isinstance(change, CapacityChanged) else (place,)
        for key in keys:
            if key in said:
                raise InvalidInput(
                    f"This contradicts the change {said[key]} of the same facility.",
                    code="contradicting_changes",
                    where=f"{where}[{i}]",
                    remedy="Send one of the two.",
                )
            said[key] = i
