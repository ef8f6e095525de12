"""The list of change sets as data: words and numbers written out for one reader. Reads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from geo.models import ChangeSet
from maps.pages import formats
from maps.pages.reader import language
from maps.reviews import sentences
from maps.reviews.forms import SHOWN, Listing
from maps.reviews.permissions import shown_name
from maps.reviews.selectors import Listed

_MOST_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One change set of the list."""

    number: int
    number_text: str
    title: str
    status: str
    status_text: str
    touches: str
    moves: str
    author: str
    when: str
    waits: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One choice of the list."""

    query: str
    text: str
    count_text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """A list of change sets."""

    rows: tuple[Row, ...]
    filters: tuple[Filter, ...]
    earlier: str
    later: str
    page_text: str


def list_view(listed: Listed, listing: Listing, *, has_account: bool) -> ListView:
    """Present a page of the list."""
    lang = language()
    words = {
        "open": _("Undecided"), "mine": _("Waiting for me"), "draft": _("Drafts"), "proposed": _("Proposed"),
        "returned": _("Returned"), "approved": _("Approved"), "withdrawn": _("Withdrawn"), "all": _("All"),
    }  # fmt: skip
    filters = tuple(
        Filter(
            listing.query(show=show),
            words[show],
            formats.number(listed.counts.get(show, 0), lang),
            show == listing.show,
        )
        for show in SHOWN
        if has_account or show != "mine"
    )
    page = min(listing.page, listed.pages)
    return ListView(
        rows=tuple(_row(each, listed.waiting.get(each.pk, [])) for each in listed.change_sets),
        filters=filters,
        earlier=listing.query(page=page - 1) if page > 1 else "",
        later=listing.query(page=page + 1) if page < listed.pages else "",
        page_text=_("page %(n)s of %(all)s")
        % {"n": formats.number(page, lang), "all": formats.number(listed.pages, lang)}
        if listed.pages > 1
        else "",
    )


def _row(change_set: ChangeSet, waiting: Sequence[str]) -> Row:
    lang = language()
    changes = list(change_set.changes.all())
    names = [formats.isolated(change.place.name, lang) for change in changes]
    rest = len(names) - _MOST_NAMES
    if rest > 1:
        more = ngettext("%(n)s other", "%(n)s others", rest) % {"n": formats.number(rest, lang)}
        names = [*names[:_MOST_NAMES], more]
    moved_m2 = max(sum(c.gained_m2 or 0 for c in changes), sum(c.lost_m2 or 0 for c in changes))
    people = max(sum(c.people_gained or 0 for c in changes), sum(c.people_lost or 0 for c in changes))
    return Row(
        number=change_set.pk,
        number_text=formats.number(change_set.pk, lang),
        title=sentences.title_of(change_set),
        status=change_set.status,
        status_text=str(change_set.get_status_display()),
        touches=formats.listing(names, lang),
        moves=sentences.ground(moved_m2, people, is_insider=True) if moved_m2 > sentences.NOTHING_M2 else "",
        author=shown_name(change_set.author) if change_set.author else "",
        when=sentences.moment(change_set.updated_at),
        waits=sentences.few(waiting),
    )
