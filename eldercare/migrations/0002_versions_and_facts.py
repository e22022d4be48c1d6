from django.db import migrations

# Every change of a fact takes the registry lock in shared mode and a fresh number from the version sequence. The month
# takes the lock alone while it reads a township, so a number at or below the one it notes was certainly seen.
VERSIONS = """
CREATE SEQUENCE eldercare_version;

CREATE FUNCTION eldercare_registry_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('eldercare_registry'));
    RETURN NULL;
END $$;

CREATE FUNCTION eldercare_take_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := nextval('eldercare_version');
    RETURN NEW;
END $$;

CREATE FUNCTION eldercare_circumstance_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE eldercare_elder SET version = version WHERE id IN (SELECT elder_id FROM gone);
    RETURN NULL;
END $$;

CREATE TRIGGER elder_lock BEFORE INSERT OR UPDATE OR DELETE ON eldercare_elder
    FOR EACH STATEMENT EXECUTE FUNCTION eldercare_registry_lock();
CREATE TRIGGER elder_version BEFORE INSERT OR UPDATE ON eldercare_elder
    FOR EACH ROW EXECUTE FUNCTION eldercare_take_version();
CREATE TRIGGER circumstance_lock BEFORE INSERT OR UPDATE OR DELETE ON eldercare_circumstance
    FOR EACH STATEMENT EXECUTE FUNCTION eldercare_registry_lock();
CREATE TRIGGER circumstance_version BEFORE INSERT OR UPDATE ON eldercare_circumstance
    FOR EACH ROW EXECUTE FUNCTION eldercare_take_version();
CREATE TRIGGER circumstance_gone AFTER DELETE ON eldercare_circumstance
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION eldercare_circumstance_gone();
"""

UNDO_VERSIONS = """
DROP TRIGGER circumstance_gone ON eldercare_circumstance;
DROP TRIGGER circumstance_version ON eldercare_circumstance;
DROP TRIGGER circumstance_lock ON eldercare_circumstance;
DROP TRIGGER elder_version ON eldercare_elder;
DROP TRIGGER elder_lock ON eldercare_elder;
DROP FUNCTION eldercare_circumstance_gone();
DROP FUNCTION eldercare_take_version();
DROP FUNCTION eldercare_registry_lock();
DROP SEQUENCE eldercare_version;
"""

FACTS = """
CREATE TABLE eldercare_monthlyfacts (
    month date NOT NULL,
    elder_id bigint NOT NULL,
    county_code varchar(12) NOT NULL,
    area_code varchar(12) NOT NULL,
    hukou_code varchar(12),
    residence_code varchar(12),
    rev_from integer NOT NULL,
    rev_to integer,
    death_date date,
    moved_out_date date,
    birth_date date NOT NULL,
    age smallint NOT NULL,
    ability_level smallint,
    disability_level smallint,
    opening boolean NOT NULL,
    closing boolean NOT NULL,
    hukou_here boolean NOT NULL,
    resident_here boolean NOT NULL,
    low_income_allowance boolean NOT NULL,
    low_income_marginal boolean NOT NULL,
    low_income boolean NOT NULL,
    long_term_care boolean NOT NULL,
    lives_alone boolean NOT NULL,
    empty_nest boolean NOT NULL,
    left_behind boolean NOT NULL,
    no_supporter boolean NOT NULL,
    regular_pension boolean NOT NULL,
    homeless boolean NOT NULL,
    dementia boolean NOT NULL,
    pension_in_pay boolean NOT NULL,
    care_insurance boolean NOT NULL,
    sex text NOT NULL,
    destitute text NOT NULL,
    self_care text,
    disability_type text NOT NULL,
    family_planning text NOT NULL,
    veteran_category text NOT NULL,
    institution text NOT NULL,
    pension text NOT NULL
) PARTITION BY LIST (month);
"""


class Migration(migrations.Migration):
    dependencies = [("eldercare", "0001_initial")]
    operations = [
        migrations.RunSQL(VERSIONS, UNDO_VERSIONS),
        migrations.RunSQL(FACTS, "DROP TABLE eldercare_monthlyfacts"),
    ]
