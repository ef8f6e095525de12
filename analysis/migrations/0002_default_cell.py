"""Cells of 20 m where a city's description says nothing else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="index",
            name="cell_m",
            field=models.FloatField(
                default=20, help_text="Side of a cell of the analysis grid.", verbose_name="grid cell (m)"
            ),
        ),
    ]
