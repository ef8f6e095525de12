"""Notices as sentences in the reader's language, with where each leads. Pure but for the clock of the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from geo.querysets import User
from interventions.core.reminders import Matter
from interventions.models import in_readers_language
from interventions.selectors.notices import NoticeRow, Subject, notices_of
from maps.pages import formats
from maps.pages.reader import language
from maps.rounds.presenters import left_text, moment_text

MOST_LETTERS: Final = 90
"""Of the text of a need or a title that stands in a sentence."""


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice as it is shown.

    Attributes
    ----------
    lines
        What is said below the sentence.
    address
        Where what it is about is found; empty where it is shown nowhere.
    """

    pk: int
    sentence: str
    lines: tuple[str, ...]
    address: str
    kind: str
    kind_name: str
    place: str
    when: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the first page's list of what waits: the same shape as the others there."""

    text: str
    address: str


def notice_view(row: NoticeRow, at: datetime) -> NoticeView:
    """Word a notice."""
    lang = language()
    sentence, lines = (
        _worded(row, at) if row.is_shown else (_("This is about something that you may not see any more."), ())
    )
    return NoticeView(
        pk=row.pk,
        sentence=sentence,
        lines=lines,
        address=_address(row) if row.is_shown else "",
        kind=row.kind,
        kind_name=str(_KINDS.get(row.kind, "")),
        place=row.place.name if row.place else "",
        when=formats.moment(timezone.localtime(row.at), lang),
        is_read=row.is_read,
    )


def page_title(unread: int) -> str:
    """Say how many are not read."""
    if not unread:
        return _("You have read every notice.")
    n = formats.number(unread, language())
    return ngettext("%(n)s notice that you have not read", "%(n)s notices that you have not read", unread) % {"n": n}


def count_text(unread: int, most: int) -> str:
    """Write how many are not read; of more than are counted, that there are more."""
    lang = language()
    return formats.number(unread, lang) if unread <= most else formats.number(most, lang) + "+"


def waiting(user: User, at: datetime, most: int = 3) -> list[Told]:
    """Return the latest notices that a signed-in reader has not read, for the list of what waits."""
    if not user.is_authenticated:
        return []
    views = [notice_view(row, at) for row in notices_of(user, unread=True, most=most) if row.is_shown]
    return [Told(view.sentence, view.address or reverse("notices")) for view in views]


_KINDS: Final[Mapping[str, Any]] = {
    "reminder": gettext_lazy("deadline"),
    "change": gettext_lazy("change"),
    "escalation": gettext_lazy("silence past a deadline"),
    "digest": gettext_lazy("digest"),
}

_CHANGES: Final[Mapping[str, Any]] = {
    "need.confirm": gettext_lazy("The need “%(title)s” was confirmed."),
    "need.merge": gettext_lazy("The need “%(title)s” was merged into “%(other)s”."),
    "need.reject": gettext_lazy("The need “%(title)s” was rejected."),
    "need.reopen": gettext_lazy("The need “%(title)s” was taken up again."),
    "proposal.return": gettext_lazy("The proposal “%(title)s” was returned for completion."),
    "proposal.accept": gettext_lazy("The proposal “%(title)s” was accepted."),
    "proposal.refuse": gettext_lazy("The proposal “%(title)s” was refused."),
    "proposal.reconsider": gettext_lazy("The proposal “%(title)s” was taken up again."),
    "assessment.ask": gettext_lazy("%(organisation)s is asked to assess the proposal “%(title)s”."),
    "assessment.supplement": gettext_lazy("A department asks for a supplement to the proposal “%(title)s”."),
    "overlap.proposal.proposal": gettext_lazy(
        "Another proposal, “%(title)s”, overlaps with your proposal “%(other)s”."
    ),
    "overlap.proposal.action": gettext_lazy("A new proposal, “%(title)s”, overlaps with your action “%(other)s”."),
    "overlap.action.proposal": gettext_lazy("A new action, “%(title)s”, overlaps with your proposal “%(other)s”."),
    "overlap.action.action": gettext_lazy("Another action, “%(title)s”, overlaps with your action “%(other)s”."),
    "overlap.same.proposal.proposal": gettext_lazy(
        "Another proposal, “%(title)s”, would do the same as your proposal “%(other)s”."
    ),
    "overlap.same.proposal.action": gettext_lazy(
        "A new proposal, “%(title)s”, would do the same as your action “%(other)s”."
    ),
    "overlap.same.action.proposal": gettext_lazy(
        "A new action, “%(title)s”, does the same as your proposal “%(other)s”."
    ),
    "overlap.same.action.action": gettext_lazy(
        "Another action, “%(title)s”, does the same as your action “%(other)s”."
    ),
}

_OWED: Final[Mapping[str, Any]] = {
    Matter.NEEDS: gettext_lazy("%(organisation)s has not reported any need in “%(round)s”."),
    Matter.PROPOSALS: gettext_lazy("%(organisation)s has handed in no proposal in “%(round)s”."),
    Matter.DRAFTS: ngettext_lazy(
        "%(n)s draft of %(organisation)s in “%(round)s” is not handed in.",
        "%(n)s drafts of %(organisation)s in “%(round)s” are not handed in.",
        "count",
    ),
    Matter.RETURNED: ngettext_lazy(
        "%(n)s proposal in “%(round)s” that was returned to %(organisation)s is to be completed.",
        "%(n)s proposals in “%(round)s” that were returned to %(organisation)s are to be completed.",
        "count",
    ),
    Matter.ASSESSMENTS: ngettext_lazy(
        "%(organisation)s is asked to assess %(n)s proposal in “%(round)s”.",
        "%(organisation)s is asked to assess %(n)s proposals in “%(round)s”.",
        "count",
    ),
    Matter.DECISIONS: ngettext_lazy(
        "%(n)s proposal in “%(round)s” waits for a decision.",
        "%(n)s proposals in “%(round)s” wait for a decision.",
        "count",
    ),
}

_SILENT: Final = ngettext_lazy(
    "%(organisation)s has not answered what it was asked about %(n)s proposal in “%(round)s”.",
    "%(organisation)s has not answered what it was asked about %(n)s proposals in “%(round)s”.",
    "count",
)

_CAME: Final[Mapping[str, Any]] = {
    "needs": ngettext_lazy("%(n)s need", "%(n)s needs", "count"),
    "proposals": ngettext_lazy("%(n)s proposal", "%(n)s proposals", "count"),
    "assessments": ngettext_lazy("%(n)s assessment", "%(n)s assessments", "count"),
    "reports": ngettext_lazy("%(n)s report of progress", "%(n)s reports of progress", "count"),
}

_LATE: Final[Mapping[str, Any]] = {
    Matter.NEEDS: ngettext_lazy("needs of %(n)s organisation", "needs of %(n)s organisations", "count"),
    Matter.PROPOSALS: ngettext_lazy("proposals of %(n)s organisation", "proposals of %(n)s organisations", "count"),
    Matter.DRAFTS: ngettext_lazy("%(n)s draft", "%(n)s drafts", "count"),
    Matter.RETURNED: ngettext_lazy("%(n)s returned proposal", "%(n)s returned proposals", "count"),
    Matter.ASSESSMENTS: ngettext_lazy("%(n)s assessment", "%(n)s assessments", "count"),
    Matter.DECISIONS: ngettext_lazy("%(n)s decision", "%(n)s decisions", "count"),
}

_WAITS: Final[Mapping[str, Any]] = {
    "needs": ngettext_lazy("%(n)s need to confirm", "%(n)s needs to confirm", "count"),
    "proposals": ngettext_lazy("%(n)s proposal to decide", "%(n)s proposals to decide", "count"),
    "organisations": ngettext_lazy("%(n)s organisation to approve", "%(n)s organisations to approve", "count"),
    "members": ngettext_lazy("%(n)s member to approve", "%(n)s members to approve", "count"),
}


def _worded(row: NoticeRow, at: datetime) -> tuple[str, tuple[str, ...]]:
    facts = row.facts
    if row.what == "digest":
        return _digest(row)
    if row.what.startswith("action."):
        return _actions(row), ()
    names = _names(row)
    if row.what == "owed" or row.what.startswith("silent."):
        form = _SILENT if row.what != "owed" else _OWED[facts["matter"]]
        due_at = datetime.fromisoformat(facts["due_at"])
        due = _("Due by %(moment)s (%(left)s).") % {"moment": moment_text(due_at), "left": left_text(due_at, at)}
        return str(form % names), (due,)
    key = f"{row.what}.{facts['subject']}.{facts['own']}" if "own" in facts else row.what
    return str(_CHANGES[key] % names), ()


def _names(row: NoticeRow) -> dict[str, Any]:
    lang, count = language(), int(row.facts.get("n", 1))
    titles = [_title(subject) for subject in row.subjects]
    return {
        "count": count,
        "n": formats.number(count, lang),
        "organisation": formats.isolated(row.organisation.name, lang) if row.organisation else "",
        "round": next((_title(subject) for subject in row.subjects if subject.kind == "round"), ""),
        "title": titles[0] if titles else "",
        "other": titles[1] if len(titles) > 1 else "",
    }


def _title(subject: Subject) -> str:
    text = " ".join(in_readers_language(subject.title_fa, subject.title_en).split())
    return f"\u2068{Truncator(text).chars(MOST_LETTERS)}\u2069"


def _actions(row: NoticeRow) -> str:
    names = _names(row) | {"day": formats.day(date.fromisoformat(row.facts["since"]), language())}
    if row.what == "action.late":
        if names["count"] == 1:
            return _("The action “%(title)s” of %(organisation)s should have ended on %(day)s.") % names
        return (
            ngettext(
                "%(n)s action of %(organisation)s should have ended on %(day)s, such as “%(title)s”.",
                "%(n)s actions of %(organisation)s should have ended on %(day)s, such as “%(title)s”.",
                names["count"],
            )
            % names
        )
    if names["count"] == 1:
        return _("Nobody has reported how far the action “%(title)s” of %(organisation)s is since %(day)s.") % names
    return (
        ngettext(
            "Nobody has reported how far %(n)s action of %(organisation)s is since %(day)s, such as “%(title)s”.",
            "Nobody has reported how far %(n)s actions of %(organisation)s are since %(day)s, such as “%(title)s”.",
            names["count"],
        )
        % names
    )


def _digest(row: NoticeRow) -> tuple[str, tuple[str, ...]]:
    lang, facts = language(), row.facts
    place = formats.isolated(row.place.name, lang) if row.place else ""
    since = moment_text(datetime.fromisoformat(facts["since"]))
    came = _listed(_CAME, facts["came"])
    newly = int(facts["newly_late"])
    parts = []
    if came:
        parts.append(
            _("%(place)s, since %(moment)s: %(things)s came in.") % {"place": place, "moment": since, "things": came}
        )
    if newly:
        late = ngettext("%(n)s duty has become late.", "%(n)s duties have become late.", newly) % {
            "n": formats.number(newly, lang)
        }
        parts.append(late if came else f"{place}: {late}")
    lines = [
        form % {"things": things}
        for form, things in (
            (_("Waiting for you: %(things)s."), _listed(_WAITS, facts["waits"])),
            (_("Late altogether: %(things)s."), _listed(_LATE, facts["late"])),
        )
        if things
    ]
    return " ".join(parts), tuple(lines)


def _listed(words: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    lang = language()
    return formats.listing(
        [
            str(form % {"count": counts[name], "n": formats.number(counts[name], lang)})
            for name, form in words.items()
            if counts.get(name)
        ],
        lang,
    )


def _address(row: NoticeRow) -> str:
    """Return where what a notice is about is found."""
    if not row.subjects:
        return ""
    first = row.subjects[0]
    if first.city is None:
        return reverse("network-part", args=[first.path])
    if row.what == "assessment.ask":
        return reverse("proposal", args=[first.city, first.pk]) + "#say-title"
    matter = row.facts.get("matter")
    if matter == Matter.DECISIONS:
        return reverse("decision", args=[first.city, first.pk])
    if matter in (Matter.DRAFTS, Matter.RETURNED, Matter.ASSESSMENTS):
        return reverse("proposals", args=[first.city]) + f"?round={first.pk}"
    if first.kind == "action" and int(row.facts.get("n", 1)) > 1:
        return reverse("actions", args=[first.city]) + ("?late=1#list" if row.what == "action.late" else "#list")
    return reverse(first.kind, args=[first.city, first.pk])


__all__ = ["NoticeView", "Told", "count_text", "notice_view", "page_title", "waiting"]
