"""Standards of land and capacity beside those of distance; of programmes; for cities of some size."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("geo", "0003_boundary_source_fa"),
        ("layers", "0005_travel_and_population_sources"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="standard", name="standard_once_per_service_and_city"),
        migrations.RemoveConstraint(model_name="standard", name="standard_threshold_in_range"),
        migrations.RenameField(model_name="standard", old_name="threshold_m", new_name="value"),
        migrations.AlterField(
            model_name="standard",
            name="value",
            field=models.FloatField(validators=[django.core.validators.MinValueValidator(0)], verbose_name="value"),
        ),
        migrations.AddField(
            model_name="standard",
            name="kind",
            field=models.CharField(
                choices=[
                    ("distance", "greatest distance (m)"),
                    ("land", "land for each person (m²)"),
                    ("capacity", "capacity for every 1,000 people"),
                ],
                default="distance",
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="standard",
            name="programme",
            field=models.SlugField(
                blank=True,
                help_text="Code of the programme that demands it; empty for none.",
                max_length=40,
                verbose_name="programme",
            ),
        ),
        migrations.AddField(
            model_name="standard",
            name="population_min",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="For cities of at least so many people.",
                null=True,
                verbose_name="cities from (people)",
            ),
        ),
        migrations.AddField(
            model_name="standard",
            name="population_max",
            field=models.PositiveIntegerField(
                blank=True, help_text="For cities of fewer people than this.", null=True, verbose_name="cities below (people)"
            ),
        ),
        migrations.AlterModelOptions(
            name="standard",
            options={
                "ordering": ("service", "kind", "city", "programme", "population_min"),
                "verbose_name": "standard",
                "verbose_name_plural": "standards",
            },
        ),
        migrations.AddConstraint(
            model_name="standard",
            constraint=models.UniqueConstraint(
                fields=("service", "kind", "city", "programme", "population_min", "population_max"),
                name="standard_once_per_service_and_city",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="standard",
            constraint=models.CheckConstraint(
                condition=models.Q(("value__gt", 0), ("value__lte", 100000)), name="standard_value_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="standard",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("population_min__isnull", True),
                    ("population_max__isnull", True),
                    ("population_min__lt", models.F("population_max")),
                    _connector="OR",
                ),
                name="standard_band_ordered",
            ),
        ),
        migrations.AddConstraint(
            model_name="standard",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["distance", "land", "capacity"])), name="standard_kind_known"
            ),
        ),
    ]
