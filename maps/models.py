"""Published maps: frozen results that anybody may open."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from analysis.models import Run
from geo.models import Place
from maps.querysets import PublicationQuerySet


class Publication(models.Model):
    """A result frozen as a public map: its pages, the data behind them, and how they came about.

    ``document`` holds all that is said on the map (`maps.published.document`), ``geojson`` the download with full outlines.
    Pages, document and download are heavy: leave out what is not needed (``HEAVY``).
    """

    HEAVY = ("page_fa", "page_en", "document", "geojson")

    class Measure(models.TextChoices):
        """What the map's colour shows."""

        COVERAGE = "coverage", _("people covered")
        UNCOVERED = "uncovered", _("people not covered")
        PRIORITY = "priority", _("priority")

    slug = models.SlugField(_("address"), max_length=80, unique=True)
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="publications")
    run = models.ForeignKey(Run, verbose_name=_("run"), on_delete=models.PROTECT, related_name="publications")
    measure = models.CharField(_("measure"), max_length=10, choices=Measure)
    service_code = models.CharField(_("service"), max_length=60, blank=True)
    title_fa = models.CharField(_("Persian title"), max_length=200)
    title_en = models.CharField(_("English title"), max_length=200)
    page_fa = models.TextField(editable=False)
    page_en = models.TextField(editable=False)
    document = models.JSONField(editable=False, default=dict)
    geojson = models.JSONField(editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="publications",
    )
    published_at = models.DateTimeField(_("published at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("withdrawn by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = PublicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("published map")
        verbose_name_plural = _("published maps")
        ordering = ("-published_at", "slug")
        constraints = (
            models.CheckConstraint(
                condition=Q(measure__in=["coverage", "uncovered", "priority"]), name="publication_measure_known"
            ),
            models.CheckConstraint(condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"), name="publication_slug_plain"),
            models.CheckConstraint(condition=~Q(title_fa="") & ~Q(title_en=""), name="publication_titled"),
        )

    def __str__(self) -> str:
        return self.slug

    @property
    def title(self) -> str:
        """The title in the language of the reader."""
        return self.title_en if get_language() == "en" else self.title_fa
