"""Writes of releases: the rows of a file are stored whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final, TypeAlias

from django.contrib.auth.models import User
from django.db import transaction

from geo.db import sql
from geo.errors import Conflict
from layers.models import Feature, Layer, Release
from layers.partitions import RELEASING, partition_attach, partition_create
from layers.reading.plan import Plan, RasterPlan, Rows
from layers.reading.reading import Reading, ReadingOptions
from layers.reading.request import BATCH_ROWS
from layers.services.rows_to_copy import COLUMNS, Stored

#: Told the step (``storing``, ``indexing``, ``comparing``), how many rows are done, and of how many (-1: unknown).
StoreProgress: TypeAlias = Callable[[str, int, int], object]

_MAX_KEPT_WARNINGS: Final = 50
_EXAMPLES: Final = 50
_MOVED_M: Final = 1.0


class Cancelled(Conflict):
    """The import was called off by the person who brought the file."""

    default_code = "cancelled"


class _AlreadyStoredError(Exception):
    """The newest release holds the same; everything written is to be undone."""

    def __init__(self, release: Release) -> None:
        super().__init__()
        self.release = release


@dataclass(frozen=True, slots=True)
class _PlanRows:
    """The rows of a plan that holds them, in batches."""

    plan: Plan

    @property
    def count(self) -> int:
        return len(self.plan.rows)

    @property
    def has_errors(self) -> bool:
        return not self.plan.is_loadable

    def batches(self) -> Iterator[Rows]:
        for start in range(0, len(self.plan.rows), BATCH_ROWS):
            yield self.plan.rows.part(start, start + BATCH_ROWS)


@dataclass(frozen=True, slots=True)
class _ReadingRows:
    """The rows of a file that is being read."""

    reading: Reading

    @property
    def count(self) -> int:
        return self.reading.count

    @property
    def has_errors(self) -> bool:
        return self.reading.log.has_errors

    def batches(self) -> Iterator[Rows]:
        return self.reading.batches()


def release_create(
    *,
    layer: Layer,
    plan: Plan | None = None,
    reading: Reading | None = None,
    reference_date: date | None = None,
    author: User | None = None,
    how: Mapping[str, Any] | None = None,
    progress: StoreProgress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> Release:
    """Store rows as the next release of a layer, or return the newest where it holds the same.

    A file that is being read is stored in one pass: memory holds a few batches, whatever its size. Storing the same
    rows again writes nothing, so that an import that was broken off can simply be started again.

    Parameters
    ----------
    layer
        What it is a release of.
    plan, reading
        Where the rows are: in a plan that holds them, or in a file that is open; one of the two.
    reference_date
        The day the data describe.
    author
        Who brought them.
    how
        How the file was read, for the record; the options of the reading if None.
    progress
        Told how far it is, between batches.
    is_cancelled
        Asked between batches whether to stop.

    Raises
    ------
    InvalidInput
        Where the rows have errors: the first of them, with its place and remedy. Nothing is stored.
    Cancelled
        Where it was called off. Nothing is stored.
    """
    if plan is not None:
        plan.require_loadable()
    rows: _PlanRows | _ReadingRows
    if reading is not None:
        rows = _ReadingRows(reading)
    elif plan is not None:
        rows = _PlanRows(plan)
    else:
        raise TypeError("release_create needs a plan or a reading")
    said = dict(how) if how is not None else how_read(reading.options) if reading is not None else {}
    try:
        with transaction.atomic():
            return _store(layer, rows, reference_date, author, said, _Watch(rows.count, progress, is_cancelled))
    except _AlreadyStoredError as stored:
        return stored.release


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who is told how far it is, and may stop it."""

    of: int
    progress: StoreProgress | None
    is_cancelled: Callable[[], bool] | None

    def tell(self, step: str, done: int) -> None:
        if self.is_cancelled is not None and self.is_cancelled():
            raise Cancelled("The import was called off.", remedy="Start it again if that was not meant.")
        if self.progress is not None:
            self.progress(step, done, self.of)


def _store(
    layer: Layer,
    rows: _PlanRows | _ReadingRows,
    reference_date: date | None,
    author: User | None,
    how: Mapping[str, Any],
    watch: _Watch,
) -> Release:
    key = sql.next_key(Release)
    stored = Stored(rows, key)
    try:
        shelf = stored.settle()
        table = partition_create(shelf) if shelf else Feature._meta.db_table

        def chunks() -> Iterator[memoryview]:
            for chunk in stored.chunks():
                watch.tell("storing", stored.done)
                yield chunk

        sql.copy_binary(table, COLUMNS, chunks(), is_new=bool(shelf))
    finally:
        stored.close()
    plan = rows.plan if isinstance(rows, _PlanRows) else rows.reading.plan()
    plan.require_loadable()
    release, is_new = release_next(
        layer, plan, stored.content_hash, stored.done, reference_date, key=key, shelf=shelf, author=author, how=how
    )
    if not is_new:
        raise _AlreadyStoredError(release)
    if shelf:
        watch.tell("indexing", stored.done)
        partition_attach(shelf)
    watch.tell("comparing", stored.done)
    release.difference = release_difference(release)
    release.save(update_fields=["difference"])
    return release


def release_next(
    layer: Layer,
    plan: Plan | RasterPlan,
    content_hash: str,
    row_count: int,
    reference_date: date | None,
    *,
    key: int | None = None,
    shelf: int = 0,
    author: User | None = None,
    how: Mapping[str, Any] | None = None,
) -> tuple[Release, bool]:
    """Return the newest release where it holds the same, or the next one made; inside a transaction, one at a time.

    Returns
    -------
    tuple of Release and bool
        And whether it is new, so that its rows are still to be written.
    """
    releasing_lock(layer)
    newest = layer.releases.order_by("-number").first()
    if newest and newest.content_hash == content_hash and newest.reference_date == reference_date:
        return newest, False
    west, south, east, north = plan.bounds_4326 or (None, None, None, None)
    release = Release.objects.create(
        pk=key,
        layer=layer,
        number=1 + (newest.number if newest else 0),
        reference_date=reference_date,
        file_name=plan.file_name[:255],
        file_sha256=plan.sha256,
        content_hash=content_hash,
        row_count=row_count,
        shelf=shelf,
        fields=[] if isinstance(plan, RasterPlan) else [facts.as_dict() for facts in plan.fields],
        west=west,
        south=south,
        east=east,
        north=north,
        quality=_quality(plan, row_count),
        how=dict(how or {}),
        warnings=[p.as_dict() for p in plan.problems if p.severity != "error"][:_MAX_KEPT_WARNINGS],
        author=author,
    )
    return release, True


def releasing_lock(layer: Layer) -> None:
    """Wait until nobody else makes a release, until the transaction ends: release numbers are given one at a time."""
    sql.lock(RELEASING)
    Layer.objects.select_for_update(no_key=True).get(pk=layer.pk)


def how_read(options: ReadingOptions) -> dict[str, Any]:
    """Give the options of a reading that were chosen, as JSON-safe values; where the city lies is not one of them."""
    default = ReadingOptions()
    chosen: dict[str, Any] = {}
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name in ("near", "rules") or value == getattr(default, field.name):
            continue
        if field.name == "mapping":
            chosen["mapping"] = [asdict(rule) for rule in value]
        else:
            chosen[field.name] = sorted(value) if field.name == "fields" else value
    return chosen


def release_difference(release: Release) -> dict[str, Any]:
    """Compare a release with the one before it: what was added, removed, moved (by more than a metre) and changed.

    Things are told apart by the layer's key field, else by their name and place.

    Returns
    -------
    dict
        ``against`` (number of the release before), ``by`` (``key`` or ``name``), the counts ``added``, ``removed``,
        ``moved``, ``changed``, ``unchanged``, and ``examples`` of each but the last: row, key, name, lon, lat. Empty
        for a first release.
    """
    before = release.layer.releases.filter(number__lt=release.number).order_by("-number").first()
    return releases_compared(release, before) if before is not None else {}


def releases_compared(release: Release, before: Release) -> dict[str, Any]:
    """Compare a release with another one of its layer; see `release_difference`."""
    layer = release.layer
    # The planner knows nothing of how many rows the parts of this statement have, takes each for one, and would look for
    # the pairs of every row in turn; all joins are by equality, which is hashed or sorted.
    with sql.settings({"enable_nestloop": "off", "work_mem": "128MB"}):
        found = sql.rows(
            "layers",
            "release_difference",
            {
                "new": release.pk, "new_shelf": release.shelf, "old": before.pk, "old_shelf": before.shelf,
                "key": layer.key_field, "moved_m": _MOVED_M, "examples": _EXAMPLES,
            },
            {"features": Feature},
        )  # fmt: skip
    counts = {"added": 0, "removed": 0, "moved": 0, "changed": 0, "unchanged": 0}
    examples: dict[str, list[dict[str, Any]]] = {what: [] for what in counts if what != "unchanged"}
    for what, n, number, old_number, mark, name, lon, lat in found:
        counts[what] = n
        if what in examples:
            examples[what].append({
                "row": number, "row_before": old_number, "key": mark, "name": name,
                "lon": round(lon, 6), "lat": round(lat, 6),
            })  # fmt: skip
    return {"against": before.number, "by": "key" if layer.key_field else "name", **counts, "examples": examples}


def _quality(plan: Plan | RasterPlan, row_count: int) -> dict[str, Any]:
    quality: dict[str, Any] = {"problems": {severity: dict(codes) for severity, codes in plan.counts.items()}}
    if isinstance(plan, Plan) and row_count:
        quality["filled"] = {facts.name: round(facts.filled / row_count, 4) for facts in plan.fields}
    return quality
