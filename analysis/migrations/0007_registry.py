"""One registry of indicators: those computed from coverage, and those whose values are brought by people."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def positions_take(apps, schema_editor):
    """Keep the order of indicators, which was that of their services."""
    indicators, services = apps.get_model('analysis', 'Indicator'), apps.get_model('layers', 'Service')
    position = services.objects.filter(pk=models.OuterRef('service')).values('position')
    indicators.objects.update(position=models.Subquery(position))


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0006_frequency_runs'),
        ('geo', '0003_boundary_source_fa'),
        ('layers', '0007_timetables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='IndicatorValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source_fa', models.CharField(blank=True, help_text='Shown on Persian pages; the source if empty.', max_length=400, verbose_name='source in Persian')),
                ('year_begins_on', models.DateField(verbose_name='first day of the year')),
                ('kind', models.CharField(choices=[('baseline', 'baseline'), ('target', 'target'), ('measured', 'measured')], max_length=8, verbose_name='kind')),
                ('value', models.FloatField(validators=[django.core.validators.MinValueValidator(-1000000000000.0), django.core.validators.MaxValueValidator(1000000000000.0)], verbose_name='value')),
                ('error', models.FloatField(blank=True, help_text='Empty where it is not known; 0 for a full count.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000000000.0)], verbose_name='standard error')),
                ('source', models.CharField(max_length=400, verbose_name='source')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='entered at')),
                ('replaced_at', models.DateTimeField(blank=True, help_text='When a corrected value took its place.', null=True, verbose_name='replaced at')),
            ],
            options={
                'verbose_name': 'value of an indicator',
                'verbose_name_plural': 'values of indicators',
                'ordering': ('place', 'indicator', 'year_begins_on', 'kind', 'id'),
            },
        ),
        migrations.AlterModelOptions(
            name='indicator',
            options={'ordering': ('position', 'code'), 'verbose_name': 'indicator', 'verbose_name_plural': 'indicators'},
        ),
        migrations.RemoveConstraint(
            model_name='indicator',
            name='indicator_goalposts_ordered',
        ),
        migrations.AddField(
            model_name='indicator',
            name='definition_en',
            field=models.TextField(blank=True, verbose_name='English definition'),
        ),
        migrations.AddField(
            model_name='indicator',
            name='definition_fa',
            field=models.TextField(blank=True, verbose_name='Persian definition'),
        ),
        migrations.AddField(
            model_name='indicator',
            name='domain',
            field=models.CharField(choices=[('social', 'social'), ('economic', 'economic'), ('cultural', 'cultural'), ('livelihood', 'livelihood'), ('welfare', 'welfare'), ('health', 'health'), ('infrastructure', 'infrastructure'), ('hazard', 'hazard')], default='infrastructure', max_length=16, verbose_name='domain'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='indicator',
            name='every_months',
            field=models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)], verbose_name='measured every (months)'),
        ),
        migrations.AddField(
            model_name='indicator',
            name='origin',
            field=models.CharField(choices=[('coverage', 'computed from coverage'), ('needs', 'counted from reported needs'), ('census', 'census'), ('survey', 'survey'), ('register', 'register of an institution'), ('raster', 'read from a map')], default='coverage', max_length=10, verbose_name='origin'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='indicator',
            name='position',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='position'),
        ),
        migrations.AlterField(
            model_name='indicator',
            name='goalpost_high',
            field=models.FloatField(blank=True, null=True, verbose_name='upper goalpost'),
        ),
        migrations.AlterField(
            model_name='indicator',
            name='goalpost_low',
            field=models.FloatField(blank=True, null=True, verbose_name='lower goalpost'),
        ),
        migrations.AlterField(
            model_name='indicator',
            name='measure',
            field=models.CharField(blank=True, choices=[('uncovered-share', 'share of people not covered'), ('mean-distance', 'mean distance')], max_length=20, verbose_name='measure'),
        ),
        migrations.AlterField(
            model_name='indicator',
            name='service',
            field=models.ForeignKey(blank=True, help_text='Of what is computed from coverage.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='indicators', to='layers.service', verbose_name='service'),
        ),
        migrations.RunPython(positions_take, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='indicator',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('goalpost_high__isnull', True), ('goalpost_low__isnull', True)), models.Q(('goalpost_low__isnull', False), ('goalpost_low__lt', models.F('goalpost_high'))), _connector='OR'), name='indicator_goalposts_ordered', violation_error_message='Give both goalposts, the lower one below the upper, or none.'),
        ),
        migrations.AddConstraint(
            model_name='indicator',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('measure__in', ['uncovered-share', 'mean-distance']), ('origin', 'coverage'), ('service__isnull', False)), models.Q(models.Q(('origin', 'coverage'), _negated=True), ('measure', ''), ('service__isnull', True)), _connector='OR'), name='indicator_of_coverage_names_service', violation_error_message='What is computed from coverage names a service and a measure; nothing else does.'),
        ),
        migrations.AddField(
            model_name='indicatorvalue',
            name='author',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author'),
        ),
        migrations.AddField(
            model_name='indicatorvalue',
            name='indicator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='values', to='analysis.indicator', verbose_name='indicator'),
        ),
        migrations.AddField(
            model_name='indicatorvalue',
            name='place',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='indicator_values', to='geo.place', verbose_name='place'),
        ),
        migrations.AddConstraint(
            model_name='indicatorvalue',
            constraint=models.UniqueConstraint(condition=models.Q(('replaced_at__isnull', True)), fields=('indicator', 'place', 'year_begins_on', 'kind'), name='indicator_value_once_in_force'),
        ),
        migrations.AddConstraint(
            model_name='indicatorvalue',
            constraint=models.CheckConstraint(condition=models.Q(('value__gte', -1000000000000.0), ('value__lte', 1000000000000.0), models.Q(('error__isnull', True), models.Q(('error__gte', 0), ('error__lte', 1000000000000.0)), _connector='OR')), name='indicator_value_in_range'),
        ),
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('coverage', 'coverage'), ('priority', 'priority'), ('overlay', 'overlay'), ('access', 'access with capacity'), ('land', 'land for each person'), ('equity', 'equity'), ('curves', 'curves of distances'), ('groups', 'groups of people'), ('utility', 'utility'), ('frequency', 'frequency of public transport'), ('isochrone', 'isochrone'), ('index', 'index of priority')], max_length=10, verbose_name='kind'),
        ),
    ]
