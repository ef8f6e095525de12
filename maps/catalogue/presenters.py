"""What a layer's page says of its fields, releases, quality, runs and pixels, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from layers.models import Layer, Release
from maps.catalogue import wording
from maps.catalogue.asked import Table
from maps.catalogue.rows import Column
from maps.catalogue.table_presenters import titles_of
from maps.catalogue.uses import Uses
from maps.pages import formats
from maps.pages.reader import language
from maps.problems import fault_told, text_told


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field, as the list of fields shows it."""

    name: str
    title: str
    description: str
    type: str
    unit: str
    filled: str
    share: float | None
    examples: str


def fields_view(layer: Layer, columns: Sequence[Column]) -> tuple[FieldView, ...]:
    """Present the fields of a layer."""
    lang, said = language(), {row["name"]: row for row in layer.schema}
    titles = titles_of(layer, columns)
    return tuple(
        FieldView(
            name=column.name,
            title=titles[column.name] if titles[column.name] != column.name else "",
            description=said.get(column.name, {}).get("description", ""),
            type=wording.type_name(said.get(column.name, {}).get("type") or column.type),
            unit=said.get(column.name, {}).get("unit", ""),
            filled=formats.percent(column.filled, lang),
            share=column.filled,
            examples=formats.listing([wording.value(one) for one in column.examples], lang),
        )
        for column in columns
    )


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release, as the list of releases shows it."""

    number: int
    number_text: str
    described: str
    stored: str
    amount: str
    author: str
    file_name: str
    sha256: str
    query: str
    is_shown: bool
    against: str
    changes: tuple[str, ...]
    examples: tuple[tuple[str, tuple[str, ...]], ...]
    is_first: bool
    restored: str
    is_former: bool


def release_view(layer: Layer, release: Release, table: Table, shown: Release | None, newest: int) -> ReleaseView:
    """Present a release, with its difference from the one before it."""
    lang, found = language(), release.difference if isinstance(release.difference, dict) else {}
    changes = wording.difference(found)
    restored = getattr(release, "restored", None)
    against = found.get("against")
    texts = tuple(phrase for _code, _n, phrase in changes)
    return ReleaseView(
        number=release.number,
        number_text=formats.number(release.number, lang),
        described=formats.day(release.reference_date, lang),
        stored=wording.stamp(release.created_at),
        amount=wording.amount(layer, release),
        author=release.author.get_username() if release.author else "",
        file_name=release.file_name,
        sha256=release.file_sha256,
        query=Table(release=None if release.number == newest else release.number).query(),
        is_shown=shown is not None and shown.pk == release.pk,
        against=_("against release %(n)s") % {"n": formats.number(against, lang)} if isinstance(against, int) else "",
        changes=texts or ((_("nothing differs"),) if isinstance(against, int) else ()),
        examples=changed_names(found),
        is_first=release.number == 1,
        restored=_("as release %(n)s was") % {"n": formats.number(int(restored), lang)} if restored else "",
        is_former=release.number != newest,
    )


def changed_names(difference: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return of each kind of change a few names of what changed so."""
    lang, examples, found = language(), difference.get("examples") or {}, []
    for code, _n, phrase in wording.difference(difference):
        names = [
            str(one.get("name") or one.get("key") or "") for one in examples.get(code, ()) if isinstance(one, dict)
        ]
        if kept := tuple(formats.isolated(name, lang) for name in names if name)[:8]:
            found.append((phrase, kept))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class QualityView:
    """What was found in a release when it was imported."""

    sentence: str
    problems: tuple[tuple[str, str, str], ...]
    lacking: tuple[tuple[str, str], ...]
    messages: tuple[str, ...]


def quality_view(layer: Layer, release: Release, columns: Sequence[Column], *, is_insider: bool) -> QualityView:
    """Present the quality of a release; the messages, which may hold values, are for people with a role."""
    lang = language()
    quality = release.quality if isinstance(release.quality, dict) else {}
    by_severity = quality.get("problems") or {}
    problems = [
        (wording.severity_name(severity), wording.problem_name(code), formats.number(n, lang))
        for severity in ("repaired", "warning", "error")
        for code, n in sorted((by_severity.get(severity) or {}).items(), key=lambda item: -item[1])
    ]
    repaired, noted = (sum((by_severity.get(name) or {}).values()) for name in ("repaired", "warning"))
    titles = titles_of(layer, columns)
    lacking = [
        (titles[column.name], formats.percent(column.filled, lang))
        for column in sorted(columns, key=lambda c: c.filled if c.filled is not None else 1)
        if column.filled is not None and column.filled < 0.95
    ]
    known = "problems" in quality
    if not known and not release.warnings:
        sentence = _("No problem was noted when this release was stored.")
    elif repaired or noted:
        mended = ngettext("%(n)s problem was repaired", "%(n)s problems were repaired", repaired)
        left = ngettext("%(n)s was noted and left", "%(n)s were noted and left", noted)
        parts = [text % {"n": formats.number(n, lang)} for text, n in ((mended, repaired), (left, noted)) if n]
        sentence = _("When it was imported, %(what)s.") % {"what": formats.listing(parts, lang)}
    elif release.warnings:
        n = len(release.warnings)
        sentence = ngettext("The import had %(n)s warning.", "The import had %(n)s warnings.", n) % {
            "n": formats.number(n, lang)
        }
    else:
        sentence = _("The import found no problem.")
    messages = [
        fault_told(one).message if isinstance(one, dict) else text_told(str(one)) for one in release.warnings[:12]
    ]
    return QualityView(sentence, tuple(problems), tuple(lacking[:12]), tuple(messages) if is_insider else ())


@dataclass(frozen=True, slots=True)
class RunView:
    """A run that used the layer."""

    text: str
    day: str
    release: str
    author: str
    maps: tuple[tuple[str, str], ...]


def run_views(uses: Uses) -> tuple[RunView, ...]:
    """Present the runs that used a layer."""
    lang = language()
    return tuple(
        RunView(
            text=_("%(kind)s, run %(n)s") % {"kind": use.run.get_kind_display(), "n": formats.number(use.run.pk, lang)},
            day=wording.stamp(use.run.created_at),
            release=_("release %(n)s") % {"n": formats.number(use.release, lang)} if use.release else formats.DASH,
            author=use.run.author.get_username() if use.run.author else "",
            maps=tuple((one.title, reverse("publication", args=[one.slug])) for one in use.maps),
        )
        for use in uses.runs
    )


def extent_text(box: tuple[float, float, float, float] | None) -> str:
    """Write a box in degrees."""
    if box is None:
        return formats.DASH
    west, south, east, north = (formats.number(value, language(), 4) for value in box)
    return _("longitude %(west)s to %(east)s, latitude %(south)s to %(north)s") % {
        "west": west, "east": east, "south": south, "north": north,
    }  # fmt: skip


def raster_facts(raster: Any, *, tells_extremes: bool) -> tuple[tuple[str, str], ...]:
    """Present a raster's size and statistics; of a raster of people the public is not told single pixels."""
    lang = language()

    def number(value: float | None) -> str:
        return wording.value(value) if value is not None else formats.DASH

    width, height = formats.number(raster.width, lang), formats.number(raster.height, lang)
    facts = [
        (_("Size"), _("%(width)s × %(height)s pixels") % {"width": width, "height": height}),
        (_("Pixel"), formats.distance(raster.pixel_m, lang)),
        (_("Reference system"), formats.digits(f"EPSG:{raster.epsg}", lang)),
    ]
    if tells_extremes:
        facts += [(_("Minimum"), number(raster.minimum)), (_("Maximum"), number(raster.maximum))]
    facts += [(_("Mean"), number(raster.mean)), (_("Standard deviation"), number(raster.deviation))]
    return tuple(fact for fact in facts if fact[1] != formats.DASH)


def histogram(raster: Any) -> tuple[tuple[float, float, float, float, str], ...]:
    """Return the bars of a raster's histogram on a sheet of 100 × 40: x, y, width and height, and what each says."""
    found = raster.histogram if isinstance(raster.histogram, dict) else {}
    edges, counts = found.get("edges") or [], found.get("counts") or []
    if len(edges) != len(counts) + 1 or not counts or max(counts) <= 0:
        return ()
    width, lang = 100 / len(counts), language()
    bars = []
    for i, n in enumerate(counts):
        height = 40 * n / max(counts)
        span = f"{wording.value(float(edges[i]))}–{wording.value(float(edges[i + 1]))}"
        bars.append(
            (
                round(i * width, 3),
                round(40 - height, 3),
                round(width, 3),
                round(height, 3),
                f"{span}: {formats.number(n, lang)}",
            )
        )
    return tuple(bars)


def required_names() -> dict[str, str]:
    """Return what the four things are called that every layer needs."""
    return {
        "name_fa": _("Persian name"), "name_en": _("English name"), "source": _("source"), "date": _("reference date"),
    }  # fmt: skip


def point_text(lon: float, lat: float) -> str:
    """Write a point in degrees."""
    lang = language()
    return f"{formats.number(lat, lang, 5)}, {formats.number(lon, lang, 5)}"
