"""What was written stays: append-only tables, and payment lines that change only in what the bank says."""

from django.db import migrations

APPEND_ONLY = (
    "appropriation",
    "batchstep",
    "certification",
    "enrolmentevent",
    "ledgerentry",
    "recoveryentry",
    "recoveryline",
    "returnrow",
)
DO = (
    """
CREATE FUNCTION subsidies_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% 只能追加，不能修改或删除；更正请另记一条', TG_TABLE_NAME;
END $$;

CREATE FUNCTION subsidies_payment_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.batch_id, NEW.number, NEW.elder_id, NEW.item_id, NEW.item_version_id, NEW.month, NEW.kind, NEW.sequence,
        NEW.amount, NEW."offset", NEW.area_code, NEW.bank, NEW.holder, NEW.account_index, NEW.reissues_id)
       IS DISTINCT FROM
       (OLD.batch_id, OLD.number, OLD.elder_id, OLD.item_id, OLD.item_version_id, OLD.month, OLD.kind, OLD.sequence,
        OLD.amount, OLD."offset", OLD.area_code, OLD.bank, OLD.holder, OLD.account_index, OLD.reissues_id)
    THEN
        RAISE EXCEPTION '发放明细生成后不能改动，只有状态、原因和入账日期随银行结果变化';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_fixed BEFORE UPDATE ON subsidies_payment
    FOR EACH ROW EXECUTE FUNCTION subsidies_payment_fixed();

CREATE FUNCTION subsidies_payment_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM subsidies_batch WHERE id = OLD.batch_id) <> '草稿' THEN
        RAISE EXCEPTION '批次提交后，发放明细不能删除';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER payment_kept BEFORE DELETE ON subsidies_payment
    FOR EACH ROW EXECUTE FUNCTION subsidies_payment_kept();
"""
    + "".join(
        f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON subsidies_{table}
    FOR EACH ROW EXECUTE FUNCTION subsidies_append_only();"""
        for table in APPEND_ONLY
    )
)
UNDO = (
    "".join(f"\nDROP TRIGGER {table}_append_only ON subsidies_{table};" for table in APPEND_ONLY)
    + """
DROP TRIGGER payment_kept ON subsidies_payment;
DROP FUNCTION subsidies_payment_kept();
DROP TRIGGER payment_fixed ON subsidies_payment;
DROP FUNCTION subsidies_payment_fixed();
DROP FUNCTION subsidies_append_only();
"""
)


class Migration(migrations.Migration):

    dependencies = [("subsidies", "0005_payments")]

    operations = [migrations.RunSQL(DO, UNDO)]
