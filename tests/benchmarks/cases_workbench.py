"""An edit of a boundary snapped to its neighbours and checked for gaps and overlaps, as at a save, against plain PostGIS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import shapely
from django.db import transaction
from shapely.geometry import shape

from geo.core.crs import utm_epsg_of
from geo.core.measuring import metres_per_degree
from geo.core.noding import is_among, rounded
from geo.core.partition import Partition, vertex_move
from geo.core.snapping import SNAP_TOLERANCE_M
from geo.db.shapes import to_geos, to_shapely
from geo.errors import MahallehError
from geo.models import Boundary, Place
from geo.querysets import system_user
from geo.selectors import partition_read
from geo.selectors.partitions import near_shapes
from geo.services import Edit, findings_of
from geo.services.snapping import snapped
from tests.benchmarks import peers_postgis
from tests.benchmarks.measuring import Report, Row, fastest, interleaved_ms
from tests.benchmarks.question import city

STATEMENTS = ("workbench_statement", "workbench_lost_ground", "workbench_whole")
"""The first two leave out what a planner is told beside the faults: whether the snapped shape is valid, gaps that the edit encloses,
which faults were there before, areas on the ellipsoid, slivers, points to go to, places around. The last does all of it."""
MOVED_M = 12.0
"""How far an edge is moved for one of its two sides alone: a gap or an overlap that must be found."""
STEP_DEG = 3e-5
"""Between vertices of a detailed boundary: about three metres."""
JITTERED_M = 0.15
"""How far another vertex is off its neighbour's: within the tolerance, so that it must be found to be the same."""

Found = list[tuple[str, shapely.Geometry]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A place as it was drawn, and the edition that it was drawn on."""

    code: str
    place: int
    edition: int
    geometry: shapely.Geometry


def workbench_cases(report: Report, runs: int, n_edits: int) -> None:
    """Measure some edits over the whole city, as it is and with boundaries as detailed as surveyed ones are."""
    place = city()
    partition, _, editions = partition_read(place, system_user())
    _measured(report, runs, "an edit snapped and checked", place, partition, editions, n_edits)
    detailed = _detailed(partition)
    with transaction.atomic():
        for code, shape in detailed.polygons.items():
            editions[code].geometry = to_geos(shape)
        Boundary.objects.bulk_update([editions[code] for code in detailed.faces], ["geometry"])
        case = "an edit snapped and checked, detailed"
        _measured(report, runs, case, place, detailed, editions, max(n_edits // 4, 4))
        transaction.set_rollback(True)


def _measured(
    report: Report,
    runs: int,
    case: str,
    place: Place,
    partition: Partition,
    editions: Mapping[str, Boundary],
    n_edits: int,
) -> None:
    """Measure one state of the city, after checking that all find the same in it."""
    epsg = utm_epsg_of(list(partition.polygons.values()))
    edits = drawn_edits(partition, editions, n_edits)
    expected = [by_us(place, edit) for edit in edits]
    kinds = {kind for found in expected for kind, _ in found}
    assert kinds == {"gap", "overlap"}, f"The edits make {kinds} alone."
    for name in STATEMENTS:
        for edit, found in zip(edits, expected, strict=True):
            compared(edit, found, by_postgis(name, place, edit, epsg))

    def ours() -> None:
        for edit in edits:
            by_us(place, edit)

    def theirs(name: str) -> None:
        for edit in edits:
            by_postgis(name, place, edit, epsg)

    times = interleaved_ms({"ours": ours, **{name: partial(theirs, name) for name in STATEMENTS}}, runs)
    best = fastest({name: times[name] for name in STATEMENTS})
    vertices = np.median(shapely.get_num_coordinates([edit.geometry for edit in edits]))
    size = f"{len(partition.faces)} of {vertices:.0f} points"
    for name in sorted(STATEMENTS, key=lambda name: name != best):
        ours_ms, peer_ms = times["ours"] / len(edits), times[name] / len(edits)
        report.add(Row(case, size, ours_ms, f"PostGIS {name}", peer_ms, runs))


def _detailed(partition: Partition) -> Partition:
    """Give all boundaries a vertex every few metres, a little off the straight line, the same on both sides."""
    rng = np.random.default_rng(2)
    arcs = []
    for arc in partition.arcs:
        fine = shapely.get_coordinates(shapely.segmentize(shapely.LineString(arc), STEP_DEG))
        is_new = ~is_among(fine, arc)
        fine[is_new] = rounded(fine[is_new] + rng.uniform(-1, 1, (int(is_new.sum()), 2)) * STEP_DEG / 20)
        arcs.append(fine)
    return Partition(tuple(arcs), partition.faces)


def by_us(place: Place, edit: Drawn) -> Found:
    """Read, snap and check, as `geo.services.change_set_save` does."""
    base = to_shapely(Boundary.objects.lasting().get(place=edit.place).geometry)
    near = near_shapes(place, [base, edit.geometry], leaving_out=[edit.place])
    (done,), _ = snapped([Edit(edit.code, edit.edition, edit.geometry)], near)
    assert done.geometry is not None
    found = findings_of(before=near | {edit.code: base}, after=near | {edit.code: done.geometry}, changed={edit.code})
    return [("overlap" if row["is_overlap"] else "gap", shape(row["geometry"])) for row in found]


def by_postgis(name: str, place: Place, edit: Drawn, epsg: int) -> Found:
    """Do the same in the database."""
    parameters = {
        "edition": edit.edition,
        "drawn": shapely.to_wkb(edit.geometry),
        "epsg": epsg,
        "tolerance_m": SNAP_TOLERANCE_M,
        "city": f"{place.path}/%",
    }
    rows = peers_postgis.run(name, parameters, beginning="workbench_beginning")
    return [(kind, shapely.from_wkb(bytes(wkb))) for kind, _, _, wkb, *_ in rows]


def compared(edit: Drawn, ours: Found, theirs: Found) -> None:
    """Refuse to go on where the two found something else."""
    for kind in ("gap", "overlap"):
        a, b = (shapely.union_all([shape for k, shape in found if k == kind]) for found in (ours, theirs))
        if a.is_empty and b.is_empty:
            continue
        off = shapely.symmetric_difference(a, b).area / max(a.area, b.area)
        assert off < 0.05, f"The {kind} of {edit.code} is {off:.0%} another by PostGIS."


def drawn_edits(partition: Partition, editions: Mapping[str, Boundary], n_edits: int) -> list[Drawn]:
    """Move an edge of some places for one side alone, to both sides in turn, and another vertex by a hair's breadth."""
    rng = np.random.default_rng(1)
    scale = np.stack(metres_per_degree(float(partition.arcs[0][0, 1])))
    arcs = [i for i, users in enumerate(partition.users) if len(users) == 2 and len(partition.arcs[i]) >= 4]
    edits: list[Drawn] = []
    for arc in rng.permutation(arcs).tolist():
        if len(edits) == n_edits:
            break
        code = partition.users[arc][len(edits) % 2]
        line, middle = partition.arcs[arc], len(partition.arcs[arc]) // 2
        along = (line[middle + 1] - line[middle - 1]) * scale
        aside = np.array([-along[1], along[0]]) / np.hypot(*along) * MOVED_M / scale
        try:
            moved = vertex_move(partition, arc, middle, line[middle] + aside * (-1) ** (len(edits) // 2))
            jittered = _jittered(moved, code, arc, scale, rng)
        except MahallehError:
            continue  # the edge would cross another: another one is taken
        edition = editions[code]
        edits.append(Drawn(code, edition.place_id, edition.pk, jittered.polygons[code]))
    assert len(edits) == n_edits, f"Only {len(edits)} edges can be moved so."
    return edits


def _jittered(partition: Partition, code: str, but: int, scale: np.ndarray, rng: np.random.Generator) -> Partition:
    others: Sequence[int] = [
        i
        for i, users in enumerate(partition.users)
        if code in users and len(users) == 2 and i != but and len(partition.arcs[i]) >= 3
    ]
    if not others:
        return partition
    arc = int(rng.choice(others))
    angle = rng.uniform(0, 2 * np.pi)
    step = JITTERED_M * np.array([np.cos(angle), np.sin(angle)]) / scale
    return vertex_move(partition, arc, 1, partition.arcs[arc][1] + step)
