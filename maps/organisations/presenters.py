"""Organisations, members and councils as data for their pages: words for kinds, states and events, sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from interventions.models import Membership, Organisation
from interventions.selectors import HistoryRow, MemberEvent, MemberRow, OrganisationFound, OrganisationRow, Waiting
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation as a list shows it; ``counts`` are of its work, each with where it is found, or nowhere."""

    pk: int
    address: str
    name: str
    kind: str
    kind_text: str
    state: str
    state_text: str
    place: str
    sectors: str
    counts: tuple[tuple[str, str], ...]
    members_text: str
    waiting_text: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as the page of the organisation shows them."""

    pk: int
    name: str
    username: str
    state: str
    state_text: str
    places: str
    is_contact: bool
    is_own: bool
    since_text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done."""

    word: str
    at_text: str
    actor: str
    note: str


def kind_words() -> dict[str, str]:
    """Return the kinds of organisations in words."""
    return {one.value: str(one.label) for one in Organisation.Kind}


def kinds_words() -> dict[str, str]:
    """Return the kinds of organisations in words for several of them: headings of the list."""
    return {
        "ngo": _("NGOs"),
        "agency": _("Executive agencies"),
        "municipality": _("Municipalities"),
        "red-crescent": _("Red Crescent"),
        "relief-committee": _("Relief Committee"),
        "mosque": _("Mosques"),
        "school": _("Schools"),
        "volunteer-group": _("Volunteer groups"),
        "donor": _("Donors"),
    }


def standing_words(standings: Sequence[str]) -> list[tuple[str, str]]:
    """Return what the list may be narrowed to, in words."""
    words = {
        "working": _("all but refused ones"),
        "applied": _("waiting for approval"),
        "suspended": _("suspended"),
        "refused": _("refused"),
        "all": _("all"),
    }
    return [(code, words[code]) for code in standings]


def organisation_view(row: OrganisationRow, city: str, *, works_here: bool) -> OrganisationView:
    """Present an organisation in a list; needs and capacities lead to their lists for those who may read them."""
    lang = language()
    name = row.name_en if lang == "en" else row.name_fa
    address = reverse("organisation", args=[city, row.key])

    def n(count: int) -> dict[str, str]:
        return {"n": formats.number(count, lang)}

    needs = f"{reverse('needs', args=[city])}?{urlencode({'q': name})}" if works_here else ""
    counts = (
        (row.needs, ngettext("%(n)s need", "%(n)s needs", row.needs), needs),
        (row.proposals, ngettext("%(n)s proposal", "%(n)s proposals", row.proposals), f"{address}#proposals"),
        (row.actions, ngettext("%(n)s action", "%(n)s actions", row.actions), f"{address}#actions"),
        (row.capacities, ngettext("%(n)s capacity", "%(n)s capacities", row.capacities), reverse("capacities", args=[city])),
    )  # fmt: skip
    return OrganisationView(
        pk=row.pk,
        address=address,
        name=name,
        kind=row.kind,
        kind_text=kind_words()[row.kind],
        state=row.state,
        state_text=str(Organisation.State(row.state).label),
        place=row.place.name,
        sectors=formats.listing([sector.name for sector in row.sectors], lang),
        counts=tuple((text % n(count), link) for count, text, link in counts if count),
        members_text=""
        if row.members is None
        else ngettext("%(n)s member", "%(n)s members", row.members) % n(row.members),
        waiting_text=ngettext("%(n)s person asks to be a member", "%(n)s people ask to be members", row.waiting)
        % n(row.waiting)
        if row.waiting
        else "",
        is_own=row.is_own,
    )


def grouped(views: Sequence[OrganisationView]) -> list[tuple[str, list[OrganisationView]]]:
    """Return organisations under headings of their kinds, as they come."""
    words = kinds_words()
    return [(words[kind], list(found)) for kind, found in groupby(views, key=lambda view: view.kind)]


def list_sentence(total: int, city: str, *, is_narrowed: bool) -> str:
    """Say how many organisations the list has."""
    n = formats.number(total, language())
    if is_narrowed:
        return ngettext("%(n)s organisation found", "%(n)s organisations found", total) % {"n": n}
    return ngettext(
        "%(n)s organisation works in %(city)s", "%(n)s organisations work in %(city)s", total
    ) % {"n": n, "city": formats.isolated(city, language())}  # fmt: skip


def waiting_sentence(waiting: Waiting) -> str:
    """Say what waits for the reader's approval; empty where nothing does."""
    lang, bodies, people = language(), len(waiting.organisations), waiting.people
    parts = []
    if bodies:
        parts.append(
            ngettext("%(n)s organisation", "%(n)s organisations", bodies) % {"n": formats.number(bodies, lang)}
        )
    if people:
        parts.append(ngettext("%(n)s member", "%(n)s members", people) % {"n": formats.number(people, lang)})
    if not parts:
        return ""
    return ngettext(
        "%(what)s waits for your approval.", "%(what)s wait for your approval.", bodies + people
    ) % {"what": formats.listing(parts, lang)}  # fmt: skip


def page_sentence(view: OrganisationView) -> str:
    """Say in a sentence what an organisation is and where it works."""
    return _("%(kind)s, works in %(place)s with all places inside it.") % {
        "kind": view.kind_text[:1].upper() + view.kind_text[1:],
        "place": formats.isolated(view.place, language()),
    }


def member_view(row: MemberRow) -> MemberView:
    """Present a member."""
    lang = language()
    return MemberView(
        pk=row.pk,
        name=row.name,
        username="" if row.username == row.name else row.username,
        state=row.state,
        state_text=str(Membership.State(row.state).label),
        places=formats.listing([place.name for place in row.places], lang),
        is_contact=row.is_contact,
        is_own=row.is_own,
        since_text=formats.day(timezone.localtime(row.since), lang),
    )


def members_sentence(found: OrganisationFound) -> str:
    """Say how many members an organisation has, for those who may know."""
    lang, row = language(), found.row
    if row.members is None:
        return _("Who its members are is known to the supervisor and to the members themselves.")
    told = ngettext("%(n)s member", "%(n)s members", row.members) % {"n": formats.number(row.members, lang)}
    if row.waiting:
        asked = ngettext("%(n)s person asks to be one", "%(n)s people ask to be one", row.waiting)
        told = f"{told} · {asked % {'n': formats.number(row.waiting, lang)}}"
    return told


def own_sentence(found: OrganisationFound) -> str:
    """Say what the reader is in an organisation; empty for who is nothing in it."""
    if found.own is None:
        return ""
    words = {
        "applied": _("You have asked to be a member; the supervisor of the place decides."),
        "approved": _("You are a member."),
        "refused": _("Your membership was refused. You may ask again."),
        "ended": _("Your membership has ended. You may ask again."),
    }
    return words[found.own.state]


def history_view(entries: Sequence[HistoryRow]) -> tuple[Step, ...]:
    """Present what was done to an organisation."""
    lang, words = language(), event_words()
    return tuple(
        Step(words.get(entry.event, entry.event), formats.moment(timezone.localtime(entry.at), lang), entry.actor or "", entry.note)
        for entry in entries
    )  # fmt: skip


def event_words() -> dict[str, str]:
    """Return what was done to an organisation, as its history says it."""
    return {
        "apply": _("applied for"),
        "enter": _("entered"),
        "amend": _("amended"),
        "approve": pgettext("organisation", "approved"),
        "refuse": _("refused"),
        "suspend": _("suspended"),
        "restore": _("restored"),
    }


def happened_view(events: Sequence[MemberEvent]) -> tuple[tuple[str, Step], ...]:
    """Present what was done to members, with their names."""
    lang = language()
    words = {
        "apply": _("asked to be a member"),
        "approve": _("approved as a member"),
        "amend": _("places or contact changed"),
        "refuse": _("refused as a member"),
        "end": _("membership ended"),
    }
    return tuple(
        (one.person, Step(words.get(one.event, one.event), formats.moment(timezone.localtime(one.at), lang), one.actor, one.note))
        for one in events
    )  # fmt: skip


def done_sentence(event: str, count: int = 1) -> str:
    """Say that something was done to one organisation or several."""
    n = {"n": formats.number(count, language())}
    if event == "approve":
        return ngettext("%(n)s organisation is approved.", "%(n)s organisations are approved.", count) % n
    if event == "refuse":
        return ngettext("%(n)s organisation is refused.", "%(n)s organisations are refused.", count) % n
    words = {
        "suspend": _("The organisation is suspended; its members have no rights for it."),
        "restore": _("The organisation works again; its members have their rights back."),
        "join": _("You have asked to be a member. The supervisor of the place decides."),
        "leave": _("Your membership has ended."),
    }
    return words.get(event, "")


def members_done_sentence(event: str, count: int) -> str:
    """Say that something was done to members."""
    n = {"n": formats.number(count, language())}
    if event in ("approve", "enter"):
        return ngettext("%(n)s member is approved.", "%(n)s members are approved.", count) % n
    if event == "refuse":
        return ngettext("%(n)s person is refused.", "%(n)s people are refused.", count) % n
    if event == "end":
        return ngettext("%(n)s membership has ended.", "%(n)s memberships have ended.", count) % n
    return ngettext("%(n)s member is amended.", "%(n)s members are amended.", count) % n
