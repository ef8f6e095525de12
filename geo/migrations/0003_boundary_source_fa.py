"""The source of a boundary in Persian."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("geo", "0002_workbench")]

    operations = [
        migrations.AddField(
            model_name="boundary",
            name="source_fa",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Shown on Persian pages; the source where empty.",
                max_length=300,
                verbose_name="source in Persian",
            ),
        ),
    ]
