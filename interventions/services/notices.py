"""What people are told: reminders, silence, digests, and changes of what concerns them. Each thing is told to each person once.

A notice holds numbers and codes, no words and no names: pages and mails word it in the reader's language, of what the reader may
see when it is read (`interventions.selectors.notices`). It never says who reported a need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.utils import timezone
from procrastinate.contrib.django import app

from geo.errors import Forbidden, InvalidInput
from geo.querysets import User, system_user
from interventions.core.overlap import Likeness
from interventions.core.reminders import (
    TEHRAN,
    TOLD_AT,
    Level,
    Matter,
    Owed,
    digest_span,
    escalations_due,
    reminders_due,
)
from interventions.core.transitions import STANDING_PROPOSALS
from interventions.models import Action, Assessment, LogEntry, MailChoice, Need, Notice, Proposal, Round
from interventions.selectors.overlapping import overlaps_with
from interventions.selectors.owing import actions_lagging, contacts_of, digest_of, owed_in, supervisors_of
from interventions.tasks import OVERLAPS
from layers.services.uploads import QUEUE

TOLD: Final = frozenset(
    {
        ("need", "confirm"),
        ("need", "merge"),
        ("need", "reject"),
        ("need", "reopen"),
        ("proposal", "return"),
        ("proposal", "accept"),
        ("proposal", "refuse"),
        ("proposal", "reconsider"),
        ("assessment", "ask"),
        ("assessment", "supplement"),
    }
)
"""Changes that those concerned are told of, by kind of record and event."""

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """How many notices of each kind a run has written."""

    reminders: int = 0
    escalations: int = 0
    digests: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return self.reminders + self.escalations + self.digests


def notices_write(at: datetime | None = None) -> Written:
    """Write all reminders, escalations and digests that are due, and return how many are new.

    It may be broken off at any point and done again: what was told is not told again, what was not is told then.
    """
    moment = at or timezone.now()
    written = Counter[str]()
    opened = (
        Round.objects.opened()
        .filter(opened_at__lte=moment)
        .select_related("place")
        .prefetch_related("phases")
        .order_by("place", "pk")
    )
    by_place: dict[int, list[Round]] = {}
    for round_ in opened:
        by_place.setdefault(round_.place_id, []).append(round_)
        _keep(_of_round(round_, moment), written)
    for rounds in by_place.values():
        _keep(_of_supervisors(rounds, moment), written)
    _keep(_of_actions(moment), written)
    return Written(written[Notice.Kind.REMINDER], written[Notice.Kind.ESCALATION], written[Notice.Kind.DIGEST])


def _keep(notices: Iterable[Notice], written: Counter[str]) -> None:
    """Store what was not told yet, and count it."""
    wanted = list(notices)
    keys = {notice.key for notice in wanted}
    known = set(Notice.objects.filter(key__in=keys).values_list("user_id", "key")) if keys else set()
    fresh = [notice for notice in wanted if (notice.user_id, notice.key) not in known]
    # Another run may be telling the same at this moment.
    Notice.objects.bulk_create(fresh, batch_size=_BATCH, ignore_conflicts=True)
    written.update(notice.kind for notice in fresh)


def _of_round(round_: Round, at: datetime) -> Iterable[Notice]:
    owed = owed_in(round_)
    due, silent = reminders_due(owed, at), escalations_due(owed, at)
    if not due and not silent:
        return
    contacts = contacts_of({one.organisation for one in owed})
    leaders, above = supervisors_of(round_.place)

    def told(kind: Notice.Kind, what: str, debt: Owed, key: str, people: Collection[int]) -> Iterable[Notice]:
        content = {
            "what": what,
            "round": debt.round,
            "organisation": debt.organisation or None,
            "matter": str(debt.matter),
            "n": debt.n,
            "due_at": debt.due_at.isoformat(),
        }
        for user in people:
            yield Notice(user_id=user, kind=kind, key=key, place_id=round_.place_id, content=content, created_at=at)

    for reminder in due:
        debt = reminder.owed
        people = leaders if debt.matter == Matter.DECISIONS else contacts.get(debt.organisation, ())
        yield from told(Notice.Kind.REMINDER, "owed", debt, reminder.key, people)
    by_level = {Level.SUPERVISOR: leaders, Level.ABOVE: above}
    for silence in silent:
        people = by_level.get(silence.level, contacts.get(silence.owed.organisation, ()))
        yield from told(Notice.Kind.ESCALATION, f"silent.{silence.level}", silence.owed, silence.key, people)


def _of_supervisors(rounds: list[Round], at: datetime) -> Iterable[Notice]:
    """Give the digest of a place for its supervisors; none where nothing is new since the last."""
    place = rounds[0].place
    leaders, _above = supervisors_of(place)
    if not leaders:
        return
    last = Notice.objects.filter(place=place, kind=Notice.Kind.DIGEST).order_by("-created_at", "-pk").first()
    last_until = datetime.fromisoformat(last.content["until"]) if last else None
    span = digest_span(last_until, at)
    if span is None and last is not None:
        # A run that was broken off may not have told everybody.
        told = Notice.objects.filter(key=last.key, user__in=leaders).values_list("user_id", flat=True)
        leaders = tuple(user for user in leaders if user not in set(told))
        span = (datetime.fromisoformat(last.content["since"]), datetime.fromisoformat(last.content["until"]))
    if span is None or not leaders:
        return
    since, until = span
    found = digest_of(place, rounds, since, until)
    if not found.has_news:
        return
    content = {
        "what": "digest",
        "round": rounds[0].pk,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "came": dict(found.came),
        "late": dict(found.late),
        "newly_late": found.newly_late,
        "waits": dict(found.waits),
    }
    key = f"digest:{place.pk}:{until.astimezone(TEHRAN).date()}"
    for user in leaders:
        yield Notice(user_id=user, kind=Notice.Kind.DIGEST, key=key, place_id=place.pk, content=content, created_at=at)


def _of_actions(at: datetime) -> Iterable[Notice]:
    """Give the reminders of actions past their end, and of those that nobody reports on."""
    morning = timedelta(hours=TOLD_AT.hour)
    found = list(actions_lagging((at.astimezone(TEHRAN) - morning).date()))
    contacts = contacts_of({one.organisation for one in found})
    for one in found:
        content = {
            "what": "action.silent" if one.months else "action.late",
            "organisation": one.organisation,
            "n": len(one.actions),
            "actions": list(one.actions[:20]),
            "since": one.since.isoformat(),
        }
        for user in contacts.get(one.organisation, ()):
            yield Notice(
                user_id=user,
                kind=Notice.Kind.REMINDER,
                key=one.key,
                place_id=one.place,
                content=content,
                created_at=at,
            )


# ---- changes


def change_tell(record: Model, entry: LogEntry) -> None:
    """Tell those concerned of a change, in the transaction that makes it; who made it is not told."""
    if (entry.subject, entry.event) not in TOLD:
        return
    subject: Any = record
    told_of, person = entry.organisation_id, None
    if isinstance(subject, Assessment):
        # An answer concerns who proposed it, a question the department.
        subject = subject.proposal
        if entry.event != "ask":
            told_of, person = subject.organisation_id, subject.author_id
    elif isinstance(subject, Need):
        person = subject.reporter_id
    elif isinstance(subject, Proposal):
        person = subject.author_id
    people = dict.fromkeys((*contacts_of({told_of or 0}).get(told_of or 0, ()), *([person] if person else ())))
    content: dict[str, Any] = {
        "what": f"{entry.subject}.{entry.event}",
        "subject": "need" if isinstance(subject, Need) else "proposal",
        "number": subject.pk,
        "organisation": told_of,
    }
    if isinstance(subject, Need) and subject.merged_into_id:
        content["into"] = subject.merged_into_id
    _tell(
        [user for user in people if user != entry.actor_id],
        subject,
        key=f"change:{entry.pk}",
        place=entry.place_id,
        content=content,
        at=entry.at,
    )


def overlaps_order(undertaking: Proposal | Action) -> None:
    """Have others told of a proposal or an action that does the like of theirs; in the transaction that makes it, so that none is forgotten."""
    kind = undertaking._meta.model_name
    app.configure_task(OVERLAPS, queue=QUEUE).defer(kind=kind, number=undertaking.pk)


def overlaps_tell(kind: str, number: int, *, at: datetime | None = None) -> int:
    """Tell the organisations whose proposals or actions do the like of one, and return how many people were told.

    Those that merely lie side by side are not worth a notice.

    Parameters
    ----------
    kind : {'proposal', 'action'}
        What the number is of.
    """
    own: Proposal | Action | None = (
        Proposal.objects.filter(pk=number, state__in=STANDING_PROPOSALS).select_related("round__place").first()
        if kind == "proposal"
        else Action.objects.running().filter(pk=number).select_related("place").first()
    )
    if own is None:
        return 0
    rows = [
        row
        for row in overlaps_with([own], system_user()).get(own.pk, ())  # type: ignore[arg-type]
        if row.likeness != Likeness.ADJACENT and row.first.organisation.code != row.second.organisation.code
    ]
    others: dict[tuple[bool, int], Any] = {
        (model is Action, other.pk): other
        for model in (Proposal, Action)
        for other in model._default_manager.filter(
            pk__in=[row.second.pk for row in rows if row.second.is_action == (model is Action)]
        )
    }
    contacts = contacts_of({other.organisation_id for other in others.values()})
    told = 0
    for row in rows:
        other = others.get((row.second.is_action, row.second.pk))
        if other is None:
            continue
        others_kind = "action" if row.second.is_action else "proposal"
        told += _tell(
            contacts.get(other.organisation_id, ()),
            own,
            other,
            key=f"overlap:{kind}:{own.pk}:{others_kind}:{other.pk}",
            place=own.place_id if isinstance(own, Action) else own.round.place_id,
            content={
                "what": "overlap.same" if row.likeness == Likeness.SAME else "overlap",
                "subject": kind,
                "number": own.pk,
                "organisation": other.organisation_id,
                "own": others_kind,
                "own_number": other.pk,
            },
            at=at or timezone.now(),
        )
    return told


def _tell(
    people: Collection[int], *records: Model, key: str, place: int, content: Mapping[str, Any], at: datetime
) -> int:
    """Write notices of a change for those who may see all that it is about."""
    notices = [
        Notice(
            user_id=user.pk,
            kind=Notice.Kind.CHANGE,
            key=key,
            place_id=place,
            content=dict(content),
            created_at=at,
        )
        for user in get_user_model().objects.filter(pk__in=people, is_active=True).order_by("pk")
        if all(type(record)._default_manager.visible_to(user).filter(pk=record.pk).exists() for record in records)  # type: ignore[attr-defined]
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return len(notices)


# ---- read, and by which way


def notices_read(*, user: User, number: int | None = None, until: int | None = None, at: datetime | None = None) -> int:
    """Mark a notice of one's own as read, or all of them, and return how many were not read before.

    Parameters
    ----------
    number : int, optional
        The notice; all where none is given.
    until : int, optional
        The last one that the person had before them: what came later stays unread.
    """
    mine = Notice.objects.visible_to(user).unread()
    if number is not None:
        mine = mine.filter(pk=number)
    if until is not None:
        mine = mine.filter(pk__lte=until)
    return int(mine.update(read_at=at or timezone.now()))


def mail_choose(*, user: User, language: str) -> MailChoice:
    """Choose whether to be told by e-mail too, and in which language.

    Raises
    ------
    Forbidden
        For who has no account.
    InvalidInput
        Where it is none of the choices.
    """
    if not (isinstance(user, AbstractBaseUser) and user.is_active):
        raise Forbidden("Notices are sent to people with an account.", code="no_account", remedy="Sign in.")
    if language not in MailChoice.Language.values:
        raise InvalidInput(
            f"{language[:10]!r} is no choice of e-mail.",
            code="bad_choice",
            where="language",
            remedy="Choose one of those offered.",
        )
    choice, _ = MailChoice.objects.update_or_create(user_id=user.pk, defaults={"language": language})
    return choice


__all__ = [
    "TOLD", "Written", "change_tell", "mail_choose", "notices_read", "notices_write", "overlaps_order", "overlaps_tell",
]  # fmt: skip
