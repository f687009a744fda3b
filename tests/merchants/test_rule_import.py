"""Why: a file of rules is added whole or not at all, and says line by line what is wrong."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from merchants import selectors, services
from merchants.models import CommissionPlan, CommissionRule, User
from merchants.rules import PartyShare, Tier
from merchants.services.rule_import import MAX_ROWS, RowError, RuleImport, errors_as_csv
from tests.factories import AT, CommissionPlanFactory, CommissionRuleFactory, MerchantFactory

pytestmark = pytest.mark.django_db
GOOD = "currency,rate_bps,category\nCNY,500,tea\nCNY,400,cups\n"


@pytest.fixture
def plan() -> CommissionPlan:
    return CommissionPlanFactory()


def read(plan: CommissionPlan, text: str, *, dry_run: bool = True) -> RuleImport:
    return services.import_rules(plan=plan, text=text, dry_run=dry_run, at=AT)


def found(plan: CommissionPlan, text: str) -> list[tuple[int, str, str]]:
    """Where the errors of a file are, and which; nothing of it was added."""
    tried = read(plan, text)
    assert tried.rules == ()
    with pytest.raises(services.CommissionImportInvalid) as refusal:
        read(plan, text, dry_run=False)
    assert refusal.value.code == "commission_import_invalid"
    places = [(each.line, each.column, each.code) for each in tried.errors]
    assert [tuple(each.values()) for each in refusal.value.facts["errors"]] == places
    return places


def test_file_is_added_whole_when_it_is_no_dry_run(plan: CommissionPlan) -> None:
    seller = MerchantFactory(platform=plan.platform, reference="garden")
    party = services.create_party(platform=plan.platform, reference="c", name="Carrier", at=AT)
    text = (
        "\ufeffrate_bps,currency,merchant,channel,min_order_minor,fixed_minor,floor_minor,cap_minor,"
        "base,tax_bps,parties,tiers,priority,effective_from,effective_to\n"
        f"500,CNY,garden,wechat,10001,7,100,5000,GOODS_AND_SHIPPING,600,{party.pk} 250 9,"
        '"100000 400; 500000 300",-2,2027-01-01T00:00:00+08:00,2028-01-01T00:00:00Z\n'
        f"300,CNY,{seller.pk},,,,,,,,,,,,\n"
    )

    tried = read(plan, text)
    assert (len(tried.rules), tried.errors, tried.applied) == (2, (), False)
    assert not CommissionRule.objects.exists()
    done = read(plan, text, dry_run=False)

    assert done.applied
    first, second = (
        selectors.snapshot(each) for each in CommissionRule.objects.order_by("rate_bps")
    )
    assert (first.rate_bps, first.merchant_id, first.effective_from) == (300, seller.pk, AT)
    assert (second.merchant_id, second.channel, second.priority) == (seller.pk, "wechat", -2)
    assert (second.fixed_minor, second.floor_minor, second.cap_minor) == (7, 100, 5000)
    assert (second.min_order_minor, second.tax_bps, second.base) == (
        10_001,
        600,
        "GOODS_AND_SHIPPING",
    )
    assert second.parties == (PartyShare(party.pk, "Carrier", 250, 9),)
    assert second.tiers == (Tier(100_000, 400), Tier(500_000, 300))
    assert second.effective_from.isoformat() == "2026-12-31T16:00:00+00:00"


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("CNY,x,,,", "rate_bps", "cell_unreadable"),
        ("CNY,5.5,,,", "rate_bps", "cell_unreadable"),
        ("CNY,²,,,", "rate_bps", "cell_unreadable"),
        ("CNY,,,,", "rate_bps", "cell_missing"),
        ("CNY,10001,,,", "", "commission_rule_invalid"),
        ("XXX,1,,,", "currency", "currency_unknown"),
        ("CNY,1,nobody,,", "merchant", "merchant_unknown"),
        ("CNY,1,,pty_0 1 1,", "parties", "party_share_invalid"),
        ("CNY,1,,what,", "parties", "cell_unreadable"),
        ("CNY,1,,,tomorrow", "effective_from", "cell_unreadable"),
        ("CNY,1,,,2027-01-01T00:00:00", "effective_from", "cell_unreadable"),
        ("CNY,1,,", "", "cells_miscounted"),
        ("CNY,1,,,,", "", "cells_miscounted"),
    ],
)
def test_wrong_cell_is_named_by_line_and_column(
    plan: CommissionPlan, row: str, column: str, code: str
) -> None:
    text = f"currency,rate_bps,merchant,parties,effective_from\nUSD,500,,,\n{row}\n"

    assert found(plan, text) == [(3, column, code)]
    assert not CommissionRule.objects.exists()


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", [(1, "currency", "column_missing"), (1, "rate_bps", "column_missing")]),
        ("currency,rate_bps\n", [(1, "", "file_empty")]),
        ("currency,rate_bps,rate\nCNY,1,1\n", [(1, "rate", "column_unknown")]),
        ("currency,rate_bps,currency\nCNY,1,CNY\n", [(1, "currency", "column_twice")]),
        ('currency,rate_bps\nCNY,"1"x\n', [(2, "", "csv_unreadable")]),
        ("currency,rate_bps\n" + "c" * 200_000, [(1, "", "file_too_long")]),
    ],
)
def test_file_that_is_none_is_refused(
    plan: CommissionPlan, text: str, errors: list[tuple[int, str, str]]
) -> None:
    assert found(plan, text) == errors


def test_file_with_too_many_rules_is_refused(plan: CommissionPlan) -> None:
    rows = "".join(f"CNY,1,{number}\n" for number in range(MAX_ROWS + 1))

    [error] = found(plan, f"currency,rate_bps,priority\n{rows}")

    assert error[2] == "file_too_long"


def test_tie_with_a_rule_or_another_line_is_refused(plan: CommissionPlan) -> None:
    CommissionRuleFactory(plan=plan, category="tea")

    assert found(plan, f"{GOOD}CNY,300,cups\n") == [
        (2, "", "commission_rule_overlap"),
        (4, "", "commission_rule_overlap"),
    ]
    assert CommissionRule.objects.count() == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_errors_are_no_formulas_in_a_spreadsheet(start: str) -> None:
    text = errors_as_csv([RowError(2, f"{start}HYPERLINK()", "c", f"{start}1")])

    [_head, row] = csv.reader(io.StringIO(text, newline=""))
    assert row == ["2", f"'{start}HYPERLINK()", "c", f"'{start}1"]


def page(plan: CommissionPlan, name: str) -> str:
    return reverse(f"admin:merchants_commissionplan_{name}", args=[plan.pk])


@pytest.fixture
def operator(client: Client) -> User:
    user = User.objects.create_superuser("op", "op@example.com", "p")
    client.force_login(user)
    return user


def test_operator_sees_a_preview_before_anything_is_added(
    client: Client, operator: User, plan: CommissionPlan
) -> None:
    url = page(plan, "import_rules")
    file = SimpleUploadedFile("rules.csv", GOOD.encode())

    shown = client.post(url, {"file": file, "reason": "new season", "apply": "1", "text": ""})

    # A file that comes with the confirmation is the one that was confirmed.
    assert shown.status_code == 302
    assert CommissionRule.objects.count() == 2
    again = client.post(url, {"text": GOOD, "reason": "again"}).content.decode()
    assert "already decides such sales" in again
    assert 'name="apply"' not in again
    other = client.post(url, {"text": "currency,rate_bps\nUSD,1\n", "reason": "usd"})
    assert 'name="apply"' in other.content.decode()
    assert CommissionRule.objects.count() == 2
    [kept] = CommissionRule.objects.filter(category="tea")
    assert kept.audit.get().pgh_context == {
        "actor": f"operator:{operator.pk}",
        "reason": "new season",
    }


def test_operator_downloads_the_errors(
    client: Client, operator: User, plan: CommissionPlan
) -> None:
    answer = client.post(
        page(plan, "import_rules"), {"text": "currency,=x\n", "reason": "r", "errors": "1"}
    )

    assert answer["Content-Type"].startswith("text/csv")
    assert "1,'=x,column_unknown" in answer.content.decode()


def test_operator_needs_the_right(client: Client, plan: CommissionPlan) -> None:
    client.force_login(User.objects.create_user("staff", is_staff=True))

    assert client.post(page(plan, "import_rules"), {"text": GOOD, "reason": "r"}).status_code == 403
    assert not CommissionRule.objects.exists()
