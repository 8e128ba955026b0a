from django.db import migrations

#: Lines go by age only, where the operator says so (`prune_audit`): the setting lives as long as its transaction.
OLD_LINES_MAY_GO = """
CREATE OR REPLACE FUNCTION teams_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < nullif(current_setting('atlas.audit_prune_before', true), '')::timestamptz THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit log is neither changed nor shortened.';
END $$;
"""
NONE_MAY = """
CREATE OR REPLACE FUNCTION teams_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is neither changed nor shortened.';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("teams", "0006_more_audit_verbs")]

    operations = [migrations.RunSQL(OLD_LINES_MAY_GO, NONE_MAY)]
