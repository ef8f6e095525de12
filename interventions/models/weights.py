"""How much each indicator counts, as an institution sees it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from geo.models import Place
from interventions.core.transitions import WeightsState
from interventions.models.organisations import Organisation
from interventions.models.wording import MAX_TEXT, in_readers_language, lies_in
from interventions.querysets import WeightSetQuerySet


class WeightSet(models.Model):
    """Weights of the indicators of a city's index of priority, as an institution gives them."""

    class How(models.TextChoices):
        """How the institution came to its weights."""

        GIVEN = "given", pgettext_lazy("weights", "set one by one")
        ALLOCATION = "allocation", pgettext_lazy("weights", "100 points divided")
        PAIRWISE = "pairwise", pgettext_lazy("weights", "domains compared two at a time")

    organisation = models.ForeignKey(
        Organisation, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="weight_sets"
    )
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="weight_sets")
    name_fa = models.CharField(_("Persian name"), max_length=200, blank=True)
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    how = models.CharField(_("how weights were found"), max_length=10, choices=How)
    weights = models.JSONField(_("weights"), help_text=_("Weight above zero by code of indicator."))
    comparisons = models.JSONField(
        _("comparisons"),
        default=list,
        blank=True,
        help_text=_("Two domains each, and how many times as important the first one is."),
    )
    note = models.TextField(_("note"), validators=[MaxLengthValidator(MAX_TEXT)], blank=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    # People may leave and take their accounts along; what their institution said stays.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("saved by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    objects = WeightSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("set of weights")
        verbose_name_plural = _("sets of weights")
        ordering = ("city", "organisation", "id")
        constraints = (
            models.CheckConstraint(
                condition=~Q(name_fa="") | ~Q(name_en=""),
                name="weight_set_named",
                violation_error_message=_("Give the set a name, in Persian or in English."),
            ),
            models.CheckConstraint(
                condition=Q(how="pairwise") & ~Q(comparisons=[]) | Q(how__in=["given", "allocation"], comparisons=[]),
                name="weight_set_compared_by_pairs_alone",
                violation_error_message=_("Comparisons belong to weights found by comparing, and to no others."),
            ),
            models.CheckConstraint(
                condition=~Q(weights={}),
                name="weight_set_has_weights",
                violation_error_message=_("Give one indicator or more a weight above zero."),
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="weight_set_version_positive"),
        )
        indexes = (models.Index(fields=["city", "organisation"], name="weight_set_of_city"),)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the language of the reader, or in the other where it was not given in that."""
        return in_readers_language(self.name_fa, self.name_en)

    @property
    def state(self) -> str:
        """Where it stands in the table of its moves."""
        return (WeightsState.KEPT if self.archived_at is None else WeightsState.WITHDRAWN).value

    def clean(self) -> None:
        """Refuse an organisation that does not work in the city, and weights that are none."""
        if self.organisation_id and self.city_id and not _works_around(self.organisation, self.city):
            raise ValidationError({"organisation": _("This organisation does not work in this place.")})
        if not (isinstance(self.weights, dict) and self.weights and all(map(_is_weight, self.weights.values()))):
            raise ValidationError({"weights": _("Give one indicator or more a weight above zero.")})


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1000


def _works_around(organisation: Organisation, city: Place) -> bool:
    """Tell whether an organisation works in a city or in a part of it."""
    return organisation.works_in(city) or lies_in(organisation.place, city)
