"""Runs of siting and of settlement form."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0007_registry'),
    ]

    operations = [
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('coverage', 'coverage'), ('priority', 'priority'), ('overlay', 'overlay'), ('access', 'access with capacity'), ('land', 'land for each person'), ('equity', 'equity'), ('curves', 'curves of distances'), ('groups', 'groups of people'), ('utility', 'utility'), ('frequency', 'frequency of public transport'), ('isochrone', 'isochrone'), ('index', 'index of priority'), ('siting', 'siting'), ('blocks', 'settlement form')], max_length=10, verbose_name='kind'),
        ),
    ]
