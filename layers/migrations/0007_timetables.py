"""Where departures of public transport are told, and how they are classed."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("geo", "0003_boundary_source_fa"),
        ("layers", "0006_standards"),
    ]

    operations = [
        migrations.CreateModel(
            name="FrequencyClass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_fa", models.CharField(max_length=200, verbose_name="Persian name")),
                ("name_en", models.CharField(max_length=200, verbose_name="English name")),
                (
                    "source_fa",
                    models.CharField(
                        blank=True,
                        help_text="Shown on Persian pages; the source if empty.",
                        max_length=400,
                        verbose_name="source in Persian",
                    ),
                ),
                (
                    "departures_week",
                    models.FloatField(
                        help_text="0 for the lowest class: whoever reaches any.",
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="from (departures a week)",
                    ),
                ),
                ("source", models.CharField(max_length=400, verbose_name="source")),
                (
                    "is_verified",
                    models.BooleanField(
                        default=False,
                        help_text="Checked against the official text by somebody with the right.",
                        verbose_name="verified",
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="frequency_classes",
                        to="geo.place",
                        verbose_name="city",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="frequency_classes",
                        to="layers.service",
                        verbose_name="service",
                    ),
                ),
            ],
            options={
                "verbose_name": "frequency class",
                "verbose_name_plural": "frequency classes",
                "ordering": ("service", "city", "departures_week"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("service", "city", "departures_week"), name="frequency_class_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("departures_week__gte", 0), ("departures_week__lte", 1000000)),
                        name="frequency_class_in_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Timetable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "line_field",
                    models.CharField(
                        blank=True,
                        help_text="Of the lines: the code by which stops name them.",
                        max_length=80,
                        verbose_name="field of the line",
                    ),
                ),
                (
                    "departures_field",
                    models.CharField(
                        help_text="Departures a week; of the lines, or of the stops without them.",
                        max_length=80,
                        verbose_name="field of departures",
                    ),
                ),
                (
                    "stop_field",
                    models.CharField(
                        blank=True,
                        help_text="Of the stops: the lines that stop there.",
                        max_length=80,
                        verbose_name="field of the stop",
                    ),
                ),
                (
                    "match_m",
                    models.FloatField(
                        blank=True,
                        help_text="Where stops name no lines: those that pass so near stop there.",
                        null=True,
                        verbose_name="match within (m)",
                    ),
                ),
                (
                    "city",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="timetables",
                        to="geo.place",
                        verbose_name="city",
                    ),
                ),
                (
                    "lines",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty where each stop tells its own departures.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="layers.layer",
                        verbose_name="lines",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="timetables",
                        to="layers.service",
                        verbose_name="service",
                    ),
                ),
            ],
            options={
                "verbose_name": "timetable",
                "verbose_name_plural": "timetables",
                "ordering": ("city", "service"),
                "constraints": [
                    models.UniqueConstraint(fields=("city", "service"), name="timetable_once_per_service_and_city"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("match_m__isnull", True),
                            models.Q(("match_m__gt", 0), ("match_m__lte", 500)),
                            _connector="OR",
                        ),
                        name="timetable_match_in_range",
                    ),
                ],
            },
        ),
    ]
