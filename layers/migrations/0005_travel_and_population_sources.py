import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Left


def codes_of_layers(apps, schema_editor):
    """A source that a city has already is its main one, under the code of its layer."""
    layer = apps.get_model('layers', 'Layer').objects.filter(pk=OuterRef('layer'))
    apps.get_model('layers', 'PopulationSource').objects.update(code=Left(Subquery(layer.values('code')), 60))


class Migration(migrations.Migration):

    dependencies = [
        ('layers', '0004_validity_once'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='populationsource',
            options={'ordering': ('city', '-is_main', 'code'), 'verbose_name': 'population source', 'verbose_name_plural': 'population sources'},
        ),
        migrations.AddField(
            model_name='populationsource',
            name='code',
            field=models.SlugField(default='', max_length=60, verbose_name='code'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='populationsource',
            name='is_main',
            field=models.BooleanField(default=True, help_text='The one that is taken where none is named.', verbose_name='main source'),
        ),
        migrations.AddField(
            model_name='populationsource',
            name='groups',
            field=models.JSONField(blank=True, default=dict, help_text='Code of a group of people to the field that counts it, such as {“women”: “pop_f”}.', verbose_name='fields of groups'),
        ),
        migrations.AddField(
            model_name='populationsource',
            name='name_fa',
            field=models.CharField(blank=True, help_text="The layer's if empty.", max_length=200, verbose_name='Persian name'),
        ),
        migrations.AddField(
            model_name='populationsource',
            name='name_en',
            field=models.CharField(blank=True, max_length=200, verbose_name='English name'),
        ),
        migrations.RunPython(codes_of_layers, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name='populationsource',
            name='city',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='population_sources', to='geo.place', verbose_name='city'),
        ),
        migrations.AddConstraint(
            model_name='populationsource',
            constraint=models.UniqueConstraint(fields=('city', 'code'), name='population_code_unique_in_city'),
        ),
        migrations.AddConstraint(
            model_name='populationsource',
            constraint=models.UniqueConstraint(condition=models.Q(('is_main', True)), fields=('city',), name='population_one_main_in_city'),
        ),
        migrations.CreateModel(
            name='TravelData',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('city', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='travel_data', to='geo.place', verbose_name='city')),
                ('way', models.CharField(choices=[('straight', 'in a straight line'), ('streets', 'along streets'), ('walking', 'on foot, by slope and stairs'), ('cycling', 'by bicycle'), ('surface', 'on foot, over the surface of the land')], default='straight', help_text='Taken where none is named.', max_length=10, verbose_name='way of travel')),
                ('roads', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='layers.layer', verbose_name='streets')),
                ('has_osm_tags', models.BooleanField(default=False, help_text="The fields of the streets are OpenStreetMap's tags.", verbose_name='OpenStreetMap tags')),
                ('road_fields', models.JSONField(blank=True, default=dict, help_text='class, oneway, stairs, bridge, tunnel, level, speed → the field that tells it.', verbose_name='fields of the streets')),
                ('closed_classes', models.JSONField(blank=True, default=list, help_text='Such as [“motorway”].', verbose_name='classes closed to people on foot')),
                ('cycling_kmh', models.JSONField(blank=True, default=dict, help_text='By class of street; 0 is closed.', verbose_name='speeds of bicycles (km/h)')),
                ('is_cut_at_crossings', models.BooleanField(default=False, help_text='For streets that were not drawn as a network.', verbose_name='cut where they cross')),
                ('snap_m', models.FloatField(default=0.0, help_text='Ends nearer to each other than this are one junction.', verbose_name='join ends (m)')),
                ('elevation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='layers.layer', verbose_name='elevation')),
                ('land_cover', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='layers.layer', verbose_name='land cover')),
                ('land_cover_kmh', models.JSONField(blank=True, default=dict, help_text='By class; 0 is a barrier; “other” for what is not named and where nothing is known.', verbose_name='speeds over land cover (km/h)')),
            ],
            options={
                'verbose_name': 'data for travel',
                'verbose_name_plural': 'data for travel',
                'constraints': [models.CheckConstraint(condition=models.Q(('snap_m__gte', 0), ('snap_m__lte', 100)), name='travel_snap_in_range')],
            },
        ),
    ]
