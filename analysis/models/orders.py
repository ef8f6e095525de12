"""Computations that somebody asked for and a worker does, from the question to the run that is kept of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analysis.models.runs import Run
from analysis.querysets import RunOrderQuerySet
from geo.models import Place


class RunOrder(models.Model):
    """One computation on its way: ``waiting`` → ``running`` → ``done``, or ``failed``, or ``cancelled`` from the first two."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being computed")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Run.Kind)
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="run_orders")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.CASCADE, related_name="+"
    )
    question = models.JSONField(_("question"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    step = models.CharField(max_length=40, blank=True, help_text=_("What the worker does at the moment."))
    done = models.PositiveIntegerField(default=0)
    of = models.PositiveIntegerField(default=0)
    problem = models.JSONField(_("problem"), default=dict, blank=True, help_text=_("Why it failed."))
    run = models.ForeignKey(
        Run, verbose_name=_("run"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    job = models.BigIntegerField(null=True, blank=True, editable=False, help_text=_("Of the queue."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = RunOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order of a run")
        verbose_name_plural = _("orders of runs")
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed", "cancelled"]),
                name="run_order_state_known",
            ),
        )
        indexes = (models.Index(fields=["city", "author", "-created_at"], name="run_order_of_author"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
