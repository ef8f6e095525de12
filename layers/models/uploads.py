"""Files on their way in: what was brought, how it is to be read, how far it is; and attachments of features."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from geo.models import Place
from layers.models.catalogue import Layer, Release
from layers.querysets import AttachmentQuerySet, FieldMappingQuerySet, UploadQuerySet


class Upload(models.Model):
    """One file that somebody brought for a layer, from the moment it arrives to the release made of it.

    ``received`` → (``examining``) → ``examined`` → (``storing``) → ``stored``; ``failed`` and ``cancelled`` from any of them, and back
    to ``received`` when other options are chosen. The states in brackets are the worker's.
    """

    class State(models.TextChoices):
        """How far it is."""

        RECEIVED = "received", _("received")
        EXAMINING = "examining", _("being examined")
        EXAMINED = "examined", _("examined")
        STORING = "storing", _("being stored")
        STORED = "stored", _("stored")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    city = models.ForeignKey(Place, verbose_name=_("city"), on_delete=models.CASCADE, related_name="uploads")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.CASCADE, related_name="+"
    )
    layer = models.ForeignKey(
        Layer, verbose_name=_("layer"), on_delete=models.SET_NULL, null=True, blank=True, related_name="uploads"
    )
    new_layer = models.JSONField(
        _("new layer"),
        default=dict,
        blank=True,
        help_text=_("What the layer should be, where it is made by this upload."),
    )
    reference_date = models.DateField(_("reference date"), null=True, blank=True)
    file_name = models.CharField(_("file name"), max_length=255, help_text=_("As its owner calls it; never a path."))
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    options = models.JSONField(_("how to read it"), default=dict, blank=True)
    mapping = models.JSONField(_("mapping of fields"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    step = models.CharField(max_length=40, blank=True, help_text=_("What the worker does at the moment."))
    done = models.PositiveBigIntegerField(default=0)
    of = models.PositiveBigIntegerField(default=0)
    is_cancelling = models.BooleanField(default=False)
    report = models.JSONField(_("report"), default=dict, blank=True, help_text=_("What the examination found."))
    problem = models.JSONField(_("problem"), default=dict, blank=True, help_text=_("Why it failed."))
    release = models.ForeignKey(
        Release, verbose_name=_("release"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    job = models.BigIntegerField(null=True, blank=True, editable=False, help_text=_("Of the queue."))
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state="stored", release__isnull=False) | ~Q(state="stored"),
                name="upload_stored_has_release",
            ),
        )
        indexes = (models.Index(fields=["city", "-created_at"], name="upload_city_newest"),)

    def __str__(self) -> str:
        return f"{self.file_name} ({self.state})"


class FieldMapping(models.Model):
    """How an organisation's files of one shape are read into a layer: kept, so that the next file needs no work."""

    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.CASCADE, related_name="mappings")
    organisation = models.CharField(
        _("organisation"), max_length=80, blank=True, help_text=_("Code of the organisation; empty for everybody.")
    )
    columns = models.CharField(max_length=64, help_text=_("Fingerprint of the names of the file's columns."))
    mapping = models.JSONField(_("mapping of fields"), default=list)
    options = models.JSONField(_("how to read it"), default=dict, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = FieldMappingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mapping of fields")
        verbose_name_plural = _("mappings of fields")
        constraints = (
            models.UniqueConstraint(fields=["layer", "organisation", "columns"], name="mapping_once_per_shape"),
        )

    def __str__(self) -> str:
        return f"{self.layer}: {self.organisation or '*'}"


class Attachment(models.Model):
    """A photo or document about one feature of a layer, in whatever release it stands."""

    class Kind(models.TextChoices):
        """What it is."""

        PHOTO = "photo", _("photo")
        DOCUMENT = "document", _("document")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    layer = models.ForeignKey(Layer, verbose_name=_("layer"), on_delete=models.CASCADE, related_name="attachments")
    feature_key = models.CharField(
        _("feature"),
        max_length=200,
        help_text=_("Value of the layer's key field, or the row number where it has none."),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    title = models.CharField(_("title"), max_length=200, blank=True)
    file_name = models.CharField(_("file name"), max_length=255)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True, help_text=_("Kept only where that was asked for."))
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    is_public = models.BooleanField(_("public"), default=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("layer", "feature_key", "created_at")
        indexes = (models.Index(fields=["layer", "feature_key"], name="attachment_of_feature"),)

    def __str__(self) -> str:
        return self.title or self.file_name
