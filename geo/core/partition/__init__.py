"""A city's neighbourhoods as one planar partition: arcs between nodes, each shared by the places on its sides.

Boundaries are edited as arcs, as in TopoJSON, so that moving, splitting or joining them can make neither a gap nor
an overlap. The browser has the same model and the same operations; `tests/cases/partition.json` holds both to it.
"""

from geo.core.noding import DECIMALS
from geo.core.partition.areas import add, cut_out, fill_gap, merge, split
from geo.core.partition.model import Partition, partition_of, polygons_of
from geo.core.partition.vertices import arc_replace, vertex_add, vertex_move, vertex_remove
from geo.core.partition.wire import from_json, to_json
from geo.core.snapping import SNAP_TOLERANCE_M

__all__ = [
    "DECIMALS",
    "SNAP_TOLERANCE_M",
    "Partition",
    "add",
    "arc_replace",
    "cut_out",
    "fill_gap",
    "from_json",
    "merge",
    "partition_of",
    "polygons_of",
    "split",
    "to_json",
    "vertex_add",
    "vertex_move",
    "vertex_remove",
]
