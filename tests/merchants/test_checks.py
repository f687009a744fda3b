"""A row is checked against all its CHECKs at once, and the refusal still says which one failed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from merchants.models import CommissionRule
from merchants.services import CommissionRuleInvalid
from merchants.services.checks import check_row
from tests.factories import CommissionRuleFactory

pytestmark = pytest.mark.django_db


def new_rule(**changes: int | None) -> CommissionRule:
    saved = CommissionRuleFactory()
    rule = CommissionRule.objects.get(pk=saved.pk)
    for name, value in changes.items():
        setattr(rule, name, value)
    return rule


def test_row_that_keeps_every_check_is_asked_about_once() -> None:
    rule = new_rule(cap_minor=None)  # the CHECK that the cap is above the floor comes to NULL

    with CaptureQueriesContext(connection) as asked:
        check_row(rule, CommissionRuleInvalid)

    assert len(rule._meta.constraints) > 3
    assert sum("SELECT" in query["sql"] for query in asked) == 1


def test_row_that_breaks_one_check_is_refused_in_the_words_of_that_one() -> None:
    rule = new_rule(floor_minor=5001, cap_minor=5000)

    with pytest.raises(CommissionRuleInvalid) as refused:
        check_row(rule, CommissionRuleInvalid)

    assert str(refused.value) == "The floor must not be above the cap."
