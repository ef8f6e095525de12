"""What a city uses its layers for: to provide services, to tell how often they run, and to count its people."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from layers.models.catalogue import Layer
from layers.models.taxonomy import Service
from layers.querysets import OfCityQuerySet


class Supply(models.Model):
    """Which features of a city's layer provide a service."""

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="supplies")
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="supplies")
    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.PROTECT, related_name="supplies")
    where = models.JSONField(
        _("only where"),
        default=dict,
        blank=True,
        help_text=_("Attribute values a feature must have, such as {“atencao”: “Sim”}."),
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("supply")
        verbose_name_plural = _("supplies")
        ordering = ("city", "service")
        constraints = (models.UniqueConstraint(fields=["city", "service"], name="supply_once_per_service_and_city"),)

    def __str__(self) -> str:
        return f"{self.city.code}: {self.service.code} ← {self.layer.code}"


class Timetable(models.Model):
    """Where departures a week of a service are told, and how its stops find their lines.

    Either a layer has the lines, each with its departures; then a stop names the lines that stop there (``stop_field``), or
    those that pass within ``match_m`` of it do. Or each stop tells its own departures, without lines.
    """

    MOST_MATCH_M: Final = 500.0
    """A line further away than this does not stop there."""

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="timetables")
    service = models.ForeignKey(Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="timetables")
    lines = models.ForeignKey(
        Layer,
        verbose_name=_("lines"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty where each stop tells its own departures."),
    )
    line_field = models.CharField(
        _("field of the line"),
        max_length=80,
        blank=True,
        help_text=_("Of the lines: the code by which stops name them."),
    )
    departures_field = models.CharField(
        _("field of departures"),
        max_length=80,
        help_text=_("Departures a week; of the lines, or of the stops without them."),
    )
    stop_field = models.CharField(
        _("field of the stop"), max_length=80, blank=True, help_text=_("Of the stops: the lines that stop there.")
    )
    match_m = models.FloatField(
        _("match within (m)"),
        null=True,
        blank=True,
        help_text=_("Where stops name no lines: those that pass so near stop there."),
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("timetable")
        verbose_name_plural = _("timetables")
        ordering = ("city", "service")
        constraints = (
            models.UniqueConstraint(fields=["city", "service"], name="timetable_once_per_service_and_city"),
            models.CheckConstraint(
                condition=models.Q(match_m__isnull=True) | (models.Q(match_m__gt=0) & models.Q(match_m__lte=500)),
                name="timetable_match_in_range",
            ),
        )

    def __str__(self) -> str:
        return f"{self.city.code}: {self.service.code} ← {self.lines.code if self.lines else self.departures_field}"

    def clean(self) -> None:
        """Refuse what a form lets through: lines that no stop can find, and stops that look for lines there are none of."""
        if self.lines is None and (self.line_field or self.stop_field or self.match_m is not None):
            raise ValidationError({"lines": _("Name the layer of the lines.")})
        if self.lines is not None and bool(self.stop_field) == (self.match_m is not None):
            raise ValidationError(
                {"stop_field": _("Say either in which field stops name their lines, or how near these pass.")}
            )
        if self.stop_field and not self.line_field:
            raise ValidationError({"line_field": _("Name the field by which stops name the lines.")})


class PopulationSource(models.Model):
    """Where a city's people are counted: a raster, or polygons with a field of people.

    A city may have several, which are shown beside each other; what is not asked of another is answered by the main one.
    Names, source and date of the numbers are those of the layer where none are given.
    """

    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="population_sources")
    code = models.SlugField(_("code"), max_length=60)
    is_main = models.BooleanField(
        _("main source"), default=True, help_text=_("The one that is taken where none is named.")
    )
    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.PROTECT, related_name="+")
    field = models.CharField(
        _("field"), max_length=80, blank=True, help_text=_("Empty for a raster of people per pixel.")
    )
    groups = models.JSONField(
        _("fields of groups"),
        default=dict,
        blank=True,
        help_text=_("Code of a group of people to the field that counts it, such as {“women”: “pop_f”}."),
    )
    name_fa = models.CharField(_("Persian name"), max_length=200, blank=True, help_text=_("The layer's if empty."))
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    source = models.CharField(
        _("source"), max_length=400, blank=True, help_text=_("Of the numbers; the layer's if empty.")
    )
    source_fa = models.CharField(_("source in Persian"), max_length=400, blank=True)
    reference_date = models.DateField(
        _("reference date"), null=True, blank=True, help_text=_("The day the numbers describe; the layer's if empty.")
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("population source")
        verbose_name_plural = _("population sources")
        ordering = ("city", "-is_main", "code")
        constraints = (
            models.UniqueConstraint(fields=["city", "code"], name="population_code_unique_in_city"),
            models.UniqueConstraint(
                fields=["city"], condition=models.Q(is_main=True), name="population_one_main_in_city"
            ),
        )

    def __str__(self) -> str:
        return f"{self.city.code}: {self.code}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Take the layer's code where none is given, then save."""
        self.code = self.code or self.layer.code[:60]
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class TravelData(models.Model):
    """What ways in a city are measured on: its streets, heights and land cover; whatever is missing leaves its ways of travel out."""

    class Way(models.TextChoices):
        """How people travel."""

        STRAIGHT = "straight", _("in a straight line")
        STREETS = "streets", _("along streets")
        WALKING = "walking", _("on foot, by slope and stairs")
        CYCLING = "cycling", _("by bicycle")
        SURFACE = "surface", _("on foot, over the surface of the land")

    ROAD_FIELDS: Final = ("class", "oneway", "stairs", "bridge", "tunnel", "level", "speed")
    """What a field of the streets may tell."""

    city = models.OneToOneField(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="travel_data")
    way = models.CharField(
        _("way of travel"), max_length=10, choices=Way, default=Way.STRAIGHT, help_text=_("Taken where none is named.")
    )
    roads = models.ForeignKey(
        Layer, verbose_name=_("streets"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    has_osm_tags = models.BooleanField(
        _("OpenStreetMap tags"), default=False, help_text=_("The fields of the streets are OpenStreetMap's tags.")
    )
    road_fields = models.JSONField(
        _("fields of the streets"),
        default=dict,
        blank=True,
        help_text=_("class, oneway, stairs, bridge, tunnel, level, speed → the field that tells it."),
    )
    closed_classes = models.JSONField(
        _("classes closed to people on foot"), default=list, blank=True, help_text=_("Such as [“motorway”].")
    )
    cycling_kmh = models.JSONField(
        _("speeds of bicycles (km/h)"), default=dict, blank=True, help_text=_("By class of street; 0 is closed.")
    )
    is_cut_at_crossings = models.BooleanField(
        _("cut where they cross"), default=False, help_text=_("For streets that were not drawn as a network.")
    )
    snap_m = models.FloatField(
        _("join ends (m)"), default=0.0, help_text=_("Ends nearer to each other than this are one junction.")
    )
    elevation = models.ForeignKey(
        Layer, verbose_name=_("elevation"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    land_cover = models.ForeignKey(
        Layer, verbose_name=_("land cover"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    land_cover_kmh = models.JSONField(
        _("speeds over land cover (km/h)"),
        default=dict,
        blank=True,
        help_text=_("By class; 0 is a barrier; “other” for what is not named and where nothing is known."),
    )

    objects = OfCityQuerySet.as_manager()

    class Meta:
        verbose_name = _("data for travel")
        verbose_name_plural = _("data for travel")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(snap_m__gte=0) & models.Q(snap_m__lte=100), name="travel_snap_in_range"
            ),
        )

    def __str__(self) -> str:
        return f"{self.city.code}: {self.way}"

    def clean(self) -> None:
        """Refuse what a form lets through: fields that are no texts, and speeds that are no numbers from 0 to 200."""
        told = self.road_fields
        if not isinstance(told, dict) or not all(k in self.ROAD_FIELDS and isinstance(v, str) for k, v in told.items()):
            raise ValidationError({"road_fields": _("Use %(names)s only.") % {"names": ", ".join(self.ROAD_FIELDS)}})
        if not isinstance(self.closed_classes, list) or not all(isinstance(name, str) for name in self.closed_classes):
            raise ValidationError({"closed_classes": _("Write a list of texts.")})
        for name in ("cycling_kmh", "land_cover_kmh"):
            speeds = getattr(self, name)
            if not isinstance(speeds, dict) or not all(_is_speed(speed) for speed in speeds.values()):
                raise ValidationError({name: _("Give each class a speed from 0 to 200 km/h.")})
        if not all(name == "other" or name.lstrip("-").isdecimal() for name in self.land_cover_kmh):
            raise ValidationError({"land_cover_kmh": _("Name classes by their numbers, or other.")})


def _is_speed(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 200
