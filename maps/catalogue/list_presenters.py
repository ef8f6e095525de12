"""Lists of layers as texts: what a template puts in, in the reader's language. Nothing is decided or read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from geo.models import Place
from layers.models import Layer
from maps.catalogue import wording
from maps.catalogue.asked import FRESHNESS, Wanted
from maps.catalogue.selectors import Entry, Listing
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter."""

    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class EntryView:
    """A line of a list of layers."""

    name: str
    other_name: str
    address: str
    theme: str
    kind: str
    amount: str
    described: str
    ago: str
    freshness: str
    freshness_text: str
    source: str
    owner: str
    licence: str
    services: tuple[str, ...]
    seen_by: str
    warnings: str


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under one heading: of a city in the list of all, of a theme in the list of a city."""

    key: str
    title: str
    address: str
    is_illustrative: bool
    entries: tuple[EntryView, ...]


@dataclass(frozen=True, slots=True)
class ListView:
    """A list of layers."""

    sentence: str
    groups: tuple[Group, ...]
    themes: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    cities: tuple[Choice, ...]
    freshness: tuple[Choice, ...]
    dropped: tuple[tuple[str, str], ...]
    page_text: str
    earlier: str
    later: str
    warned: str
    archived: str


def list_view(listing: Listing, wanted: Wanted, city: Place | None) -> ListView:
    """Present a list of layers."""
    lang = language()
    kinds = dict(Layer.Kind.choices)
    states = {
        "fresh": _("up to date"),
        "old": _("overdue"),
        "unknown": _("no renewal agreed"),
        "empty": _("no data yet"),
    }
    themes = {theme.code: theme.name for theme in listing.themes}
    cities = {place.code: place.name for place in listing.cities}
    labels = {
        "text": f"“{wanted.text}”" if lang == "en" else f"«{wanted.text}»",
        "theme": themes.get(wanted.theme, wanted.theme),
        "kind": str(kinds.get(wanted.kind, wanted.kind)),
        "city": cities.get(wanted.city, wanted.city),
        "freshness": states.get(wanted.freshness, ""),
    }
    return ListView(
        sentence=_list_sentence(listing, wanted),
        groups=_groups(listing.entries, city),
        themes=_choices(themes, wanted.theme),
        kinds=_choices({kind: str(kinds[kind]) for kind in listing.kinds}, wanted.kind),
        cities=_choices(cities, wanted.city),
        freshness=_choices({state: states[state] for state in FRESHNESS}, wanted.freshness),
        dropped=tuple(
            (_("without %(what)s") % {"what": formats.isolated(label, lang)}, wanted.query(**{name: ""}))
            for name, label in labels.items()
            if getattr(wanted, name)
        ),
        page_text=_("Page %(page)s of %(pages)s")
        % {"page": formats.number(listing.page, lang), "pages": formats.number(listing.pages, lang)}
        if listing.pages > 1
        else "",
        earlier=wanted.query(page=listing.page - 1) if listing.page > 1 else "",
        later=wanted.query(page=listing.page + 1) if listing.page < listing.pages else "",
        warned=formats.number(listing.warned, lang) if listing.warned else "",
        archived=formats.number(listing.archived, lang) if listing.archived else "",
    )


def _list_sentence(listing: Listing, wanted: Wanted) -> str:
    lang, n = language(), listing.total
    said = {"n": formats.number(n, lang), "of": formats.number(listing.there_are, lang)}
    if wanted.show == "archived":
        return ngettext("%(n)s archived layer", "%(n)s archived layers", n) % said
    if wanted.is_filtered:
        return ngettext("%(n)s of %(of)s layers", "%(n)s of %(of)s layers", n) % said
    old = sum(entry.freshness == "old" for entry in listing.entries)
    if old and listing.pages == 1:
        late = ngettext("%(n)s of them is overdue", "%(n)s of them are overdue", old) % {"n": formats.number(old, lang)}
        return _("%(layers)s; %(late)s") % {"layers": ngettext("%(n)s layer", "%(n)s layers", n) % said, "late": late}
    return ngettext("%(n)s layer", "%(n)s layers", n) % said


def _choices(texts: Mapping[str, str], chosen: str) -> tuple[Choice, ...]:
    known = texts if not chosen or chosen in texts else {**texts, chosen: chosen}
    return tuple(Choice(value, text, value == chosen) for value, text in known.items())


def _groups(entries: Sequence[Entry], city: Place | None) -> tuple[Group, ...]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.layer.theme.code if city else entry.layer.city.code, []).append(entry)
    groups = []
    for key, members in found.items():
        first = members[0].layer
        title = first.theme.name if city else first.city.name
        address = "" if city else reverse("city-layers", args=[first.city.code])
        shown = tuple(entry_view(entry) for entry in members)
        groups.append(Group(key, title, address, not city and first.city.is_illustrative, shown))
    return tuple(groups)


def entry_view(entry: Entry) -> EntryView:
    """Present a layer as lists show it."""
    layer, release, lang = entry.layer, entry.release, language()
    described = release.reference_date if release else None
    n = len(release.warnings) if release else 0
    return EntryView(
        name=layer.name,
        other_name=layer.name_fa if lang == "en" else layer.name_en,
        address=reverse("layer", args=[layer.city.code, layer.code]),
        theme=layer.theme.name,
        kind=str(layer.get_kind_display()),
        amount=wording.amount(layer, release) if release else _("not imported yet"),
        described=formats.day(described, lang),
        ago=wording.ago(described) if described else "",
        freshness=entry.freshness,
        freshness_text=wording.freshness(entry.freshness, entry.due),
        source=layer.source_text,
        owner=layer.owner,
        licence=layer.licence,
        services=entry.services,
        seen_by="" if layer.is_published else wording.seen_by(layer),
        warnings=ngettext("%(n)s warning", "%(n)s warnings", n) % {"n": formats.number(n, lang)} if n else "",
    )
