from django.db import migrations

# The digest covers everything a reader sees plus the digest before it; the lock makes the order of ids the order of
# the chain. sha256() is built into PostgreSQL.
CHAIN = """
CREATE FUNCTION audit_entry_digest(e operations_auditentry) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(e.previous || convert_to(concat_ws(E'\\x1f', e.id, extract(epoch FROM e.at), e.actor_id, e.actor_name,
        e.action, e.subject, e.data::text, e.address), 'UTF8'))
$$;

CREATE FUNCTION audit_entry_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('operations_auditentry'));
    NEW.id := nextval(pg_get_serial_sequence('operations_auditentry', 'id'));
    NEW.previous := coalesce((SELECT digest FROM operations_auditentry ORDER BY id DESC LIMIT 1), ''::bytea);
    NEW.digest := audit_entry_digest(NEW);
    RETURN NEW;
END $$;

CREATE TRIGGER audit_entry_chain BEFORE INSERT ON operations_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_chain();

CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '审计日志只能追加，不能修改或删除';
END $$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON operations_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse();
"""

UNDO = """
DROP TRIGGER audit_entry_append_only ON operations_auditentry;
DROP FUNCTION audit_entry_refuse();
DROP TRIGGER audit_entry_chain ON operations_auditentry;
DROP FUNCTION audit_entry_chain();
DROP FUNCTION audit_entry_digest(operations_auditentry);
"""


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]
    operations = [migrations.RunSQL(CHAIN, UNDO)]
