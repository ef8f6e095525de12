"""What a person asks of a file of rows, and what is known of it: common to layers and tables."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.core.text import clean_name, normalise
from layers.reading.examination import Mask, Rules
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Json, Kind, ProblemLog, RefusedError, Rows, first_names
from layers.reading.projection import Bounds, Reference

BATCH_ROWS: Final = 8_192
FieldType: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "datetime"]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one attribute of a file becomes one of the layer.

    Attributes
    ----------
    source
        Its name in the file.
    name
        Its name in the layer; as in the file if empty.
    type
        What its values become; None leaves them as they are. A value that cannot become it is an error of its row.
    unit_from, unit_to
        Units of length, area or share that numbers are converted between, such as ``ha`` and ``m2``.
    keep
        False leaves the attribute out.
    """

    source: str
    name: str = ""
    type: FieldType | None = None
    unit_from: str = ""
    unit_to: str = ""
    keep: bool = True


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How a file is to be read; every one may be left out.

    Attributes
    ----------
    layer
        Layer of a file that has several.
    source_epsg
        EPSG code of the coordinates, where the file says nothing or something wrong.
    encoding
        Encoding of the text, where the file says nothing or something wrong.
    fields
        Attributes to keep; all if None. Names are compared in their cleaned form.
    name_field
        Attribute that becomes each row's name; it is kept among the attributes only if ``fields`` says so.
    x_field, y_field, wkt_field
        Of a table: columns with the coordinates, or with geometries as text; found by their names if None.
    code_field
        Column with codes or names of places, or of the features of a layer, whose geometries are taken.
    join_layer
        Code of the layer whose features they are; places of the city if None. The caller brings them.
    pairs
        By what stands in the column, what it is taken for: for names that differ in more than spelling.
    sum_fields
        Columns that are added up where several rows belong to one place, which then becomes one row.
    leave_out
        Leave out rows that belong to no place, saying so for each, instead of refusing the file.
    expect
        Kind of geometry the rows must have; None accepts any one kind.
    repair
        Mend invalid geometries and spoilt text, and leave out rows without a geometry, saying so for each.
    near
        Bounds of the city in degrees (west, south, east, north), to notice data that lies elsewhere.
    swap_xy
        Whether x and y are exchanged in the file.
    scale
        What coordinates are multiplied with, before they are placed: 0.3048 where they are feet for metres.
    band, non_negative
        Of a raster.
    rules
        Of OpenStreetMap: which objects are meant (`layers.reading.osm_rules`).
    mapping
        How attributes are renamed, typed, converted and left out; those not named stay as they are.
    """

    layer: str | None = None
    source_epsg: int | None = None
    encoding: str | None = None
    fields: Collection[str] | None = None
    name_field: str | None = None
    x_field: str | None = None
    y_field: str | None = None
    wkt_field: str | None = None
    code_field: str | None = None
    join_layer: str | None = None
    pairs: Mapping[str, str] = field(default_factory=dict)
    sum_fields: Collection[str] = ()
    leave_out: bool = False
    expect: Kind | None = None
    repair: bool = False
    near: Bounds | None = None
    swap_xy: bool = False
    scale: float | None = None
    band: int | None = None
    non_negative: bool = False
    rules: Any = None
    mapping: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader of one format has to know: the options, and the sizes accepted."""

    options: ReadingOptions = field(default_factory=ReadingOptions)
    limits: Limits = DEFAULT

    @property
    def repair(self) -> bool:
        """Whether to mend what can be mended."""
        return self.options.repair

    def rules(self, reference: Reference) -> Rules:
        """Give what geometries are checked against."""
        return Rules(reference, self.options.expect, self.options.repair, self.options.near, self.limits)


@dataclass(slots=True)
class Facts:
    """What is known about a file so far, so that a refused one still says what it was."""

    format: str = ""
    sha256: str = ""
    layer: str = ""
    layers: tuple[str, ...] = ()
    crs: str = ""
    encoding: str = ""
    count: int = -1
    is_crs_guessed: bool = False
    is_encoding_guessed: bool = False
    encoding_samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Some rows as a format's reader gives them: attributes clean, geometries still to be checked.

    Attributes
    ----------
    geometries
        Shape ``(n,)``, in the file's reference system; None for a row without one.
    refused
        Shape ``(n,) bool``; rows whose problem is already in the log.
    numbers
        Shape ``(n,) int64``, the row of each in the file.
    columns
        Clean name to one JSON-safe value per row, those for the rows' names among them.
    shape_hashes
        Shape ``(n,) int64``: equal for geometries that are equal to the last bit.
    wkb
        Arrow array: the well-known binary that the geometries were made of, where it was little endian.
    """

    geometries: NDArray[np.object_]
    refused: Mask
    numbers: NDArray[np.int64]
    columns: dict[str, list[Json]]
    shape_hashes: NDArray[np.int64] | None = None
    wkb: pa.Array | None = None


class Stream(Protocol):
    """A layer that a format's reader has opened."""

    names: "Names"
    types: dict[str, str]  # clean name → "date" or "datetime", where the values are ISO text

    def reference(self) -> Reference:
        """Give the reference system of the coordinates; raises `RefusedError` where there is none."""
        ...

    def batches(self) -> Iterator[Raw]:
        """Give the rows, not more than `BATCH_ROWS` at once; raises `RefusedError` where reading cannot go on."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """Attribute names: as in the file to clean (those read), which of them are kept, and which one names the rows."""

    clean: dict[str, str]
    kept: frozenset[str]
    name: str | None

    @classmethod
    def of(cls, raw: list[str], codec: str | None, wanted: Wanted, left_out: Collection[str] = ()) -> "Names":
        """Choose the attributes to read.

        Parameters
        ----------
        raw
            Names in the file; if ``codec`` is given, their bytes as Latin-1.
        codec
            The encoding of the bytes.
        wanted
            Which are asked for.
        left_out
            Those that are left out if they are not asked for.

        Raises
        ------
        RefusedError
            If there are too many, two of one name, or one that is asked for is missing.
        """
        options = wanted.options
        if len(raw) > wanted.limits.fields:
            message = f"The rows have {len(raw):,} attributes, more than {wanted.limits.fields:,}."
            raise RefusedError("too_many_fields", message, "Export only the attributes that are needed.")
        text = [
            name.encode("latin-1", errors="replace").decode(codec, errors="replace") if codec else name for name in raw
        ]
        cleaned = [clean_name(name) or f"field_{position}" for position, name in enumerate(text, start=1)]
        twice = sorted(name for name, n in Counter(cleaned).items() if n > 1)
        if twice:
            raise duplicate_fields(twice)
        clean = dict(zip(raw, cleaned, strict=True))
        asked = None if options.fields is None else {clean_name(name) for name in options.fields}
        name = clean_name(options.name_field) if options.name_field else None
        mapped = {clean_name(rule.source) for rule in options.mapping}
        missing = sorted(((asked or set()) | ({name} if name else set()) | mapped) - set(cleaned))
        if missing:
            raise RefusedError(
                "no_such_field",
                f"The file has no attribute {first_names(missing)}.",
                f"Its attributes are {first_names(cleaned, 40)}.",
                field=missing[0],
            )
        house = {clean_name(field) for field in left_out} - mapped
        kept = frozenset(asked) if asked is not None else frozenset(cleaned) - house
        dropped = {clean_name(rule.source) for rule in options.mapping if not rule.keep}
        kept -= dropped
        joining = {normalise(field) for field in (options.code_field, *options.sum_fields) if field}
        return cls({r: c for r, c in clean.items() if c in kept or c == name or normalise(c) in joining}, kept, name)


def duplicate_fields(names: list[str]) -> RefusedError:
    """Give the refusal of a file with two attributes of one name."""
    return RefusedError(
        "duplicate_fields",
        f"Two attributes have the same name: {first_names(names)}.",
        "Rename one of them.",
        field=names[0],
    )


def require_rows(count: int, limits: Limits) -> None:
    """Refuse a layer that says it has no rows, or too many; a negative count is unknown.

    Raises
    ------
    RefusedError
        Saying which.
    """
    if count == 0:
        raise RefusedError("no_rows", "The layer has no rows.", "Export it again, or choose another layer.")
    if count > limits.rows:
        raise RefusedError(
            "too_many_rows",
            f"The layer has {count:,} rows, more than {limits.rows:,}.",
            "Cut it to the city, or split it.",
        )


def rows_of(
    geometries: NDArray[np.object_],
    numbers: NDArray[np.int64],
    columns: dict[str, list[Json]],
    labels: list[str],
    kept: NDArray[np.bool_],
) -> Rows:
    """Put checked geometries and clean columns together, without the rows that a repair leaves out."""
    if not kept.all():
        at = np.flatnonzero(kept).tolist()
        labels = [labels[i] for i in at]
        columns = {field: [values[i] for i in at] for field, values in columns.items()}
    return Rows(geometries[kept], numbers[kept], tuple(labels), columns)


def labels_of(columns: dict[str, list[Json]], name: str | None, n: int) -> list[str]:
    """Give the rows' names."""
    if name is None or name not in columns:
        return [""] * n
    return ["" if value is None else str(value) for value in columns[name]]


__all__ = [
    "BATCH_ROWS", "Facts", "FieldRule", "FieldType", "Names", "ProblemLog", "Raw", "ReadingOptions", "Stream", "Wanted",
    "duplicate_fields", "labels_of", "require_rows", "rows_of",
]  # fmt: skip
