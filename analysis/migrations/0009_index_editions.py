"""Published indices: frozen with their method, codebook and result."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analysis', '0008_siting_and_form_runs'),
        ('geo', '0003_boundary_source_fa'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='IndexEdition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='The first of a city is 1.', verbose_name='number')),
                ('title_fa', models.CharField(max_length=300, verbose_name='Persian title')),
                ('title_en', models.CharField(max_length=300, verbose_name='English title')),
                ('note', models.TextField(blank=True, help_text='What is new since the edition before.', verbose_name='note')),
                ('question', models.JSONField(verbose_name='question')),
                ('codebook', models.JSONField(verbose_name='codebook')),
                ('document', models.JSONField(editable=False, verbose_name='document')),
                ('published_at', models.DateTimeField(verbose_name='published at')),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='withdrawn at')),
                ('withdrawn_reason', models.TextField(blank=True, verbose_name='reason of withdrawal')),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='index_editions', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('city', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='index_editions', to='geo.place', verbose_name='city')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='index_editions', to='analysis.run', verbose_name='run')),
                ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by')),
            ],
            options={
                'verbose_name': 'published index',
                'verbose_name_plural': 'published indices',
                'ordering': ('city', '-number'),
                'constraints': [models.UniqueConstraint(fields=('city', 'number'), name='index_edition_numbered_once'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='index_edition_number_positive'), models.CheckConstraint(condition=models.Q(models.Q(('title_fa', ''), _negated=True), models.Q(('title_en', ''), _negated=True)), name='index_edition_titled'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_reason', '')), models.Q(('withdrawn_at__isnull', False), models.Q(('withdrawn_reason', ''), _negated=True)), _connector='OR'), name='index_edition_withdrawn_with_reason')],
            },
        ),
    ]
