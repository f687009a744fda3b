"""The platform of a bank account is the platform of its seller, also for raw SQL."""

from django.db import migrations

FORWARD = """
ALTER TABLE merchants_bankaccount
    ADD CONSTRAINT bank_account_of_own_merchant
    FOREIGN KEY (platform_id, merchant_id) REFERENCES merchants_merchant (platform_id, id);
"""
BACKWARD = "ALTER TABLE merchants_bankaccount DROP CONSTRAINT bank_account_of_own_merchant;"


class Migration(migrations.Migration):
    dependencies = [("merchants", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
