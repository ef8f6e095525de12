"""What a person asks of a file of rows, and what comes of it: common to layers and tables."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo.core.text import clean_name
from layers.reading.examination import Rules
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Json, Kind, Plan, ProblemLog, RefusedError, Rows, first_names
from layers.reading.projection import Bounds, Reference


@dataclass(slots=True)
class Facts:
    """What is known about a file so far, so that a refused one still says what it was."""

    format: str = ""
    sha256: str = ""
    layer: str = ""
    crs: str = ""
    encoding: str = ""
    kind: Kind | None = None
    rows: Rows = field(default_factory=Rows)

    def plan(self, file_name: str, log: ProblemLog) -> Plan:
        """Freeze what is known."""
        return Plan(
            file_name=file_name, format=self.format, sha256=self.sha256, problems=log.problems(), counts=log.counts(),
            layer=self.layer, crs=self.crs, encoding=self.encoding, kind=self.kind, rows=self.rows,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for; see `read_vector`."""

    layer: str | None = None
    source_epsg: int | None = None
    encoding: str | None = None
    fields: Collection[str] | None = None
    name_field: str | None = None
    expect: Kind | None = None
    repair: bool = False
    near: Bounds | None = None
    limits: Limits = DEFAULT

    def rules(self, reference: Reference) -> Rules:
        """Give what geometries are checked against."""
        return Rules(reference, self.expect, self.repair, self.near, self.limits)


@dataclass(frozen=True, slots=True)
class Names:
    """Attribute names: as in the file to clean, which of them are kept, and which one names the rows."""

    clean: dict[str, str]
    kept: frozenset[str]
    name: str | None

    @classmethod
    def of(cls, raw: list[str], codec: str | None, wanted: Wanted) -> "Names":
        """Choose the attributes to read.

        Parameters
        ----------
        raw
            Names in the file; if ``codec`` is given, their bytes as Latin-1.
        codec
            The encoding of the bytes.
        wanted
            Which are asked for.

        Raises
        ------
        RefusedError
            If there are too many, two of one name, or one that is asked for is missing.
        """
        if len(raw) > wanted.limits.fields:
            message = f"The rows have {len(raw):,} attributes, more than {wanted.limits.fields:,}."
            raise RefusedError("too_many_fields", message, "Export only the attributes that are needed.")
        text = [
            name.encode("latin-1", errors="replace").decode(codec, errors="replace") if codec else name for name in raw
        ]
        cleaned = [clean_name(name) or f"field_{position}" for position, name in enumerate(text, start=1)]
        twice = sorted({name for name in cleaned if cleaned.count(name) > 1})
        if twice:
            raise duplicate_fields(twice)
        clean = dict(zip(raw, cleaned, strict=True))
        asked = None if wanted.fields is None else {clean_name(name) for name in wanted.fields}
        name = clean_name(wanted.name_field) if wanted.name_field else None
        missing = sorted(((asked or set()) | ({name} if name else set())) - set(cleaned))
        if missing:
            raise RefusedError(
                "no_such_field",
                f"The file has no attribute {first_names(missing)}.",
                f"Its attributes are {first_names(cleaned, 40)}.",
                field=missing[0],
            )
        kept = frozenset(cleaned) if asked is None else frozenset(asked)
        return cls({r: c for r, c in clean.items() if c in kept or c == name}, kept, name)


def duplicate_fields(names: list[str]) -> RefusedError:
    """Give the refusal of a file with two attributes of one name."""
    return RefusedError(
        "duplicate_fields",
        f"Two attributes have the same name: {first_names(names)}.",
        "Rename one of them.",
        field=names[0],
    )


def rows_of(
    geometries: NDArray[np.object_],
    numbers: NDArray[np.int64],
    columns: dict[str, list[Json]],
    name: str | None,
    fields: Collection[str],
    kept: NDArray[np.bool_],
) -> Rows:
    """Put checked geometries and clean columns together, without the rows that a repair leaves out."""
    labels = (
        ["" if value is None else str(value) for value in columns[name]] if name in columns else [""] * len(numbers)
    )
    chosen = {field: values for field, values in columns.items() if field in fields}
    if not kept.all():
        at = np.flatnonzero(kept).tolist()
        labels = [labels[i] for i in at]
        chosen = {field: [values[i] for i in at] for field, values in chosen.items()}
    return Rows(geometries[kept], numbers[kept], tuple(labels), chosen)
