"""What the description of a city says, as typed values; see `layers.reading.city` for how it is read."""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file of the city, and how it is to be read.

    Attributes
    ----------
    path
        Where it is.
    layer, source_epsg, encoding, repair, x_field, y_field, band
        As for `layers.reading.read_file`; None or False where the file speaks for itself.
    """

    path: Path
    layer: str | None = None
    source_epsg: int | None = None
    encoding: str | None = None
    repair: bool = False
    x_field: str | None = None
    y_field: str | None = None
    band: int | None = None

    def options(self) -> dict[str, Any]:
        """Give the options for `layers.reading.read_file`."""
        names = ("layer", "source_epsg", "encoding", "repair", "x_field", "y_field", "band")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Outline:
    """A boundary given by a file, and where it comes from."""

    file: FileReference
    source: str
    certainty: str
    valid_from: datetime.date
    source_fa: str = ""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place that the description names itself: an ancestor of the city, or the city.

    ``outline`` is None where no file gives its boundary; a city's is then the union of its neighbourhoods.
    """

    kind: str
    code: str
    name_fa: str
    name_en: str
    illustrative: bool = False
    outline: Outline | None = None


@dataclass(frozen=True, slots=True)
class PlaceFile:
    """A file of places of one kind inside the city.

    Attributes
    ----------
    kind
        ``district``, ``neighbourhood`` or ``settlement``.
    outline
        The file, its source, certainty and the date from which its boundaries hold.
    name_fa, name_en
        Fields with the names.
    code
        Field with the code; empty if codes are made from the names.
    parent
        Field with the code of the district each is in; empty if they are directly in the city.
    zone
        Field with a grouping given by the source; empty if none.
    """

    kind: str
    outline: Outline
    name_fa: str
    name_en: str
    code: str = ""
    parent: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A layer of the city, from one file; see `layers.models.Layer` and `layers.models.Release`.

    ``fields`` are the attributes kept, None for all; ``name_field`` names the rows, empty if nothing does; ``kind`` is
    what the file must hold, None if that is left to the file.
    """

    code: str
    theme: str
    file: FileReference
    name_fa: str
    name_en: str
    source: str
    licence: str = ""
    kind: str | None = None
    name_field: str = ""
    fields: tuple[str, ...] | None = None
    reference_date: datetime.date | None = None
    public: bool = True
    source_fa: str = ""


@dataclass(frozen=True, slots=True)
class SupplyRule:
    """Which features of a layer provide a service: those whose attributes have the values given (a list: any of)."""

    service: str
    layer: str
    where: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimetableRule:
    """Where departures a week of a service are told; the layer of lines by code, empty where stops tell their own.

    See `layers.models.Timetable`.
    """

    service: str
    departures_field: str
    lines: str = ""
    line_field: str = ""
    stop_field: str = ""
    match_m: float | None = None


@dataclass(frozen=True, slots=True)
class PopulationRule:
    """Where people are counted: a layer of areas with a field of people, or a raster (``field`` empty).

    ``code`` is what the source is called in questions; ``groups`` are codes of groups with the fields that count them.
    """

    layer: str
    field: str = ""
    source: str = ""
    source_fa: str = ""
    reference_date: datetime.date | None = None
    code: str = ""
    name_fa: str = ""
    name_en: str = ""
    groups: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TravelRule:
    """What ways in the city are measured on; layers by code, empty where there is none. See `layers.models.TravelData`."""

    way: str = "straight"
    roads: str = ""
    has_osm_tags: bool = False
    road_fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    closed_classes: tuple[str, ...] = ()
    cycling_kmh: Mapping[str, float] = dataclasses.field(default_factory=dict)
    is_cut_at_crossings: bool = False
    snap_m: float = 0.0
    elevation: str = ""
    land_cover: str = ""
    land_cover_kmh: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StandardRule:
    """The city's own threshold of a service, and where it comes from; the source is empty where the description says none."""

    threshold_m: float
    source: str = ""
    source_fa: str = ""


@dataclass(frozen=True, slots=True)
class CityDescription:
    """Everything a city is loaded from.

    Attributes
    ----------
    path, data
        The description, and the folder of the files it names.
    chain
        Ancestors, outermost first.
    city
        The city.
    places, layers, supply, populations
        What is loaded, in the file's order; the first source of population is the main one.
    travel
        What ways are measured on; None where the description says nothing about it.
    timetables
        Where departures of services are told.
    cell_m
        Side of a cell of the analysis grid.
    weights
        Service code to the weight of its indicator in the priority index; services left out weigh 1.
    standards
        Service code to the city's own threshold.
    """

    path: Path
    data: Path
    chain: tuple[NamedPlace, ...]
    city: NamedPlace
    places: tuple[PlaceFile, ...]
    layers: tuple[LayerFile, ...]
    supply: tuple[SupplyRule, ...]
    populations: tuple[PopulationRule, ...]
    cell_m: float
    weights: Mapping[str, float]
    standards: Mapping[str, StandardRule]
    travel: TravelRule | None = None
    timetables: tuple[TimetableRule, ...] = ()

    @property
    def population(self) -> PopulationRule | None:
        """The main source of population; None where there is none."""
        return self.populations[0] if self.populations else None
