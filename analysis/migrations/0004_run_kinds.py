"""Runs of measures beside coverage."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0003_scenarios'),
    ]

    operations = [
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('coverage', 'coverage'), ('priority', 'priority'), ('overlay', 'overlay'), ('access', 'access with capacity'), ('land', 'land for each person'), ('equity', 'equity'), ('curves', 'curves of distances'), ('groups', 'groups of people'), ('utility', 'utility'), ('isochrone', 'isochrone')], max_length=10, verbose_name='kind'),
        ),
    ]
