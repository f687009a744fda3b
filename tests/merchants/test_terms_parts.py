"""Why: further parties, tax, channels, order amounts and tiers change who is paid what; the parts
must sum to the whole whatever a plan says, and everybody must be able to see why.
"""

from dataclasses import replace

import pytest

from common.money import share_half_up
from escrow.split import split_order
from merchants.explanation import explain
from merchants.freezing import needs_volume
from merchants.rules import OrderedLine, PartyShare, Rule, Tier, party_part, ties
from merchants.terms import LossReason, PartyPart, PassedOver, Terms, TermsUnreadable
from tests.merchants.rule_terms import (
    AFFILIATE,
    ANY,
    AT,
    CARRIER,
    freeze,
    rule,
    sale,
)


def said(terms: Terms, *codes: str) -> list[str]:
    return [each.sentence for each in explain(terms) if each.code in codes]


# Parties


def test_parties_get_their_share_out_of_the_sellers_part() -> None:
    terms = freeze(replace(ANY, parties=(CARRIER, AFFILIATE)))

    assert terms.parties == (
        PartyPart("pty_carrier", "Carrier", 225),  # 225.025
        PartyPart("pty_affiliate", "Affiliate", 30),
    )
    assert (terms.commission_minor, terms.service_fee_minor) == (450, 60)
    assert terms.seller_minor == 10_001 - 450 - 60 - 225 - 30
    assert said(terms, "party") == [
        "Rule crl_any: Carrier gets 2.5 % of 90.01 CNY: 2.25 CNY.",
        "Rule crl_any: Affiliate gets 0 % of 90.01 CNY plus 0.30 CNY: 0.30 CNY.",
    ]


def test_party_of_several_rules_gets_one_part() -> None:
    tea = rule("crl_tea", category="tea", parties=(CARRIER,))
    rest = replace(ANY, parties=(AFFILIATE, CARRIER))

    terms = freeze(tea, rest, of=sale(OrderedLine("tea", 9001), OrderedLine("", 1000)))

    assert terms.parties == (
        PartyPart("pty_carrier", "Carrier", 225 + 25),
        PartyPart("pty_affiliate", "Affiliate", 30),
    )


def test_party_gets_nothing_of_nothing_and_is_left_out() -> None:
    terms = freeze(replace(ANY, parties=(AFFILIATE,)), of=sale(OrderedLine("tea", 0)))

    assert terms.parties == ()
    assert terms.groups[0].parties == (PartyPart("pty_affiliate", "Affiliate", 0),)


def test_fee_comes_first_then_commission_with_tax_then_parties() -> None:
    greedy = replace(
        ANY,
        floor_minor=900,
        cap_minor=None,
        tax_bps=1000,
        parties=(replace(CARRIER, rate_bps=0, fixed_minor=20), AFFILIATE),
    )

    amounts = {
        goods: freeze(greedy, of=sale(OrderedLine("tea", goods), shipping_minor=0))
        for goods in (1100, 1021, 500)
    }

    told = {
        goods: (
            terms.service_fee_minor,
            terms.commission_minor,
            terms.tax_minor,
            [part.amount_minor for part in terms.parties],
            terms.seller_minor,
        )
        for goods, terms in amounts.items()
    }
    assert told == {
        1100: (7, 900, 90, [20, 30], 53),
        1021: (6, 900, 90, [10, 15], 0),
        500: (3, 452, 45, [], 0),
    }
    assert "cut to what the order leaves" in said(amounts[1021], "party")[0]
    assert "cut to what the order leaves" in said(amounts[500], "commission")[0]


# Tax


def test_tax_is_taken_of_the_commission_beside_it() -> None:
    terms = freeze(replace(ANY, tax_bps=600))

    assert (terms.commission_minor, terms.tax_minor, terms.seller_minor) == (450, 27, 9464)
    assert said(terms, "tax") == ["Tax on the commission: 6 % of 4.50 CNY = 0.27 CNY."]
    shares = {
        share.payee: (share.address, share.amount_minor)
        for share in split_order(
            amount_minor=terms.amount_minor,
            commission_minor=terms.commission_minor,
            tax_minor=terms.tax_minor,
            service_fee_minor=terms.service_fee_minor,
            merchant_id="mer_1",
            platform_id="plt_1",
        )
    }
    assert shares == {
        "MERCHANT": ("merchant:mer_1:payable", 9464),
        "PLATFORM": ("platform:plt_1:commission", 450),
        "TAX": ("platform:plt_1:commission", 27),
        "SERVICE_FEE": ("fee:service", 60),
    }


@pytest.mark.parametrize(("tax_bps", "expected"), [(0, 0), (11, 0), (12, 1), (10_000, 450)])
def test_tax_rounds_half_up(tax_bps: int, expected: int) -> None:
    assert freeze(replace(ANY, tax_bps=tax_bps)).tax_minor == expected


# Order amounts


@pytest.mark.parametrize(
    ("least", "most", "matches"),
    [
        (10_001, None, True),
        (10_002, None, False),
        (None, 10_001, True),
        (None, 10_000, False),
        (10_001, 10_001, True),
    ],
)
def test_rule_of_an_order_amount_matches_goods_and_shipping(
    least: int | None, most: int | None, matches: bool
) -> None:
    banded = rule("crl_band", min_order_minor=least, max_order_minor=most, rate_bps=100)

    terms = freeze(ANY, banded)

    assert terms.lines[0].rule_id == ("crl_band" if matches else "crl_any")
    lost = (PassedOver("crl_any", LossReason.LESS_SPECIFIC, 0, 0),) if matches else ()
    assert terms.lines[0].passed_over == lost


@pytest.mark.parametrize(
    ("one", "other", "tie"),
    [
        ({}, {}, True),
        ({}, {"min_order_minor": 1}, False),
        ({"max_order_minor": 99}, {"min_order_minor": 100}, False),
        ({"max_order_minor": 100}, {"min_order_minor": 100}, True),
        (
            {"min_order_minor": 5, "max_order_minor": 9},
            {"min_order_minor": 1, "max_order_minor": 4},
            False,
        ),
        ({"min_order_minor": 5}, {"min_order_minor": 50, "max_order_minor": 60}, True),
        ({"channel": "wechat"}, {"channel": "alipay"}, False),
        ({"channel": "wechat"}, {}, False),
        ({"channel": "wechat"}, {"channel": "wechat"}, True),
        ({"priority": 1}, {}, False),
        ({"effective_to": AT}, {"effective_from": AT}, False),
    ],
)
def test_rules_tie_only_where_both_match_and_neither_outranks(
    one: dict, other: dict, tie: bool
) -> None:
    assert ties(replace(ANY, **one), replace(ANY, **other)) is tie
    assert ties(replace(ANY, **other), replace(ANY, **one)) is tie


# Channels


def test_terms_of_a_channel_count_once_the_buyer_has_paid_through_it() -> None:
    wechat = rule("crl_wechat", channel="wechat", rate_bps=200)

    terms = freeze(ANY, wechat)

    assert (terms.channel, terms.commission_minor) == ("", 450)
    assert [each.channel for each in terms.by_channel] == ["wechat"]
    assert terms.under("wechat").commission_minor == 180
    assert terms.under("alipay") is terms
    assert terms.under(None) is terms
    assert said(terms, "other_channel") == [
        "If the buyer pays through wechat: commission 1.80 CNY, left for the seller 97.61 CNY."
    ]
    assert said(terms.under("wechat"), "channel", "rule_lost") == [
        "Paid through wechat.",
        "Rule crl_any loses: it matches only any line.",
    ]


def test_terms_freeze_no_channel_that_no_matching_rule_speaks_about() -> None:
    terms = freeze(
        ANY,
        rule("crl_books", channel="wechat", category="books"),
        rule("crl_big", channel="wechat", min_order_minor=10_002),
        rule("crl_usd", channel="alipay", currency="USD"),
    )

    assert terms.by_channel == ()


def test_merchant_beats_category_beats_channel_beats_amount() -> None:
    rules = [
        rule("crl_merchant", merchant_id="mer_1"),
        rule("crl_category", category="tea"),
        rule("crl_channel", channel="wechat"),
        rule("crl_amount", min_order_minor=1),
        ANY,
    ]

    line = freeze(*rules).under("wechat").lines[0]

    order = [line.rule_id, *(each.rule_id for each in line.passed_over)]
    assert order == ["crl_merchant", "crl_category", "crl_channel", "crl_amount", "crl_any"]


# Tiers

TIERS = (Tier(100_000, 400), Tier(500_000, 300))


@pytest.mark.parametrize(
    ("volume_minor", "rate_bps"),
    [(0, 500), (99_999, 500), (100_000, 400), (499_999, 400), (500_000, 300), (10**15, 300)],
)
def test_tier_reached_decides_the_rate_of_the_whole_order(volume_minor: int, rate_bps: int) -> None:
    terms = freeze(replace(ANY, tiers=TIERS), volume_minor=volume_minor)

    assert terms.volume_minor == volume_minor
    assert terms.groups[0].rate_bps == rate_bps
    assert terms.commission_minor == share_half_up(9001, rate_bps)


def test_tier_is_explained() -> None:
    tiered = replace(ANY, tiers=TIERS)

    assert said(freeze(tiered, volume_minor=123_456), "tier") == [
        "Rule crl_any: the seller sold 1234.56 CNY of goods in the 30 days before, which reaches"
        " the tier from 1000.00 CNY: 4 %."
    ]
    assert said(freeze(tiered, volume_minor=1), "tier") == [
        "Rule crl_any: the seller sold 0.01 CNY of goods in the 30 days before, below the first"
        " tier from 1000.00 CNY: 5 %."
    ]


def test_volume_is_asked_for_only_when_a_rule_with_tiers_wins() -> None:
    tiered = rule("crl_tiered", tiers=TIERS)

    def asked(*rules: Rule) -> bool:
        return needs_volume(rules=rules, sale=sale(), at=AT)

    assert not asked(ANY)
    assert asked(tiered)
    assert not asked(tiered, rule("crl_high", priority=1))
    assert asked(rule("crl_high", priority=1), replace(tiered, priority=1, channel="wechat"))
    assert freeze(tiered, rule("crl_high", priority=1), volume_minor=7).volume_minor is None
    with pytest.raises(AssertionError, match="volume"):
        freeze(tiered)


@pytest.mark.parametrize(
    "change",
    [
        {"tax_minor": 1},
        {"parties": []},
        {"parties": [{"party_id": "pty_carrier", "name": "Carrier", "amount_minor": 226}]},
        {"by_channel": [{}]},
        {"volume_minor": 1.5},
        {"channel": None, "by_channel": None},
    ],
)
def test_damaged_parts_are_refused(change: dict) -> None:
    written = freeze(replace(ANY, parties=(CARRIER,))).to_json()

    with pytest.raises(TermsUnreadable):
        Terms.from_json(written | change)


def test_share_of_a_party_rounds_half_up() -> None:
    share = PartyShare("pty_1", "One", 250, 7)

    assert [party_part(share, base) for base in (0, 19, 20, 60, 9001)] == [0, 7, 8, 9, 232]
