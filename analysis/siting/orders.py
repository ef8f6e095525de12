"""Plans that are asked for and computed by a worker: with progress, cancelled when nobody wants them any more."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from analysis.disclosure import may_analyse
from analysis.models import Run, RunOrder
from analysis.siting.asking import SitingQuestion, asked_from_json, asked_required, asked_to_json
from analysis.siting.candidates import layer_with_release
from analysis.siting.planning import siting_compute
from analysis.siting.records import siting_run
from analysis.tasks import SITE
from geo.errors import Conflict, Forbidden, LimitExceeded, MahallehError, NotFound
from geo.models import Place
from geo.querysets import User
from layers.services.uploads import QUEUE

logger = logging.getLogger("mahalleh")

MOST_OPEN: Final = 3
"""Plans that one person may have computed at once."""
LOST_AFTER_S: Final = 8.0

State = RunOrder.State
_OPEN: Final = (State.WAITING, State.RUNNING)


class NotWantedError(Exception):
    """Nobody waits for the plan any more."""


# ---- what people do


def may_site(city: Place, user: User) -> bool:
    """Tell whether a user may have plans computed for a city: planners and analysts may."""
    return may_analyse(city, user)


def maker_required(city: Place, user: User) -> None:
    """Refuse who may not have plans computed.

    Raises
    ------
    Forbidden
        With what to ask for.
    """
    if not may_site(city, user):
        raise Forbidden(
            f"You may not site facilities in {city.name_en}.",
            code="may_not_site",
            where=city.code,
            remedy="Ask the administrator for the role of a planner or an analyst there.",
            details={"city": city.name},
        )


def order_create(*, city: Place, author: Any, asked: SitingQuestion) -> RunOrder:
    """Have a plan computed.

    Raises
    ------
    Forbidden
        Where the author is neither planner nor analyst of the city.
    InvalidInput, NotFound
        Where a number is out of range, or there is no such layer.
    LimitExceeded
        Where the author waits for too many.
    """
    maker_required(city, author)
    asked_required(asked)
    if asked.candidates:
        layer_with_release(city, asked.candidates, author, ("point", "polygon"), "candidates")
    if asked.forbidden:
        layer_with_release(city, asked.forbidden, author, ("polygon",), "forbidden")
    open_ = sum(order_settled(one).state in _OPEN for one in RunOrder.objects.filter(author=author, state__in=_OPEN))
    if open_ >= MOST_OPEN:
        raise LimitExceeded(
            f"You wait for {open_} plans.",
            code="too_many_orders",
            remedy="Wait for one of them, or cancel it.",
            details={"n": open_},
        )
    order = RunOrder(kind=Run.Kind.SITING, city=city, author=author, question=asked_to_json(asked))
    with transaction.atomic():
        order.save(force_insert=True)
        # Somebody looks at the page, as with files that are examined.
        job = app.configure_task(SITE, queue=QUEUE, lock=f"order {order.pk}", priority=10).defer(order=str(order.pk))
        order.job = job
        RunOrder.objects.filter(pk=order.pk).update(job=job)
    return order


def order_get(key: UUID, city: Place, user: User) -> RunOrder:
    """Return a plan that is on its way.

    Raises
    ------
    NotFound
        Where there is none, or it is another's; they are not told apart.
    """
    found: RunOrder | None = (
        RunOrder.objects.visible_to(user).filter(pk=key, city=city, kind=Run.Kind.SITING).select_related("city").first()
    )
    if found is None:
        raise NotFound(
            "There is no such plan on its way, or you may not see it.",
            code="unknown_order",
            where="order",
            remedy="Choose one from the list of plans.",
        )
    return order_settled(found)


def order_settled(order: RunOrder) -> RunOrder:
    """Return an order as it stands; one whose job was lost has failed, so that nobody waits for ever."""
    if order.state in _OPEN and timezone.now() - order.updated_at > timedelta(seconds=LOST_AFTER_S):
        from procrastinate.contrib.django.models import ProcrastinateJob

        if not ProcrastinateJob.objects.filter(id=order.job or 0, status__in=("todo", "doing")).exists():
            _failed(order.pk, order.job, _broke_down())
            order.refresh_from_db()
    return order


def order_cancel(order: RunOrder) -> RunOrder:
    """Give up waiting for a plan; the worker stops at the next step. One that has ended stays as it is."""
    open_ = RunOrder.objects.filter(pk=order.pk, state__in=_OPEN)
    if open_.update(state=State.CANCELLED, updated_at=timezone.now()) and order.job is not None:
        app.job_manager.cancel_job_by_id(order.job)
    order.refresh_from_db()
    return order


# ---- what the worker does


def order_work(key: UUID, job: int) -> None:
    """Compute a plan that somebody waits for, and keep it as a run; nothing where nobody does."""
    mine = RunOrder.objects.filter(pk=key, job=job, state__in=_OPEN)
    if not mine.update(state=State.RUNNING, step="", done=0, of=0, updated_at=timezone.now()):
        return
    order = RunOrder.objects.select_related("city").get(pk=key)
    user = get_user_model().objects.get(pk=order.author_id)

    def tell(step: str, done: int, of: int) -> None:
        if not mine.update(step=step, done=done, of=of, updated_at=timezone.now()):
            raise NotWantedError

    try:
        found = siting_compute(city=order.city, user=user, asked=asked_from_json(order.question), tell=tell)
        with transaction.atomic():
            run = siting_run(found, author=user)
            if not _ended(key, job, state=State.DONE, run=run):
                raise NotWantedError  # and the run is not kept
    except NotWantedError:
        return
    except MahallehError as error:
        _failed(key, job, error)
    except Exception:
        logger.exception("The plan %s could not be computed.", key)
        _failed(key, job, _broke_down())


def _ended(key: UUID, job: int | None, **values: Any) -> bool:
    mine = RunOrder.objects.filter(pk=key, job=job, state__in=_OPEN)
    return bool(mine.update(**values, step="", done=0, of=0, updated_at=timezone.now()))


def _failed(key: UUID, job: int | None, error: MahallehError) -> bool:
    details = {name: value for name, value in error.details.items() if isinstance(value, str | int | float)}
    return _ended(key, job, state=State.FAILED, problem=error.members() | {"details": details})


def _broke_down() -> MahallehError:
    return Conflict(
        "The program that computes plans broke down at this one.",
        code="broke_down",
        remedy="Try again; if it goes on, tell the administrator.",
    )


__all__ = [
    "MOST_OPEN",
    "maker_required",
    "may_site",
    "order_cancel",
    "order_create",
    "order_get",
    "order_settled",
    "order_work",
]  # fmt: skip
