from django.db import migrations

ENTITLEMENT = """
CREATE TABLE subsidies_entitlement (
    month date NOT NULL,
    elder_id bigint NOT NULL,
    item_id bigint NOT NULL,
    item_version_id bigint NOT NULL,
    winner_id bigint,
    rev_from integer NOT NULL,
    rev_to integer,
    amount numeric(12, 2),
    county_code varchar(12) NOT NULL,
    area_code varchar(12) NOT NULL,
    outcome varchar(4) NOT NULL
) PARTITION BY LIST (month);
"""


class Migration(migrations.Migration):
    dependencies = [("subsidies", "0001_initial")]
    operations = [migrations.RunSQL(ENTITLEMENT, "DROP TABLE subsidies_entitlement")]
