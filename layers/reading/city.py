"""The description of a city: which files hold its places, layers, services and people, in TOML, for any city.

The format is documented in ``docs/city-description.md``. What is read here is complete and consistent in itself, the
files it names are there; whether they can be loaded is for the readers to say.
"""

import datetime
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Final

from geo.core.grid import CITY_CELL_M
from geo.errors import InvalidInput
from layers.reading.city_parts import (
    CityDescription,
    FileReference,
    LayerFile,
    NamedPlace,
    Outline,
    PlaceFile,
    PopulationRule,
    StandardRule,
    SupplyRule,
    TimetableRule,
    TravelRule,
)
from layers.reading.plan import Problem
from layers.reading.toml_section import CODE, Lines, Section, suggestion

FORMAT: Final = 1
ANCESTOR_KINDS: Final = ("country", "province", "county")
PLACE_KINDS: Final = ("district", "neighbourhood", "settlement")
MOST_MATCH_M: Final = 500.0
LAYER_KINDS: Final = ("point", "line", "polygon", "raster")
TRAVEL_WAYS: Final = ("straight", "streets", "walking", "cycling", "surface")
ROAD_FIELDS: Final = ("class", "oneway", "stairs", "bridge", "tunnel", "level", "speed")
CERTAINTIES: Final = ("surveyed", "imagery", "walked", "modelled", "disputed")

_LARGEST_FILE_BYTES: Final = 1 << 20
_TOP_KEYS: Final = (
    "chain",
    "city",
    "places",
    "layers",
    "supply",
    "timetable",
    "population",
    "travel",
    "analysis",
    "weights",
    "standards",
)


class CityDescriptionError(InvalidInput):
    """A city description with mistakes; all of them are in ``problems``, whose rows are lines of the file."""

    default_code = "bad_city_description"

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.row or 0))
        told = [f"{'line ' + str(p.row) + ': ' if p.row else ''}{p.message} {p.remedy}" for p in self.problems]
        if len(told) > 1:
            told = [f"{len(told)} mistakes.", *(f"\n  {text}" for text in told)]
        super().__init__("".join(told), where=str(path))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with its parts."""
        return type(self), (Path(self.where), self.problems)


def read_city(
    path: Path,
    *,
    data: Path | None = None,
    services: Collection[str] | None = None,
    themes: Collection[str] | None = None,
) -> CityDescription:
    """Read the description of a city.

    Parameters
    ----------
    path
        The ``.toml`` file.
    data
        Folder of the files it names; None for the one it gives itself, which defaults to its own folder.
    services, themes
        Codes that exist; None to accept any.

    Raises
    ------
    CityDescriptionError
        With every mistake, its line and remedy.
    """
    path = Path(path)
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _only(path, "bad_toml", f"The file is not TOML: {error}.", "Correct that line.") from error
    return _Reader(path, document, Lines(text), services, themes).read(data)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise _only(path, "file_too_large", "The file is too large to be a city description.", "Check the path.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The text is not UTF-8: byte {error.start + 1:,} is wrong."
        raise _only(path, "wrong_encoding", message, "Save it in UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _only(path, "not_found", f"The file cannot be opened: {reason}.", "Check the path.") from error


def _only(path: Path, code: str, message: str, remedy: str) -> CityDescriptionError:
    return CityDescriptionError(path, [Problem("error", code, message, remedy)])


class _Reader:
    """One description being read: its problems so far, and what later parts must agree with."""

    def __init__(
        self,
        path: Path,
        document: dict[str, Any],
        lines: Lines,
        services: Collection[str] | None,
        themes: Collection[str] | None,
    ) -> None:
        self.path, self.document, self.lines = path, document, lines
        self.services, self.themes = services, themes
        self.problems: list[Problem] = []
        self.data = path.parent

    def read(self, data: Path | None) -> CityDescription:
        top = Section("", self.document, self.problems, self.lines)
        self._format(top)
        self._data_folder(top, data)
        top.finish(allowed=_TOP_KEYS)
        chain = self._chain()
        city = self._named(self._one("city"), "city")
        places = tuple(self._places(section) for section in self._many("places"))
        if not places:
            top.problem("places", "there are no [[places]].", "Name a file of neighbourhoods.", code="missing_key")
        layers = tuple(self._layer(section) for section in self._many("layers"))
        codes = self._unique("layers", [layer.code for layer in layers])
        supply = tuple(self._supply(section, codes) for section in self._many("supply"))
        self._unique("supply", [rule.service for rule in supply])
        timetables = tuple(self._timetable(section, supply, codes) for section in self._many("timetable"))
        self._unique("timetable", [rule.service for rule in timetables])
        populations = self._populations(codes)
        travel = self._travel(codes) if "travel" in self.document else None
        cell_m = self._cell_m()
        weights = self._weights()
        standards = self._standards()
        if self.problems:
            raise CityDescriptionError(self.path, self.problems)
        return CityDescription(
            self.path, self.data, chain, city, places, layers, supply, populations, cell_m, weights, standards, travel,
            timetables,
        )  # fmt: skip

    def _format(self, top: Section) -> None:
        version = top.raw("format")
        if version != FORMAT or isinstance(version, bool):
            found = "is missing" if version is None else f"is {version!r}"
            top.problem(
                "format", f"'format' {found}.", f"Write format = {FORMAT}; no other is known.", code="bad_format"
            )

    def _data_folder(self, top: Section, data: Path | None) -> None:
        given = top.text("data")
        self.data = data if data is not None else self.path.parent / given if given else self.path.parent
        if not self.data.is_dir():
            remedy = "Give the folder of the files with --data."
            top.problem("data", f"there is no folder '{self.data}'.", remedy, code="not_found")

    # Tables

    def _one(self, name: str) -> Section:
        if name not in self.document:
            message = f"The table [{name}] is missing."
            self.problems.append(Problem("error", "missing_key", message, f"Add [{name}] with its keys.", field=name))
            # Its keys are not reported one by one as well.
            return Section(name, {}, [], self.lines)
        return Section(name, self.document[name], self.problems, self.lines)

    def _many(self, name: str) -> list[Section]:
        tables = self.document.get(name, [])
        if not isinstance(tables, list):
            line = self.lines.of(name, 1)
            message = f"[{name}] stands alone, but there may be several."
            self.problems.append(Problem("error", "bad_value", message, f"Write [[{name}]].", line, name))
            return []
        return [
            Section(name, table, self.problems, self.lines, position=position, numbered=True)
            for position, table in enumerate(tables, start=1)
        ]

    def _unique(self, name: str, codes: list[str]) -> set[str]:
        for position, code in enumerate(codes, start=1):
            if code and code in codes[: position - 1]:
                line = self.lines.of(name, position)
                message = f"In [[{name}]] {position}: there are two '{code}'."
                self.problems.append(Problem("error", "duplicate", message, "Keep one of them.", line))
        return set(codes)

    # Places

    def _chain(self) -> tuple[NamedPlace, ...]:
        sections = self._many("chain")
        chain = tuple(self._named(section, "") for section in sections)
        ranks = [ANCESTOR_KINDS.index(place.kind) if place.kind else -1 for place in chain]
        for section, before, rank in zip(sections[1:], ranks, ranks[1:], strict=False):
            if -1 not in (before, rank) and rank <= before:
                section.problem("kind", f"{chain[ranks.index(rank)].kind} is out of order.", "Put the outermost first.")
        return chain

    def _named(self, section: Section, kind: str) -> NamedPlace:
        place = NamedPlace(
            kind=kind or section.choice("kind", ANCESTOR_KINDS),
            code=section.slug("code"),
            name_fa=section.text("name_fa", required=True),
            name_en=section.text("name_en", required=True),
            illustrative=section.flag("illustrative", default=False),
            outline=self._outline(section) if "file" in section else None,
        )
        section.finish(allowed=("source", "source_fa", "certainty", "valid_from"))
        return place

    def _outline(self, section: Section) -> Outline:
        return Outline(
            file=self._file(section),
            source=section.text("source", required=True),
            certainty=section.choice("certainty", CERTAINTIES),
            valid_from=section.date("valid_from", required=True) or datetime.date.min,
            source_fa=section.text("source_fa"),
        )

    def _file(self, section: Section) -> FileReference:
        name = section.relative_path("file", required=True)
        path = self.data / name
        if name and self.data.is_dir() and not path.exists():
            section.problem("file", f"there is no '{name}' in '{self.data}'.", "Check the name.", code="not_found")
        return FileReference(
            path=path,
            layer=section.text("file_layer") or None,
            source_epsg=section.whole("source_epsg", low=1024, high=999_999),
            encoding=section.text("encoding") or None,
            repair=section.flag("repair", default=False),
            x_field=section.text("x_field") or None,
            y_field=section.text("y_field") or None,
            band=section.whole("band", low=1, high=10_000),
        )

    def _places(self, section: Section) -> PlaceFile:
        place = PlaceFile(
            kind=section.choice("kind", PLACE_KINDS),
            outline=self._outline(section),
            name_fa=section.text("name_fa", required=True, example='"name_fa"'),
            name_en=section.text("name_en", required=True, example='"name_en"'),
            code=section.text("code"),
            parent=section.text("parent"),
            zone=section.text("zone"),
        )
        section.finish()
        return place

    # Layers and what is made of them

    def _layer(self, section: Section) -> LayerFile:
        layer = LayerFile(
            code=section.slug("code"),
            theme=section.slug("theme", known=self.themes, what="theme"),
            file=self._file(section),
            name_fa=section.text("name_fa", required=True),
            name_en=section.text("name_en", required=True),
            source=section.text("source", required=True),
            licence=section.text("licence"),
            kind=section.choice("kind", LAYER_KINDS, required=False) or None,
            name_field=section.text("name_field"),
            fields=section.texts("fields"),
            reference_date=section.date("reference_date"),
            public=section.flag("public", default=True),
            source_fa=section.text("source_fa"),
        )
        section.finish()
        return layer

    def _supply(self, section: Section, layers: set[str]) -> SupplyRule:
        where = section.raw("where")
        if where is None:
            where = {}
        elif not isinstance(where, dict) or not all(map(_is_condition, where.values())):
            remedy = 'Write where = { type = "clinic" }, or a list of values.'
            section.problem("where", f"'where' is {where!r}.", remedy)
            where = {}
        rule = SupplyRule(
            service=section.slug("service", known=self.services, what="service"),
            layer=section.slug("layer", known=layers, what="layer of this city"),
            where=where,
        )
        section.finish()
        return rule

    def _timetable(self, section: Section, supply: tuple[SupplyRule, ...], layers: set[str]) -> TimetableRule:
        rule = TimetableRule(
            service=section.slug("service", known={one.service for one in supply}, what="service with a supply"),
            departures_field=section.text("departures_field", required=True, example='"per_week"'),
            lines=section.slug("lines", known=layers, what="layer of this city") if "lines" in section else "",
            line_field=section.text("line_field"),
            stop_field=section.text("stop_field"),
            match_m=section.number("match_m", low=0.1, high=MOST_MATCH_M, unit="metres"),
        )
        if "lines" not in section:
            for key in ("line_field", "stop_field", "match_m"):
                if key in section:
                    section.problem(key, "there is no layer of lines.", 'Add lines = "bus-lines".', code="missing_key")
        elif ("stop_field" in section) == ("match_m" in section):
            remedy = "Give stop_field where stops name their lines, or match_m where they do not."
            section.problem("lines", "it is not clear which lines stop where.", remedy, code="missing_key")
        elif "stop_field" in section and "line_field" not in section:
            section.problem(
                "line_field", "the key 'line_field' is missing.", 'Add line_field = "code".', code="missing_key"
            )
        section.finish()
        return rule

    def _populations(self, layers: set[str]) -> tuple[PopulationRule, ...]:
        """Read where people are counted: one table, or several of which the first is the main source."""
        if "population" not in self.document:
            return ()
        several = isinstance(self.document["population"], list)
        sections = self._many("population") if several else [self._one("population")]
        rules = tuple(self._population(section, layers) for section in sections)
        self._unique("population", [rule.code for rule in rules])
        return rules

    def _population(self, section: Section, layers: set[str]) -> PopulationRule:
        layer = section.slug("layer", known=layers, what="layer of this city")
        rule = PopulationRule(
            layer=layer,
            field=section.text("field"),
            source=section.text("source"),
            source_fa=section.text("source_fa"),
            reference_date=section.date("reference_date"),
            code=section.slug("code") if "code" in section else layer,
            name_fa=section.text("name_fa"),
            name_en=section.text("name_en"),
            groups=self._groups(section),
        )
        section.finish()
        return rule

    def _groups(self, section: Section) -> dict[str, str]:
        groups = section.raw("groups") if "groups" in section else {}
        if not isinstance(groups, dict) or not all(
            CODE.fullmatch(code) and isinstance(field, str) and field for code, field in groups.items()
        ):
            section.problem("groups", f"'groups' is {groups!r}.", 'Write groups = { women = "pop_f" }.')
            return {}
        return dict(groups)

    def _travel(self, layers: set[str]) -> TravelRule:
        section = self._one("travel")

        def layer(key: str) -> str:
            return section.slug(key, known=layers, what="layer of this city") if key in section else ""

        rule = TravelRule(
            way=section.choice("way", TRAVEL_WAYS, required=False) or "straight",
            roads=layer("roads"),
            has_osm_tags=section.flag("osm_tags", default=False),
            road_fields=self._road_fields(section),
            closed_classes=section.texts("closed_classes") or (),
            cycling_kmh=self._speeds(section, "cycling_kmh"),
            is_cut_at_crossings=section.flag("cut_at_crossings", default=False),
            snap_m=section.number("snap_m", low=0.0, high=100.0, unit="metres") or 0.0,
            elevation=layer("elevation"),
            land_cover=layer("land_cover"),
            land_cover_kmh=self._speeds(section, "land_cover_kmh"),
        )
        wrong = [name for name in rule.land_cover_kmh if name != "other" and not name.lstrip("-").isdigit()]
        if wrong:
            remedy = "Write the number of the class, or other."
            section.problem("land_cover_kmh", f"'{wrong[0]}' is no class of land cover.", remedy)
        if bool(rule.land_cover) != bool(rule.land_cover_kmh):
            remedy = 'Give both: land_cover = "cover" and land_cover_kmh = { 1 = 5, 4 = 0 }.'
            section.problem("land_cover", "land cover and its speeds belong together.", remedy, code="missing_key")
        section.finish()
        return rule

    def _road_fields(self, section: Section) -> dict[str, str]:
        if "road_fields" not in section:
            return {}
        inner = section.inner("road_fields")
        found = {name: inner.text(name) for name in ROAD_FIELDS if name in inner}
        inner.finish(allowed=ROAD_FIELDS)
        return {name: field for name, field in found.items() if field}

    def _speeds(self, section: Section, key: str) -> dict[str, float]:
        if key not in section:
            return {}
        inner = section.inner(key)
        found = {name: inner.number(name, low=0.0, high=200.0, unit="km/h") for name in inner}
        return {name: speed for name, speed in found.items() if speed is not None}

    def _cell_m(self) -> float:
        if "analysis" not in self.document:
            return CITY_CELL_M
        section = self._one("analysis")
        cell_m = section.number("cell_m", low=1, high=1000, unit="metres")
        section.finish()
        return CITY_CELL_M if cell_m is None else cell_m

    def _weights(self) -> dict[str, float]:
        if "weights" not in self.document:
            return {}
        section = self._one("weights")
        numbers = {}
        for key in self._services_of(section):
            value = section.number(key, low=0.0, high=1000.0)
            if value is not None:
                numbers[key] = value
        if numbers and not any(numbers.values()):
            section.problem(None, "every weight is zero.", "Give at least one service a weight above zero.")
        return numbers

    def _standards(self) -> dict[str, StandardRule]:
        """Read thresholds: a number, or a table that names its source as well."""
        if "standards" not in self.document:
            return {}
        section = self._one("standards")
        rules = {}
        for key in self._services_of(section):
            is_table = isinstance(section.raw(key), dict)
            rule = section.inner(key) if is_table else section
            name = "threshold_m" if is_table else key
            if is_table and name not in rule:
                rule.problem(name, f"the key '{name}' is missing.", f"Add {name} = 800.", code="missing_key")
            threshold_m = rule.number(name, low=1.0, high=100_000.0, unit="metres")
            source, source_fa = (rule.text("source"), rule.text("source_fa")) if is_table else ("", "")
            if is_table:
                rule.finish()
            if threshold_m is not None:
                rules[key] = StandardRule(threshold_m, source, source_fa)
        return rules

    def _services_of(self, section: Section) -> list[str]:
        """Give the keys of a table, which are codes of services."""
        for key in section:
            if not CODE.fullmatch(key):
                section.problem(key, f"'{key}' is not a service code.", "Use its code, such as primary-school.")
            elif self.services is not None and key not in self.services:
                section.problem(
                    key, f"there is no service '{key}'.", suggestion(key, self.services), code="unknown_code"
                )
        return list(section)


def _is_condition(value: Any) -> bool:
    scalar = isinstance(value, str | int | float | bool)
    return scalar or (isinstance(value, list) and bool(value) and all(isinstance(v, str | int | float) for v in value))
