"""What a page says when a step cannot be taken: what happened, and what to do about it, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from geo.errors import MahallehError
from geo.services import StaleEdit, TopologyRefused
from maps.pages import formats
from maps.pages.reader import language
from maps.problems import problem_of
from maps.reviews import sentences


@dataclass(frozen=True, slots=True)
class Refusal:
    """A step that was not taken.

    Attributes
    ----------
    status : int
        HTTP status of the answer.
    kind : str
        ``stale`` (somebody acted meanwhile), ``replaced`` (the ground changed), ``topology`` or ``other``.
    detail : str
        The service's own English words, where the page has none of its own.
    """

    status: int
    kind: str
    title: str
    advice: str
    detail: str = ""


def refusal_of(error: MahallehError, names: Mapping[str, str]) -> Refusal:
    """Word an error of a service for the reader.

    Parameters
    ----------
    error : MahallehError
        What the service raised; nothing was written.
    names : mapping
        Names of places by code.
    """
    lang = language()
    if isinstance(error, TopologyRefused):
        return _topology(error)
    if isinstance(error, StaleEdit) and error.conflicts:
        places = formats.listing([formats.isolated(names.get(c, c), lang) for c in sorted(error.conflicts)], lang)
        return Refusal(
            error.status,
            "replaced",
            _("The boundary of %(places)s has been replaced since this was drawn") % {"places": places},
            _(
                "Nothing was decided. Compare the two below; then return the change set, so that its author can draw on the newer boundary."
            ),
        )
    texts: dict[str, tuple[str, str, str]] = {
        "stale_version": (
            "stale",
            _("Somebody acted on this change set while you were looking at it"),
            _("Nothing of yours was lost: your comment is below. Look at what happened since, and decide again."),
        ),
        "wrong_status": (
            "stale",
            _("This step cannot be taken any more"),
            _("The change set has been decided or returned meanwhile. Your comment is kept below."),
        ),
        "no_comment": (
            "other",
            _("Say why it is returned"),
            _("Its author needs to know what is to be changed. Write it in the comment."),
        ),
        "own_change_set": (
            "other",
            _("You drew this change set yourself"),
            _("A change set is approved by a second person. Ask a colleague who has the right."),
        ),
        "not_your_place": (
            "other",
            _("You may not do this for all the places it touches"),
            _("Ask the administrator for a role there, or leave it to somebody who has one."),
        ),
        "too_early": (
            "other",
            _("It would take effect before the boundary it replaces"),
            _("Return the change set, and let it take effect on a later day."),
        ),
        "no_edits": (
            "other",
            _("That edition is the one in force already"),
            _("There is nothing to restore; choose another edition."),
        ),
        "nothing_to_undo": (
            "other",
            _("All of it has been undone already"),
            _("Its places have the boundaries that they had before it."),
        ),
        "not_approved": (
            "other",
            _("Only what was approved can be undone"),
            _("A draft or a proposal is withdrawn instead."),
        ),
        "too_long": ("other", _("The comment is too long"), _("Shorten it to 5000 characters.")),
        "bad_text": ("other", _("The comment has a character that cannot be stored"), _("Type it anew.")),
    }  # fmt: skip
    if error.code in texts:
        kind, title, advice = texts[error.code]
        return Refusal(error.status, kind, title, advice)
    said = problem_of(error)
    return Refusal(
        error.status,
        "other",
        _("This could not be done"),
        _("Nothing was changed. Your comment is kept below."),
        " ".join(filter(None, (said.get("place") or said.get("where"), said["title"], said.get("remedy")))),
    )


def _topology(error: TopologyRefused) -> Refusal:
    found: list[dict[str, Any]] = list(error.findings)
    worst = max(row["area_m2"] for row in found)
    title = ngettext(
        "It would open %(n)s gap or overlap of %(area)s",
        "It would open %(n)s gaps and overlaps, the largest of %(area)s",
        len(found),
    ) % {"n": formats.number(len(found), language()), "area": sentences.area(worst)}
    advice = _("Return it to be mended; or, where they are meant so, tick each in the list of tasks and approve again.")
    return Refusal(error.status, "topology", title, advice)
