"""What changed: values of indicators in a place and year."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from interventions.querysets import OutcomeQuerySet
from layers.models import Named, Sourced
from layers.querysets import TaxonomyQuerySet


class OutcomeIndicator(Named):
    """A number that is measured in places to see what changed: its domain, unit and direction."""

    class Domain(models.TextChoices):
        """The seven domains of the national programme."""

        SOCIAL = "social", _("social")
        ECONOMIC = "economic", _("economic")
        CULTURAL = "cultural", _("cultural")
        LIVELIHOOD = "livelihood", _("livelihood")
        WELFARE = "welfare", _("welfare")
        HEALTH = "health", _("health")
        INFRASTRUCTURE = "infrastructure", _("infrastructure")

    class Direction(models.TextChoices):
        """Whether a higher value is worse or better."""

        MORE_IS_WORSE = "more-is-worse", _("more is worse")
        MORE_IS_BETTER = "more-is-better", _("more is better")

    code = models.SlugField(_("code"), max_length=80, unique=True)
    domain = models.CharField(_("domain"), max_length=16, choices=Domain)
    unit = models.CharField(_("unit"), max_length=20)
    direction = models.CharField(_("direction"), max_length=20, choices=Direction)
    definition_fa = models.TextField(_("Persian definition"), blank=True)
    definition_en = models.TextField(_("English definition"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = TaxonomyQuerySet.as_manager()

    class Meta:
        verbose_name = _("indicator of outcomes")
        verbose_name_plural = _("indicators of outcomes")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.name


class Outcome(Sourced):
    """A value of an indicator in a place and year: what it was before, what it should become, what it became."""

    class Kind(models.TextChoices):
        """Which of the three."""

        BASELINE = "baseline", _("baseline")
        TARGET = "target", _("target")
        MEASURED = "measured", _("measured")

    indicator = models.ForeignKey(
        OutcomeIndicator, verbose_name=_("indicator"), on_delete=models.PROTECT, related_name="outcomes"
    )
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.PROTECT, related_name="outcomes")
    # A year of the Iranian calendar begins in March: years are told by their first day.
    year_begins_on = models.DateField(_("first day of the year"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    value = models.FloatField(_("value"), validators=[MinValueValidator(-1e12), MaxValueValidator(1e12)])
    error = models.FloatField(
        _("standard error"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1e12)],
        help_text=_("Empty where it is not known; 0 for a full count."),
    )
    source = models.CharField(_("source"), max_length=400)
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now)
    replaced_at = models.DateTimeField(
        _("replaced at"), null=True, blank=True, help_text=_("When a corrected value took its place.")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = OutcomeQuerySet.as_manager()

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ("place", "indicator", "year_begins_on", "kind", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["indicator", "place", "year_begins_on", "kind"],
                condition=Q(replaced_at__isnull=True),
                name="outcome_once_in_force",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=-1e12, value__lte=1e12)
                & (Q(error__isnull=True) | Q(error__gte=0, error__lte=1e12)),
                name="outcome_in_range",
            ),
        )

    def __str__(self) -> str:
        return f"{self.indicator.code} @ {self.place.code}: {self.value:g}"
