"""Priority indices: indicators, weights, and how they are put together."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from analysis.models.indicators import Indicator
from analysis.models.runs import Run
from analysis.querysets import IndexEditionQuerySet, IndexQuerySet
from geo.models import Place
from layers.models import Named


class Index(Named):
    """A city's priority index: indicators, weights, and how they are put together."""

    class Normalisation(models.TextChoices):
        """How values become scores from 0 (no need) to 1 (worst)."""

        GOALPOST = "goalpost", _("fixed goalposts")
        MIN_MAX = "min-max", _("minimum to maximum of the city")

    class Aggregation(models.TextChoices):
        """How scores become one."""

        ARITHMETIC = "arithmetic", _("arithmetic mean: a good value fully makes up for a bad one")
        GEOMETRIC = "geometric", _("geometric mean: a bad value is only partly made up for")

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="indices")
    code = models.SlugField(_("code"), max_length=60, default="priority")
    normalisation = models.CharField(
        _("normalisation"), max_length=10, choices=Normalisation, default=Normalisation.GOALPOST
    )
    aggregation = models.CharField(_("aggregation"), max_length=10, choices=Aggregation, default=Aggregation.ARITHMETIC)
    cell_m = models.FloatField(_("grid cell (m)"), default=20, help_text=_("Side of a cell of the analysis grid."))

    objects = IndexQuerySet.as_manager()

    class Meta:
        verbose_name = _("priority index")
        verbose_name_plural = _("priority indices")
        ordering = ("city", "code")
        constraints = (
            models.UniqueConstraint(fields=["city", "code"], name="index_code_unique_in_city"),
            models.CheckConstraint(condition=Q(cell_m__gte=1) & Q(cell_m__lte=1000), name="index_cell_in_range"),
        )

    def __str__(self) -> str:
        return f"{self.city.code}/{self.code}"


class Weight(models.Model):
    """How much an indicator counts in an index; weights need not sum to one."""

    index = models.ForeignKey(Index, verbose_name=_("priority index"), on_delete=models.CASCADE, related_name="weights")
    indicator = models.ForeignKey(
        Indicator, verbose_name=_("indicator"), on_delete=models.PROTECT, related_name="weights"
    )
    value = models.FloatField(_("weight"), default=1)

    class Meta:
        verbose_name = _("weight")
        verbose_name_plural = _("weights")
        ordering = ("index", "indicator")
        constraints = (
            models.UniqueConstraint(fields=["index", "indicator"], name="weight_once_per_index"),
            models.CheckConstraint(condition=Q(value__gte=0) & Q(value__lte=1000), name="weight_in_range"),
        )

    def __str__(self) -> str:
        return f"{self.indicator.code}: {self.value:g}"


class IndexEdition(models.Model):
    """An index as it was published: its finding, all that is told of it, and how it was made. Never changed afterwards.

    ``document`` holds what everybody may be told (`analysis.indices.documents`): ranks and values with small counts withheld, the
    codebook's columns, the back-cast, what differs from the edition before. The run holds everything, for people with a role.
    """

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="index_editions")
    number = models.PositiveIntegerField(_("number"), help_text=_("The first of a city is 1."))
    title_fa = models.CharField(_("Persian title"), max_length=300)
    title_en = models.CharField(_("English title"), max_length=300)
    note = models.TextField(_("note"), blank=True, help_text=_("What is new since the edition before."))
    question = models.JSONField(_("question"))
    run = models.ForeignKey(Run, verbose_name=_("run"), on_delete=models.PROTECT, related_name="index_editions")
    codebook = models.JSONField(_("codebook"))
    document = models.JSONField(_("document"), editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="index_editions",
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
    withdrawn_reason = models.TextField(_("reason of withdrawal"), blank=True)

    objects = IndexEditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("published index")
        verbose_name_plural = _("published indices")
        ordering = ("city", "-number")
        constraints = (
            models.UniqueConstraint(fields=["city", "number"], name="index_edition_numbered_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="index_edition_number_positive"),
            models.CheckConstraint(condition=~Q(title_fa="") & ~Q(title_en=""), name="index_edition_titled"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_reason="")
                | Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason=""),
                name="index_edition_withdrawn_with_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.city.code} {self.number}"

    @property
    def title(self) -> str:
        """The title in the language of the reader."""
        return self.title_en if get_language() == "en" else self.title_fa
