"""Runs of all cities of a country."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0004_run_kinds'),
        ('geo', '0003_boundary_source_fa'),
    ]

    operations = [
        migrations.CreateModel(
            name='NationalRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('question', models.JSONField(blank=True, default=dict, help_text="What is asked otherwise than by each city's own standards.", verbose_name='question')),
                ('code_version', models.CharField(max_length=60, verbose_name='code version')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('country', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='national_runs', to='geo.place', verbose_name='country')),
            ],
            options={
                'verbose_name': 'national run',
                'verbose_name_plural': 'national runs',
                'ordering': ('-created_at', '-id'),
            },
        ),
        migrations.CreateModel(
            name='NationalCity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('input_key', models.CharField(blank=True, editable=False, max_length=64)),
                ('totals', models.JSONField(blank=True, default=dict, verbose_name='totals')),
                ('problem', models.JSONField(blank=True, default=dict, verbose_name='problem')),
                ('people', models.FloatField(default=0, verbose_name='people')),
                ('places', models.PositiveIntegerField(default=0, verbose_name='places')),
                ('cells', models.PositiveIntegerField(default=0, verbose_name='cells of the grid')),
                ('seconds', models.FloatField(default=0, verbose_name='seconds')),
                ('cpu_seconds', models.FloatField(default=0, verbose_name='seconds of a processor')),
                ('memory_mb', models.FloatField(default=0, verbose_name='memory (MB)')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='done at')),
                ('city', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='geo.place', verbose_name='city')),
                ('coverage', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='analysis.run', verbose_name='coverage')),
                ('priority', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='analysis.run', verbose_name='priority')),
                ('national', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cities', to='analysis.nationalrun', verbose_name='national run')),
            ],
            options={
                'verbose_name': 'city of a national run',
                'verbose_name_plural': 'cities of national runs',
                'ordering': ('national', 'city__path'),
                'constraints': [models.UniqueConstraint(fields=('national', 'city'), name='national_city_once'), models.CheckConstraint(condition=models.Q(models.Q(('coverage__isnull', True), ('priority__isnull', True)), ('problem', {}), _connector='OR'), name='national_city_answered_or_not')],
            },
        ),
    ]
