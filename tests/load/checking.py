"""``python -m tests.load.checking FILE``: compare what people were told with what the database holds.

The file is JSON: ``began`` as `tests.load.city` printed it, and ``records`` of all questions. Prints one line of JSON: a
list of what does not hold, and some counts.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ACTIONS = {"propose": "proposed", "approve": "approved", "return": "returned", "withdraw": "withdrawn"}
MOST_MOVED_DEG = 1e-5
"""About a metre: what is saved may be moved by the tolerance, half of that."""


def main(path: Path) -> dict[str, Any]:
    """Check everything."""
    import django

    django.setup()
    from geo.models import Boundary, ChangeSet, Place
    from geo.selectors import invariants_broken

    told = json.loads(path.read_text())
    city = Place.objects.get(kind=Place.Kind.CITY, code=told["began"]["city"])
    wrong = [
        *(f"invariant: {text}" for text in invariants_broken(city)),
        *_tiling(city, told["began"]),
        *_histories(told["records"]),
        *_contents(told["records"]),
        *_chains(city),
    ]
    statuses = Counter(ChangeSet.objects.filter(place=city).values_list("status", flat=True))
    editions = Boundary.objects.filter(place__path__startswith=city.path + "/")
    return {"wrong": wrong, "sets": dict(statuses), "editions": editions.count()}


def _tiling(city: Any, began: dict[str, Any]) -> list[str]:
    """The city is covered as it was, and nothing lies open or double that did not before."""
    import shapely

    from geo.core.measuring import width_m
    from geo.core.snapping import SNAP_TOLERANCE_M
    from geo.core.topology import findings
    from geo.querysets import system_user
    from geo.selectors import partition_read, shapes_read

    tiles = shapes_read(city, system_user()).neighbourhoods
    was = shapely.from_wkb(began["union"])
    wrong = [f"tiling: {f.key}" for f in findings(tiles, outline=was) if f.key not in began["findings"]]
    parts = shapely.get_parts(shapely.symmetric_difference(was, shapely.union_all(list(tiles.values()))))
    parts = parts[shapely.get_type_id(parts) == 3]
    if len(parts) and width_m(parts).max() > SNAP_TOLERANCE_M:
        wrong.append(f"tiling: the city as a whole has changed, by {width_m(parts).max():.2f} m somewhere")
    partition, _, _ = partition_read(city, system_user())
    if partition.faces.keys() != tiles.keys():
        wrong.append("tiling: the partition lacks places")
    return wrong


def _histories(records: list[dict[str, Any]]) -> list[str]:
    """Every step that was acknowledged is in the history under the version told, by who took it, and none twice."""
    from geo.models import Review

    wrong = []
    found: dict[int, dict[int, tuple[str, str]]] = defaultdict(dict)
    rows = Review.objects.order_by("pk").values_list("change_set", "version", "action", "author__username")
    for change_set, version, action, author in rows:
        if version in found[change_set]:
            wrong.append(f"history: set {change_set} has version {version} twice")
        found[change_set][version] = (action, author)
    for change_set, steps in found.items():
        if sorted(steps) != list(range(1, len(steps) + 1)):
            wrong.append(f"history: versions of set {change_set} are {sorted(steps)}")
    told: dict[tuple[int, int], str] = {}
    for record in records:
        if (record["what"] != "save" and record["what"] not in ACTIONS) or not 200 <= record["status"] < 300:
            continue
        key, expected = (record["set"], record["version"]), (ACTIONS.get(record["what"], "saved"), record["user"])
        if key in told:
            wrong.append(
                f"lost update: {told[key]} and {record['user']} were both told version {key[1]} of set {key[0]}"
            )
        told[key] = record["user"]
        if record.get("based_on") is not None and record["version"] != record["based_on"] + 1:
            wrong.append(f"lost update: {record['user']} wrote {key} over version {record['based_on']}")
        if found[key[0]].get(key[1]) != expected:
            wrong.append(f"lost: {expected} of set {key[0]}, version {key[1]}; there is {found[key[0]].get(key[1])}")
    return wrong


def _contents(records: list[dict[str, Any]]) -> list[str]:
    """What was acknowledged last of each change set is what it holds: the same places, from the same hand, drawn so."""
    import shapely

    from geo.db.shapes import to_shapely
    from geo.models import Change, Review

    saved = {(r["set"], r["version"]): r for r in records if r["what"] == "save" and 200 <= r["status"] < 300}
    last: dict[int, int] = {}
    for change_set, version in Review.objects.filter(action="saved").values_list("change_set", "version"):
        last[change_set] = max(version, last.get(change_set, 0))
    wrong = []
    held: dict[int, list[Any]] = defaultdict(list)
    for change in Change.objects.select_related("place", "boundary"):
        held[change.change_set_id].append(change)
    for change_set, version in last.items():
        record = saved.get((change_set, version))
        if record is None:
            continue  # written without an answer: the service was killed before it came
        for change in held[change_set]:
            sent = record["sent"].get(change.place.code, "")
            where = f"set {change_set}, {change.place.code}"
            if sent == "":
                wrong.append(f"content: {where} was not sent by {record['user']}")
            elif sent is None or change.boundary is None:
                if not (sent is None and change.boundary is None):
                    wrong.append(f"content: {where} ends in one and not in the other")
            elif change.boundary.source != record["mark"]:
                wrong.append(f"content: {where} is from {change.boundary.source!r}, not {record['mark']!r}")
            elif (
                shapely.hausdorff_distance(shapely.from_wkb(sent), to_shapely(change.boundary.geometry))
                > MOST_MOVED_DEG
            ):
                wrong.append(f"content: {where} is not drawn as it was sent")
        if not held[change_set]:
            wrong.append(f"content: set {change_set} is empty")
    return wrong


def _chains(city: Any) -> list[str]:
    """Of the approved changes of a place no two replaced the same edition: the second would have lost the first."""
    from geo.models import Boundary, Change, ChangeSet

    approved = Change.objects.filter(change_set__place=city, change_set__status=ChangeSet.Status.APPROVED)
    based = Counter(approved.filter(base__isnull=False).values_list("base", flat=True))
    wrong = [f"lost update: edition {base} was replaced {times} times" for base, times in based.items() if times > 1]
    lasting = Boundary.objects.lasting().filter(pk__in=list(based))
    wrong += [f"lost update: edition {edition.pk} was replaced and is still in force" for edition in lasting]
    made = approved.filter(boundary__isnull=False).values_list("boundary", flat=True)
    standing = set(Boundary.objects.lasting().filter(pk__in=list(made)).values_list("pk", flat=True))
    wrong += [
        f"lost: edition {pk} was approved, is not in force, and nothing replaced it"
        for pk in made
        if pk not in standing and pk not in based
    ]
    return wrong


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
