import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


APPEND_ONLY = """
CREATE FUNCTION visits_visit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '探访记录只能追加，不能修改或删除；更正请另记一条并指明原记录';
END $$;

CREATE TRIGGER visit_append_only BEFORE UPDATE OR DELETE ON visits_visit
    FOR EACH ROW EXECUTE FUNCTION visits_visit_refuse();
"""

UNDO = """
DROP TRIGGER visit_append_only ON visits_visit;
DROP FUNCTION visits_visit_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_initial'),
        ('eldercare', '0001_initial'),
        ('visits', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='obligation',
            name='obligation_once',
        ),
        migrations.RemoveIndex(
            model_name='obligation',
            name='obligation_area',
        ),
        migrations.AddField(
            model_name='obligation',
            name='in_institution',
            field=models.BooleanField(default=False, verbose_name='期初在机构'),
        ),
        migrations.AlterField(
            model_name='obligation',
            name='elder',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='obligations', to='eldercare.elder', verbose_name='老年人'),
        ),
        migrations.AlterField(
            model_name='obligation',
            name='tier',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.visittier', verbose_name='层级'),
        ),
        migrations.AlterField(
            model_name='visit',
            name='elder',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='eldercare.elder', verbose_name='老年人'),
        ),
        migrations.AddIndex(
            model_name='obligation',
            index=models.Index(models.F('month'), django.contrib.postgres.indexes.OpClass(models.F('area_code'), 'varchar_pattern_ops'), name='obligation_area'),
        ),
        migrations.AddIndex(
            model_name='visit',
            index=models.Index(models.F('elder'), models.F('at'), name='visit_elder'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.UniqueConstraint(fields=('elder', 'month', 'county_code'), name='obligation_once'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('exempt_from', None), ('exempt_reason', '')), models.Q(('exempt_from__isnull', False), ('met', False), models.Q(('exempt_reason', ''), _negated=True)), _connector='OR'), name='obligation_exempt_or_met', violation_error_message='已达标的任务不能免访，免访须有起始日期和原因'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.CheckConstraint(condition=models.Q(('corrects', models.F('id')), _negated=True), name='visit_corrects_another'),
        ),
        migrations.RunSQL(APPEND_ONLY, UNDO),
    ]
