"""Tables joined to places or to a layer: what the page asks, and what it shows of what is left on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from layers.models import Layer, Upload
from layers.selectors import layers_to_join
from maps.imports import wording
from maps.pages import formats
from maps.pages.reader import language

Json = Mapping[str, Any]

MOST_SHOWN: Final = 100
"""Names shown of each side, and pairs that a form carries; the interface gives more."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A name of the file and what it is taken for, or could be."""

    number: int
    name: str
    taken_for: str
    rows: str
    note: str
    close: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A feature without a row."""

    name: str
    code: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class Total:
    """Sum of a column over all rows and over those that found a partner."""

    number: int
    field: str
    all: str
    matched: str
    lost: str
    is_added_up: bool


@dataclass(slots=True)
class JoinView:
    """What the page shows of a join; see `layers.reading.places.Joining`."""

    layers: list[tuple[str, str, bool]] = field(default_factory=list)
    is_joined: bool = False
    sentences: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    pairs_beyond: int = 0
    has_unmatched: bool = False
    left: list[Left] = field(default_factory=list)
    left_count: int = 0
    left_beyond: int = 0
    totals: list[Total] = field(default_factory=list)


def join_view(upload: Upload, user: Any, options: Json) -> JoinView:
    """Return what the page of an upload shows of what its rows are joined to.

    Parameters
    ----------
    options
        What stands in the form.
    """
    chosen = str(options.get("join_layer") or "")
    view = JoinView(layers=[(one.code, _name(one), one.code == chosen) for one in layers_to_join(upload.city, user)])
    found: Json | None = (upload.report or {}).get("joining")
    if not found:
        return view
    view.is_joined = True
    view.has_unmatched = bool(found["unmatched"] or options.get("leave_out"))
    view.sentences = _sentences(found)
    paired = dict(options.get("pairs") or {})
    lonely = {one["name"]: one for one in found["rows_listed"]}
    listed = [(name, taken, lonely.pop(name, None)) for name, taken in paired.items()]
    listed += [(name, "", one) for name, one in lonely.items()]
    view.pairs = [_pair(number, *one) for number, one in enumerate(listed[:MOST_SHOWN])]
    view.pairs_beyond = max(len(listed) - MOST_SHOWN, 0)
    view.left_count = found["features_without"]
    view.left = [
        Left(one["name"] or one["code"], one["code"] if one["name"] else "", one["lon"], one["lat"])
        for one in found["features_listed"][:MOST_SHOWN]
    ]
    view.left_beyond = view.left_count - len(view.left)
    columns = [one["name"] for one in upload.report.get("fields", [])]
    added_up = set(options.get("sum_fields") or [])
    view.totals = [
        Total(
            columns.index(one["field"]), one["field"], _amount(one["all"]), _amount(one["matched"]),
            _amount(one["all"] - one["matched"]), one["field"] in added_up,
        )
        for one in found["totals"]
        if one["field"] in columns
    ]  # fmt: skip
    return view


def join_from(said: Mapping[str, str], options: dict[str, Any], columns: Sequence[str]) -> None:
    """Read what rows are joined to.

    Parameters
    ----------
    options
        Where what was said is put.
    columns
        The fields of the file, which the form numbers.
    """
    parts = set(said.get("parts", "").split())
    options["join_layer"] = said.get("join_layer", "")[:60]
    if "joined" in parts:
        options["leave_out"] = bool(said.get("leave_out"))
        options["sum_fields"] = [name for number, name in enumerate(columns) if said.get(f"sum-{number}")] or None
        options["pairs"] = {
            name[:200]: taken.strip()[:200]
            for number in range(MOST_SHOWN)
            if (name := said.get(f"lonely-{number}", "")) and (taken := said.get(f"pair-{number}", "")).strip()
        } or None
    if not options.get("code_field"):
        for name in ("leave_out", "sum_fields", "pairs"):
            options.pop(name, None)


def _sentences(found: Json) -> list[str]:
    said = [
        ngettext(
            "%(matched)s of %(n)s row found its partner.",
            "%(matched)s of %(n)s rows found their partner.",
            found["rows"],
        )
        % {"matched": wording.n_(found["matched"]), "n": wording.n_(found["rows"])}
    ]
    like = found["by"].get("like", 0)
    if like:
        said.append(
            ngettext(
                "%(n)s of them by a name that differs in spaces or in a word such as “county”.",
                "%(n)s of them by names that differ in spaces or in a word such as “county”.",
                like,
            )
            % {"n": wording.n_(like)}
        )
    n = found["unmatched"]
    if n and found["is_left_out"]:
        text = ngettext(
            "%(n)s row belongs to nothing, and is left out.", "%(n)s rows belong to nothing, and are left out.", n
        )
        said.append(text % {"n": wording.n_(n)})
    elif n:
        said.append(
            ngettext("%(n)s row belongs to nothing.", "%(n)s rows belong to nothing.", n) % {"n": wording.n_(n)}
        )
    n = found["features_without"]
    if n:
        text = ngettext("%(n)s of %(all)s features has no row.", "%(n)s of %(all)s features have no row.", n)
        said.append(text % {"n": wording.n_(n), "all": wording.n_(found["features"])})
    n = found["features_repeated"]
    if n:
        text = ngettext("%(n)s feature has several rows.", "%(n)s features have several rows.", n)
        said.append(text % {"n": wording.n_(n)})
    if found["release"]:
        said.append(_("Joined to release %(number)s of the layer.") % {"number": wording.n_(found["release"])})
    return said


def _pair(number: int, name: str, taken_for: str, one: Json | None) -> Pair:
    if one is None:
        return Pair(number, name, taken_for, "", "", ())
    note = _("nothing is called so") if taken_for else ""
    if one["several"]:
        note = _("%(n)s features have this name") % {"n": wording.n_(one["several"])}
    if not name:
        note = _("no name")
    where = _("row %(n)s") % {"n": wording.n_(one["row"])}
    if one["rows"] > 1:
        where = _("%(n)s rows, the first is %(row)s") % {"n": wording.n_(one["rows"]), "row": wording.n_(one["row"])}
    return Pair(number, name, taken_for, where, note, tuple((near["write"], near["name"]) for near in one["close"]))


def _name(layer: Layer) -> str:
    return str(layer.name_en if language() == "en" else layer.name_fa)


def _amount(value: float) -> str:
    return formats.number(value, language(), 0 if float(value).is_integer() else 2)
