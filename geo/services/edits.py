"""What a person asks of a change set, checked before anything is written; and what comes back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import shapely

from geo.core import validity
from geo.errors import Conflict, GeometryError, InvalidInput, LimitExceeded
from geo.models import Boundary, ChangeSet
from geo.selectors.partitions import EDITED_KINDS

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

MOST_EDITS: Final = 500
"""Places that one change set may touch."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one place is to become.

    Attributes
    ----------
    code : str
        Of the place within its city; a code not used so far makes a new place.
    base_edition_id : int or None
        The edition in force that the edit is based on; None for a new place, or one that has ended.
    geometry : Geometry or None
        In EPSG:4326; None ends the place.
    name_fa, name_en, kind : str
        Of a new place; names of another place rename it at the approval. Empty: as they are.
    source, source_fa, certainty : str
        Of the edition; empty: as the edition before, or the first place it comes from.
    disputed : Geometry or None
        Lines along the edges whose course is in dispute.
    from_codes : tuple of str
        Places that a new or grown place takes its ground from.
    is_revival : bool
        The place has ended and is to come back; otherwise a code that is in use makes no new place.
    """

    code: str
    base_edition_id: int | None
    geometry: shapely.Geometry | None
    name_fa: str = ""
    name_en: str = ""
    kind: str = ""
    source: str = ""
    certainty: str = ""
    source_fa: str = ""
    disputed: shapely.Geometry | None = None
    from_codes: tuple[str, ...] = ()
    is_revival: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """A change set as it stands after a save.

    Attributes
    ----------
    change_set : ChangeSet
        With its new version.
    findings : tuple of dict
        Tasks: gaps, overlaps, slivers (`geo.services.findings`), as stored on the change set.
    notes : mapping of str to str
        By code, what was mended in a geometry before it was stored; shown to the person.
    moved_m : float
        How far the farthest vertex was moved onto a neighbour's edge, in metres.
    contested : tuple of str
        Codes of places that another open change set touches too: whichever is approved first makes the other stale.
    overtaken : tuple of str
        Where a change set is undone: codes of places that were changed again since, which is undone with it.
    """

    change_set: ChangeSet
    findings: tuple[dict[str, Any], ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    moved_m: float = 0.0
    contested: tuple[str, ...] = ()
    overtaken: tuple[str, ...] = ()


class StaleEdit(Conflict):
    """The write is based on something that somebody has changed since; nothing was written.

    Attributes
    ----------
    conflicts : mapping of str to dict
        By code of the place: GeoJSON geometries ``mine``, ``theirs`` and ``ancestor`` (None where there is none), and
        ``edition``, the number of theirs, on which to base the next try.
    """

    default_code = "stale_edit"

    def __init__(
        self,
        message: str,
        *,
        conflicts: Mapping[str, dict[str, Any]] | None = None,
        code: str = "",
        where: str = "",
        remedy: str = "Look at both, and choose mine, theirs, or what does not clash of each.",
    ) -> None:
        super().__init__(message, code=code, where=where, remedy=remedy)
        self.conflicts = dict(conflicts or {})


class CodeTaken(Conflict):
    """The code of a new place belongs to another one already, be it ended or drawn in a draft alone.

    Attributes
    ----------
    free_code : str
        One that no place has or had.
    """

    default_code = "code_taken"

    def __init__(self, taken: str, free_code: str) -> None:
        super().__init__(
            "Another place has the code already, or had it before it ended.",
            where=f"place {taken}",
            remedy=f"Use {free_code}, which is free. To change that place, name its edition; "
            "to bring back one that has ended, say that it is a revival.",
            details={"place": taken, "free_code": free_code},
        )
        self.taken, self.free_code = taken, free_code

    def members(self) -> dict[str, object]:
        """Return the members of a problem, with the free code."""
        return super().members() | {"free_code": self.free_code}

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with both codes."""
        return type(self), (self.taken, self.free_code)


class TopologyRefused(Conflict):
    """An approval would open gaps or overlaps that nobody has acknowledged.

    Attributes
    ----------
    findings : tuple of dict
        Those in question, as stored on a change set.
    """

    default_code = "topology_refused"

    def __init__(
        self,
        message: str,
        *,
        findings: Sequence[dict[str, Any]] = (),
        code: str = "",
        where: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message, code=code, where=where, remedy=remedy)
        self.findings = tuple(findings)


def edits_checked(edits: Sequence[Edit], *, repair: bool) -> tuple[list[Edit], dict[str, str]]:
    """Return the edits with geometries that can be stored, ordered by code, and what was mended in them.

    Parameters
    ----------
    edits : sequence of Edit
        As they came in.
    repair : bool
        Mend what is not valid, and say how; without it, such a geometry is refused.

    Raises
    ------
    InvalidInput
        Where nothing is edited, a code comes twice, or a word is not one of those allowed.
    LimitExceeded
        Where there are too many edits or vertices.
    GeometryError
        Where a geometry is empty, broken, or no polygon; with its place.
    """
    if not edits:
        raise InvalidInput("The change set changes nothing.", code="no_edits", remedy="Change a place first.")
    if len(edits) > MOST_EDITS:
        raise LimitExceeded(
            f"The change set touches {len(edits)} places, more than {MOST_EDITS}.",
            code="too_many_edits",
            remedy="Split it into several.",
        )
    for code, times in Counter(edit.code for edit in edits).items():
        if times > 1:
            raise InvalidInput(f"The place is edited {times} times.", code="duplicate_code", where=f"place {code}")
    total = sum(int(shapely.get_num_coordinates(edit.geometry)) for edit in edits if edit.geometry is not None)
    if total > validity.MAX_VERTICES:
        raise LimitExceeded(
            f"The geometries have {total:,} vertices, more than {validity.MAX_VERTICES:,}.",
            code="too_many_vertices",
            remedy="Simplify them, or split the change set into several.",
        )
    notes: dict[str, str] = {}
    checked = [_checked(edit, repair, notes) for edit in edits]
    return sorted(checked, key=lambda edit: edit.code), notes


def text_checked(text: str, where: str, longest: int = 5000) -> str:
    """Return a text as it can be stored.

    Raises
    ------
    InvalidInput
        Where it is too long, or has characters that no text has.
    """
    if "\x00" in text:
        raise InvalidInput("The text has a null character.", code="bad_text", where=where, remedy="Remove it.")
    if len(text) > longest:
        raise InvalidInput(
            f"The text is longer than {longest} characters.", code="too_long", where=where, remedy="Shorten it."
        )
    return text


def _checked(edit: Edit, repair: bool, notes: dict[str, str]) -> Edit:
    for code in (edit.code, *edit.from_codes):
        if len(code) > 80 or not _CODE.fullmatch(code):
            raise InvalidInput(
                f"{code[:80]!r} is no code of a place.",
                code="bad_code",
                where="code",
                remedy="Use small Latin letters, digits and single hyphens.",
            )
    where = f"place {edit.code}"
    base = edit.base_edition_id
    if not (base is None or 0 < base < 2**63):
        raise InvalidInput("There is no such edition.", code="bad_edition", where=f"{where}, base edition")
    text_checked(edit.name_fa, f"{where}, name_fa", 200)
    text_checked(edit.name_en, f"{where}, name_en", 200)
    text_checked(edit.source, f"{where}, source", 300)
    text_checked(edit.source_fa, f"{where}, source_fa", 300)
    _one_of(edit.kind, EDITED_KINDS, "bad_kind", f"{where}, kind")
    _one_of(edit.certainty, Boundary.Certainty.values, "bad_certainty", f"{where}, certainty")
    geometry = edit.geometry
    if geometry is not None:
        geometry, note = geometry_checked(geometry, where=where, repair=repair)
        if note:
            notes[edit.code] = note
    return replace(edit, geometry=geometry, disputed=_lines_checked(edit.disputed, f"{where}, disputed"))


def geometry_checked(geometry: shapely.Geometry, *, where: str, repair: bool) -> tuple[shapely.MultiPolygon, str]:
    """Return a polygon as it can be stored, and what was mended in it.

    Raises
    ------
    LimitExceeded
        Where it has too many vertices.
    GeometryError
        Where it cannot be stored, or only after a repair that was not asked for; ``where`` names the coordinates.
    """
    for problem in validity.problems(geometry):
        if problem.severity == "note" or (problem.severity == "repairable" and repair):
            continue
        kind = LimitExceeded if problem.code == "too_many_vertices" else GeometryError
        at = "" if problem.x is None or problem.y is None else f" at {problem.x:.7f}, {problem.y:.7f}"
        raise kind(problem.message, code=problem.code, where=where + at, remedy=problem.remedy)
    try:
        mended, note = validity.repair(geometry)
        polygon = validity.as_multipolygon(shapely.remove_repeated_points(mended))
    except GeometryError as error:
        raise GeometryError(
            error.message, code=error.code, where=f"{where} {error.where}".strip(), remedy=error.remedy
        ) from error
    return polygon, note


def _lines_checked(lines: shapely.Geometry | None, where: str) -> shapely.Geometry | None:
    if lines is None or lines.is_empty:
        return None
    for problem in validity.problems(lines):
        if problem.severity == "error":
            raise GeometryError(problem.message, code=problem.code, where=where, remedy=problem.remedy)
    parts = shapely.get_parts(validity.force_2d(lines))
    if not all(part.geom_type == "LineString" for part in parts):
        raise GeometryError(
            "Disputed edges are not lines.", code="not_lines", where=where, remedy="Give lines along the edges."
        )
    return shapely.MultiLineString(list(parts))


def _one_of(value: str, allowed: Sequence[str], code: str, where: str) -> None:
    if value and value not in allowed:
        raise InvalidInput(
            f"{value!r} is not known.", code=code, where=where, remedy=f"Choose one of {', '.join(map(str, allowed))}."
        )


__all__ = [
    "CodeTaken",
    "Edit",
    "Saved",
    "StaleEdit",
    "TopologyRefused",
    "edits_checked",
    "geometry_checked",
    "text_checked",
]
