"""Places, and who may do what where."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from geo.core.text import clean_name, normalise
from geo.querysets import AssignmentQuerySet, PlaceQuerySet

RESERVED_CODES = frozenset(
    {
        "accounts",
        "actions",
        "language",
        "healthz",
        "admin",
        "api",
        "as-of",
        "attachments",
        "blocks",
        "capacities",
        "councils",
        "coverage",
        "changed",
        "changes",
        "edit",
        "evidence",
        "history",
        "proposals",
        "i18n",
        "imports",
        "layers",
        "m",
        "network",
        "ogc",
        "organisations",
        "rounds",
        "needs",
        "notices",
        "static",
        "tiles",
        "publish",
        "places",
        "health",
        "about",
        "priority",
        "export",
    }
)


class Place(models.Model):
    """Anything with a name and a boundary, from a country down to a neighbourhood or an informal settlement."""

    class Kind(models.TextChoices):
        """What a place is; the values are ordered from the outermost inwards."""

        COUNTRY = "country", _("country")
        PROVINCE = "province", _("province")
        COUNTY = "county", _("county")
        CITY = "city", _("city")
        DISTRICT = "district", _("district")
        NEIGHBOURHOOD = "neighbourhood", _("neighbourhood")
        SETTLEMENT = "settlement", _("informal settlement")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    code = models.CharField(
        _("code"),
        max_length=80,
        validators=[
            RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", _("Use small Latin letters, digits and single hyphens."))
        ],
        help_text=_("Last part of the place's address; small Latin letters, digits and hyphens."),
    )
    parent = models.ForeignKey(
        "self", verbose_name=_("parent"), on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    path = models.CharField(_("path"), max_length=600, unique=True, editable=False)
    name_fa = models.CharField(_("Persian name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200)
    search_name = models.CharField(max_length=500, editable=False, db_index=True)
    is_published = models.BooleanField(
        _("published"), default=False, help_text=_("Seen by everybody, without an account.")
    )
    is_illustrative = models.BooleanField(
        _("illustrative"), default=False, help_text=_("Invented for demonstration; every page says so.")
    )
    zone = models.CharField(
        _("zone"),
        max_length=80,
        blank=True,
        help_text=_("Optional grouping given by the source, such as urban or rural."),
    )

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        ordering = ("path",)
        constraints = (
            models.UniqueConstraint(fields=["code"], condition=Q(kind="city"), name="place_city_code_unique"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["country", "province", "county", "city", "district", "neighbourhood", "settlement"]
                ),
                name="place_kind_known",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="place_not_its_own_parent"),
        )
        indexes = (models.Index(fields=["kind", "path"], name="place_kind_path"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the derived columns (path, search name) true, then save."""
        self.derive()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def derive(self) -> None:
        """Set the columns that follow from others: clean names, the search name, the path."""
        self.name_fa, self.name_en = clean_name(self.name_fa), clean_name(self.name_en)
        self.search_name = normalise(f"{self.name_fa} {self.name_en} {self.code}")[:500]
        self.path = f"{self.parent.path}/{self.code}" if self.parent else self.code

    def clean(self) -> None:
        """Refuse codes that addresses of the site use."""
        if self.code in RESERVED_CODES:
            raise ValidationError({"code": _("This word is part of the site's own addresses; choose another code.")})

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa


class Assignment(models.Model):
    """A role that a user has within the subtree of a place."""

    class Role(models.TextChoices):
        """What an assignment allows."""

        VIEWER = "viewer", _("viewer")
        REPORTER = "reporter", _("reporter")
        AGENCY = "agency", _("executive agency")
        ANALYST = "analyst", _("analyst")
        PLANNER = "planner", _("planner")
        SUPERVISOR = "supervisor", _("supervisor")
        ADMINISTRATOR = "administrator", _("administrator")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="assignments"
    )
    role = models.CharField(_("role"), max_length=16, choices=Role)
    place = models.ForeignKey(Place, verbose_name=_("place"), on_delete=models.CASCADE, related_name="assignments")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = (models.UniqueConstraint(fields=["user", "role", "place"], name="assignment_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.role} @ {self.place.code}"
