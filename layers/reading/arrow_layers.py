"""Layers that are read in Arrow batches here and not by GDAL's own reader: GeoParquet, and OpenStreetMap by a rule."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from layers.reading.limits import Limits
from layers.reading.osm import Left, fields_of, osm_batches, osm_counts
from layers.reading.osm_rules import Rule, Rules, default_rules
from layers.reading.parquet import parquet_batches, require_sound_parquet
from layers.reading.plan import Problem
from layers.reading.request import BATCH_ROWS
from layers.reading.source import Source, chosen_layer, open_source

#: Name of the last column of every batch: geometries as well-known binary.
GEOMETRY: Final = "wkb_geometry"


@dataclass(slots=True)
class OpenedBatches:
    """A layer that is being read.

    Attributes
    ----------
    batches
        The rows, in order; attributes first, geometry last.
    fields
        Attributes with their types, as pyogrio names them.
    crs
        Reference system; None if the file does not say.
    n_rows
        How many rows there will be; −1 if that is known only at the end.
    warnings
        What was left out and why; complete when the last batch was given.
    """

    batches: Iterator[pa.RecordBatch]
    fields: dict[str, str]
    crs: str | None
    n_rows: int = -1
    warnings: list[Problem] = field(default_factory=list)


def osm_offers(path: Path, rules: Sequence[Rule], limits: Limits) -> dict[str, int]:
    """Say how many rows each of several rules would give of an OpenStreetMap file.

    Raises
    ------
    RefusedError
        If the file cannot be read.
    """
    with open_source(path, limits, rules=Rules(tuple(rules))) as source:
        return osm_counts(source.path, rules, BATCH_ROWS) if source.format == "OSM" else {}


@contextmanager
def open_batches(
    source: Source,
    layer: str | None,
    columns: Collection[str] | None = None,
    *,
    limits: Limits,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[OpenedBatches]:
    """Open a source whose way is ``arrow``.

    Parameters
    ----------
    source
        GeoParquet or OpenStreetMap.
    layer
        For OpenStreetMap, the code of a rule.
    columns
        Attributes wanted; all if None.
    limits
        Sizes accepted.
    batch_rows
        Rows of a batch, at most.

    Raises
    ------
    RefusedError
        Here or while batches are taken: for whatever keeps the layer from being read whole.
    """
    if source.format == "OSM":
        rule = (source.rules or default_rules()).of(chosen_layer(source, layer) or "")
        left = Left()
        batches = osm_batches(source.path, rule, columns, limits, batch_rows, left)
        opened = OpenedBatches(iter(()), fields_of(rule), source.crs)

        def told() -> Iterator[pa.RecordBatch]:
            yield from batches
            opened.warnings.extend(left.problems(rule))

        opened.batches = told()
        yield opened
        return
    chosen_layer(source, layer)
    described = require_sound_parquet(source.path, limits)
    rows = parquet_batches(source.path, described, columns, limits, batch_rows)
    # Bytes are named too, so that whoever asks for all attributes learns that they are not kept.
    fields = described.fields | dict.fromkeys((*described.nested, *described.binary), "object")
    yield OpenedBatches(rows, fields, described.crs, described.n_rows)
