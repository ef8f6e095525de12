"""Editions of boundaries in time."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db.models import MultiLineStringField, MultiPolygonField
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from geo.core.crs import STORAGE_EPSG
from geo.db.fields import geometry_constraints
from geo.models.change_sets import ChangeSet
from geo.models.places import Place
from geo.querysets import BoundaryQuerySet


class Boundary(models.Model):
    """One edition of a place's boundary. Editions are never overwritten; at most one is approved at any moment."""

    class Status(models.TextChoices):
        """Where an edition stands; nothing is official until approved."""

        DRAFT = "draft", _("draft")
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Certainty(models.TextChoices):
        """How the boundary is known."""

        SURVEYED = "surveyed", _("surveyed")
        IMAGERY = "imagery", _("from imagery")
        WALKED = "walked", _("walked")
        MODELLED = "modelled", _("modelled")
        DISPUTED = "disputed", _("disputed")

    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="boundaries")
    geometry = MultiPolygonField(_("geometry"), srid=STORAGE_EPSG)
    valid = DateRangeField(
        _("valid"), help_text=_("From (included) to (excluded); an open end means until further notice.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    source = models.CharField(_("source"), max_length=300)
    source_fa = models.CharField(
        _("source in Persian"),
        max_length=300,
        blank=True,
        default="",
        help_text=_("Shown on Persian pages; the source where empty."),
    )
    certainty = models.CharField(_("certainty"), max_length=10, choices=Certainty, default=Certainty.MODELLED)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, null=True, blank=True
    )
    change_set = models.ForeignKey(
        ChangeSet,
        verbose_name=_("change set"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="boundaries",
    )
    version = models.PositiveIntegerField(_("version"), default=1)
    disputed = MultiLineStringField(
        _("disputed edges"), srid=STORAGE_EPSG, null=True, blank=True, help_text=_("Edges whose course is in dispute.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = BoundaryQuerySet.as_manager()

    class Meta:
        verbose_name = _("boundary edition")
        verbose_name_plural = _("boundary editions")
        ordering = ("place", "-valid")
        constraints = (
            *geometry_constraints("boundary"),
            models.CheckConstraint(condition=Q(valid__isempty=False), name="boundary_valid_time_not_empty"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "proposed", "approved", "withdrawn"]), name="boundary_status_known"
            ),
            ExclusionConstraint(
                name="boundary_one_approved_at_a_time",
                expressions=[
                    (OpClass(F("place"), "gist_int8_ops"), RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                condition=Q(status="approved"),
                violation_error_message=_("Another approved edition of this place is in force in that time."),
            ),
        )
        indexes = (models.Index(fields=["place", "status"], name="boundary_place_status"),)

    def __str__(self) -> str:
        return f"{self.place.code} v{self.version} ({self.status})"

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        return self.source if get_language() == "en" else self.source_fa or self.source
