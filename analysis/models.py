"""What is measured (indicators, indices), what was computed (runs), and what might be built (scenarios)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analysis.querysets import (
    IndexQuerySet,
    IndicatorQuerySet,
    NationalCityQuerySet,
    NationalRunQuerySet,
    RunQuerySet,
    ScenarioDraftQuerySet,
    ScenarioQuerySet,
)
from geo.models import Place
from layers.models import Named, Service


class Indicator(Named):
    """One number per place: what it is, its unit, and which values are good and bad."""

    class Measure(models.TextChoices):
        """How the indicator is computed from coverage."""

        UNCOVERED_SHARE = "uncovered-share", _("share of people not covered")
        MEAN_DISTANCE = "mean-distance", _("mean distance")

    class Direction(models.TextChoices):
        """Whether a higher value means more need or less."""

        MORE_IS_WORSE = "more-is-worse", _("more is worse")
        MORE_IS_BETTER = "more-is-better", _("more is better")

    code = models.SlugField(_("code"), max_length=80, unique=True)
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="indicators")
    measure = models.CharField(_("measure"), max_length=20, choices=Measure)
    unit = models.CharField(_("unit"), max_length=20)
    direction = models.CharField(_("direction"), max_length=20, choices=Direction, default=Direction.MORE_IS_WORSE)
    goalpost_low = models.FloatField(_("lower goalpost"))
    goalpost_high = models.FloatField(_("upper goalpost"))

    objects = IndicatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        ordering = ("service__position", "code")
        constraints = (
            models.CheckConstraint(
                condition=Q(goalpost_low__lt=F("goalpost_high")), name="indicator_goalposts_ordered"
            ),
        )

    def __str__(self) -> str:
        return self.name


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


class Run(models.Model):
    """One computation: what went in, how, and what came out. Never changed afterwards."""

    class Kind(models.TextChoices):
        """Which analysis."""

        COVERAGE = "coverage", _("coverage")
        PRIORITY = "priority", _("priority")
        OVERLAY = "overlay", _("overlay")
        ACCESS = "access", _("access with capacity")
        LAND = "land", _("land for each person")
        EQUITY = "equity", _("equity")
        CURVES = "curves", _("curves of distances")
        GROUPS = "groups", _("groups of people")
        UTILITY = "utility", _("utility")
        FREQUENCY = "frequency", _("frequency of public transport")
        ISOCHRONE = "isochrone", _("isochrone")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="runs")
    parameters = models.JSONField(_("parameters"))
    inputs = models.JSONField(_("inputs"), help_text=_("Boundary editions and layer releases used, with their hashes."))
    input_hash = models.CharField(max_length=64, db_index=True)
    code_version = models.CharField(_("code version"), max_length=60)
    seed = models.BigIntegerField(_("seed"), null=True, blank=True, help_text=_("Empty where nothing random is done."))
    warnings = models.JSONField(_("warnings"), default=list)
    result = models.JSONField(_("result"))
    duration_ms = models.FloatField(_("duration (ms)"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, null=True, blank=True
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.kind} {self.city.code} #{self.pk}"


class Scenario(models.Model):
    """What if: a question about a city with changes to its facilities and streets. The data themselves stay as they are."""

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="scenarios")
    name = models.CharField(_("name"), max_length=200)
    note = models.TextField(_("note"), blank=True)
    question = models.JSONField(_("question"), default=dict, blank=True)
    changes = models.JSONField(_("changes"), default=list, blank=True)
    releases = models.JSONField(
        _("releases"),
        default=dict,
        blank=True,
        help_text=_("What the layers changed held when it was saved, by service."),
    )
    version = models.PositiveIntegerField(_("version"), default=1)
    is_shared = models.BooleanField(
        _("shared"),
        default=False,
        help_text=_("Seen by everybody with a role in the city, and changed by planners and analysts."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, related_name="scenarios"
    )
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("saved by"), on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    saved_at = models.DateTimeField(_("saved at"), default=timezone.now)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        ordering = ("-saved_at", "-id")
        constraints = (
            models.CheckConstraint(condition=~Q(name=""), name="scenario_named"),
            models.CheckConstraint(condition=Q(version__gte=1), name="scenario_version_positive"),
        )
        indexes = (models.Index(fields=["city", "saved_at"], name="scenario_city_saved"),)

    def __str__(self) -> str:
        return self.name


class ScenarioDraft(models.Model):
    """What a person wanted to save of a scenario that somebody else had saved meanwhile: kept until it is saved or given up."""

    scenario = models.ForeignKey(Scenario, verbose_name=_("scenario"), on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="scenario_drafts"
    )
    based_on = models.PositiveIntegerField(_("based on version"))
    content = models.JSONField(_("content"))
    saved_at = models.DateTimeField(_("saved at"), auto_now=True)

    objects = ScenarioDraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft of a scenario")
        verbose_name_plural = _("drafts of scenarios")
        constraints = (models.UniqueConstraint(fields=["scenario", "user"], name="scenario_draft_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.scenario}"


class NationalRun(models.Model):
    """The same question asked of all cities of a country; the answers are runs of the cities. It may be broken off and gone on with."""

    country = models.ForeignKey(
        Place, verbose_name=_("country"), on_delete=models.PROTECT, related_name="national_runs"
    )
    question = models.JSONField(
        _("question"),
        default=dict,
        blank=True,
        help_text=_("What is asked otherwise than by each city's own standards."),
    )
    code_version = models.CharField(_("code version"), max_length=60)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = NationalRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("national run")
        verbose_name_plural = _("national runs")
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.country.code} #{self.pk}"


class NationalCity(models.Model):
    """A city of a national run: the runs that answer for it, or the problem, and what it took."""

    national = models.ForeignKey(
        NationalRun, verbose_name=_("national run"), on_delete=models.CASCADE, related_name="cities"
    )
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.PROTECT, related_name="+")
    input_key = models.CharField(max_length=64, blank=True, editable=False)
    coverage = models.ForeignKey(
        Run, verbose_name=_("coverage"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    priority = models.ForeignKey(
        Run, verbose_name=_("priority"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    totals = models.JSONField(_("totals"), default=dict, blank=True)
    problem = models.JSONField(_("problem"), default=dict, blank=True)
    people = models.FloatField(_("people"), default=0)
    places = models.PositiveIntegerField(_("places"), default=0)
    cells = models.PositiveIntegerField(_("cells of the grid"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    cpu_seconds = models.FloatField(_("seconds of a processor"), default=0)
    memory_mb = models.FloatField(_("memory (MB)"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = NationalCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("city of a national run")
        verbose_name_plural = _("cities of national runs")
        ordering = ("national", "city__path")
        constraints = (
            models.UniqueConstraint(fields=["national", "city"], name="national_city_once"),
            models.CheckConstraint(
                condition=Q(coverage__isnull=True, priority__isnull=True) | Q(problem={}),
                name="national_city_answered_or_not",
            ),
        )

    def __str__(self) -> str:
        return f"{self.national}: {self.city.code}"
