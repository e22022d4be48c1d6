"""What was said stays: findings, returns, steps of follow-ups and snapshots are only added to."""

from django.db import migrations

TABLES = {
    "finding": "探访发现",
    "visitreturn": "探访退回",
    "followupstep": "办理经过",
    "ratesnapshot": "探访率快照",
}

APPEND_ONLY = """
CREATE FUNCTION visits_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%只能追加，不能修改或删除', TG_ARGV[0];
END $$;
""" + "".join(f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON visits_{table}
    FOR EACH ROW EXECUTE FUNCTION visits_append_only('{name}');
""" for table, name in TABLES.items())

UNDO = "".join(f"DROP TRIGGER {table}_append_only ON visits_{table};\n" for table in TABLES) + (
    "DROP FUNCTION visits_append_only();"
)


class Migration(migrations.Migration):

    dependencies = [
        ('visits', '0003_phone_and_follow_up'),
    ]

    operations = [
        migrations.RunSQL(APPEND_ONLY, UNDO),
    ]
