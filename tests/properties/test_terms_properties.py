"""The parts of an order sum to the whole, whatever its plan says and the buyer pays with (H1)."""

import json

from hypothesis import given
from hypothesis import strategies as st

from common.money import share_half_up
from escrow.split import split_order
from merchants.explanation import explain
from merchants.freezing import compute
from merchants.rules import Rule, Sale, commission, party_part
from merchants.terms import Terms
from tests.merchants.rule_terms import AT, RATES, SALES, freeze, rule_lists


@given(rule_lists(), SALES, RATES, st.integers(0, 10**13))
def test_parts_sum_to_the_whole_and_the_split_pays_them(
    rules: list[Rule], of: Sale, fee_bps: int, volume_minor: int
) -> None:
    terms = compute(
        plan_id="cpl_1",
        rules=rules,
        sale=of,
        service_fee_bps=fee_bps,
        at=AT,
        volume_minor=volume_minor,
    )

    assert Terms.from_json(json.loads(json.dumps(terms.to_json()))) == terms
    for each in (terms, *terms.by_channel):
        fee = share_half_up(of.amount_minor, fee_bps)
        cuts = each.commission_minor + each.tax_minor + each.party_minor
        assert each.seller_minor >= 0
        assert each.service_fee_minor == fee
        assert fee + cuts + each.seller_minor == of.amount_minor
        assert explain(each)[-1].facts == {"seller_minor": each.seller_minor}
        _check_order_of_cuts(each)
        if of.amount_minor:
            _check_split(each)


def _check_order_of_cuts(terms: Terms) -> None:
    """Nobody gets more than the rule gives, and who comes later is cut first."""
    short = False
    parties_short = False
    for group in terms.groups:
        if group.rule is None:
            assert (group.commission_minor, group.tax_minor, group.parties) == (0, 0, ())
            continue
        wanted = commission(group.rule, group.base_minor, volume_minor=terms.volume_minor or 0)
        tax = share_half_up(wanted, group.rule.tax_bps)
        assert group.commission_minor <= wanted
        assert group.tax_minor <= tax
        short |= (group.commission_minor, group.tax_minor) != (wanted, tax)
        for share, part in zip(group.rule.parties, group.parties, strict=True):
            assert part.amount_minor <= party_part(share, group.base_minor)
            parties_short |= part.amount_minor < party_part(share, group.base_minor)
        if not short and group.base_minor:
            floor, cap = group.rule.floor_minor, group.rule.cap_minor
            assert floor is None or group.commission_minor >= floor
            assert cap is None or group.commission_minor <= cap
    if short:
        assert terms.parties == ()
    if short or parties_short:
        assert terms.seller_minor == 0


def _check_split(terms: Terms) -> None:
    shares = split_order(
        amount_minor=terms.amount_minor,
        commission_minor=terms.commission_minor,
        service_fee_minor=terms.service_fee_minor,
        merchant_id="mer_1",
        platform_id="plt_1",
        tax_minor=terms.tax_minor,
        parties=[(part.party_id, part.amount_minor) for part in terms.parties],
    )
    paid = {(share.payee, share.address): share.amount_minor for share in shares}
    expected = {
        ("MERCHANT", "merchant:mer_1:payable"): terms.seller_minor,
        ("PLATFORM", "platform:plt_1:commission"): terms.commission_minor,
        ("TAX", "platform:plt_1:commission"): terms.tax_minor,
        ("SERVICE_FEE", "fee:service"): terms.service_fee_minor,
        **{
            ("PARTY", f"party:{part.party_id}:payable"): part.amount_minor for part in terms.parties
        },
    }
    assert len(paid) == len(shares)
    assert paid == {payee: amount for payee, amount in expected.items() if amount}


@given(rule_lists(), SALES, st.integers(0, 10**13))
def test_winner_outranks_every_other_matching_rule_under_every_channel(
    rules: list[Rule], of: Sale, volume_minor: int
) -> None:
    terms = freeze(*rules, of=of, volume_minor=volume_minor)

    for channel in ("", "wechat", "alipay"):
        for line, frozen in zip(of.lines, terms.under(channel).lines, strict=True):
            rivals = {
                rule.id: (rule.priority, rule.specificity)
                for rule in rules
                if rule.matches(of, category=line.category, channel=channel, at=AT)
            }
            best = max(rivals, key=lambda id: rivals[id], default=None)
            assert frozen.rule_id == best
            assert {each.rule_id for each in frozen.passed_over} == rivals.keys() - {best}
