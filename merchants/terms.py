"""The commission terms frozen on an order: which rule won for each line, and what it comes to.

Plain values, read and written as JSON; `merchants/freezing.py` computes them. It must never read a
rule or a clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from common.errors import DomainError
from common.money import BPS
from merchants.guarantee_policy import NO_GUARANTEE, GuaranteePolicy
from merchants.refund_policy import EVERYTHING_RETURNED, RefundPolicy
from merchants.reserve_policy import NO_RESERVE, ReservePolicy
from merchants.rules import CommissionBase, OrderedLine, PartyShare, Rule, Sale, Tier

__all__ = ["CommissionBase", "Group", "LineTerms", "OrderedLine", "Rule", "Sale", "Terms"]

# 1 had no refund policy: everything was returned. 2 had no tax, further parties, channels, amounts
# and tiers, and a specificity of 0 to 3. 3 had no reserve: nothing was held back. 4 had no fee of
# the channel and no guarantee: the plan's counted.
JSON_VERSION = 5
ATOMS = (int, str, type(None))
NEW_IN_3: Mapping[str, Any] = {
    "channel": "",
    "tax_minor": 0,
    "parties": [],
    "volume_minor": None,
    "by_channel": [],
}


class TermsUnreadable(DomainError):
    """The JSON is not terms this version wrote; nothing is guessed."""

    code = "terms_unreadable"
    status = 500


class LossReason(StrEnum):
    """Why a rule that matches a line did not win it."""

    LOWER_PRIORITY = "LOWER_PRIORITY"
    LESS_SPECIFIC = "LESS_SPECIFIC"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A rule that matched a line and lost it."""

    rule_id: str
    reason: LossReason
    priority: int
    specificity: int


@dataclass(frozen=True, slots=True)
class LineTerms:
    """One order line with its winning rule, if any."""

    category: str
    amount_minor: int
    rule_id: str | None
    passed_over: tuple[PassedOver, ...]


@dataclass(frozen=True, slots=True)
class PartyPart:
    """What a further party gets, in minor units."""

    party_id: str
    name: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Group:
    """The lines one rule has won, with their share of the shipping. All amounts are minor units.

    `rate_bps` is the rule's rate or that of the tier reached, `percent_minor` its share of
    `base_minor`; `commission_minor` is what is taken in the end, after fixed part, floor, cap and
    the limit of the order, `tax_minor` the tax on it, and `parties` what the rule's parties get.
    """

    rule: Rule | None
    goods_minor: int
    shipping_minor: int
    base_minor: int
    rate_bps: int
    percent_minor: int
    commission_minor: int
    tax_minor: int
    parties: tuple[PartyPart, ...]

    @property
    def party_minor(self) -> int:
        return sum(part.amount_minor for part in self.parties)


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything the split of an order needs; the parts are checked whenever terms are built.

    They count whatever the buyer pays with, but for the channels in `by_channel`.
    """

    plan_id: str | None
    merchant_id: str
    currency: str
    frozen_at: datetime
    channel: str  # empty but in the terms of one channel
    goods_minor: int
    shipping_minor: int
    lines: tuple[LineTerms, ...]
    groups: tuple[Group, ...]
    commission_minor: int
    tax_minor: int  # on the commission, to the platform as well
    parties: tuple[PartyPart, ...]  # one per party, whatever rules name it
    service_fee_bps: int
    service_fee_minor: int
    refund: RefundPolicy
    volume_minor: int | None  # the seller's trailing volume; None: no winning rule has tiers
    by_channel: tuple["Terms", ...]  # the whole terms of each channel some rule speaks about
    reserve: ReservePolicy = NO_RESERVE  # what of the seller's share is held back at the release
    guarantee: GuaranteePolicy | None = NO_GUARANTEE  # None: not said then; the plan does

    def __post_init__(self) -> None:
        assert self.goods_minor == sum(line.amount_minor for line in self.lines), self
        assert self.goods_minor == sum(group.goods_minor for group in self.groups), self
        assert self.shipping_minor == sum(group.shipping_minor for group in self.groups), self
        assert self.commission_minor == sum(group.commission_minor for group in self.groups), self
        assert self.tax_minor == sum(group.tax_minor for group in self.groups), self
        assert self.parties == sum_parties(self.groups), self
        assert min(self.commission_minor, self.tax_minor, self.service_fee_minor) >= 0, self
        assert all(part.amount_minor > 0 for part in self.parties), self
        assert self.seller_minor >= 0, self
        for each in self.by_channel:
            assert each.channel, self
            assert not each.by_channel, self
            assert each.amount_minor == self.amount_minor, self

    @property
    def amount_minor(self) -> int:
        """What the buyer pays: goods and shipping."""
        return self.goods_minor + self.shipping_minor

    @property
    def party_minor(self) -> int:
        """What further parties get together."""
        return sum(part.amount_minor for part in self.parties)

    @property
    def seller_minor(self) -> int:
        """What is left for the seller when the whole order is released."""
        cuts = self.commission_minor + self.tax_minor + self.party_minor + self.service_fee_minor
        return self.amount_minor - cuts

    def under(self, channel: str | None) -> "Terms":
        """The terms that count when the buyer has paid through a channel; None: not paid yet."""
        return next((each for each in self.by_channel if each.channel == channel), self)

    def to_json(self) -> dict[str, Any]:
        """Write the terms as JSON-able values: nothing needs computing again later."""
        return {"version": JSON_VERSION, **_plain(self)}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, now or as an earlier version. Raises: TermsUnreadable."""
        version = written.get("version")
        if version not in (1, 2, 3, 4, JSON_VERSION):
            raise TermsUnreadable(f"These terms have version {version!r}.")
        fields = {name: value for name, value in written.items() if name != "version"}
        _refuse_fractions(fields)
        try:
            if version == 1:
                fields["refund"] = asdict(EVERYTHING_RETURNED)
            if version in (1, 2):
                fields = _of_version_3(fields)
            if version in (1, 2, 3):
                fields = _of_version_4(fields)
            return cls._read(fields if version == JSON_VERSION else _of_version_5(fields))
        except (AssertionError, KeyError, TypeError, ValueError) as broken:
            raise TermsUnreadable("These terms are damaged: their parts do not add up.") from broken

    @classmethod
    def _read(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **fields,
                "frozen_at": datetime.fromisoformat(fields["frozen_at"]),
                "lines": tuple(_read_line(line) for line in fields["lines"]),
                "groups": tuple(_read_group(group) for group in fields["groups"]),
                "parties": _read_parties(fields["parties"]),
                "refund": RefundPolicy(**fields["refund"]),
                "reserve": ReservePolicy(**fields["reserve"]),
                "guarantee": _read_guarantee(fields["guarantee"]),
                "by_channel": tuple(cls._read(each) for each in fields["by_channel"]),
            }
        )


def sum_parties(groups: Iterable[Group]) -> tuple[PartyPart, ...]:
    """Add up what each party gets of all groups, in the order they are first named; no zeros."""
    sums: dict[str, PartyPart] = {}
    for part in (part for group in groups for part in group.parties):
        before = sums[part.party_id].amount_minor if part.party_id in sums else 0
        sums[part.party_id] = PartyPart(part.party_id, part.name, before + part.amount_minor)
    return tuple(part for part in sums.values() if part.amount_minor)


def _of_version_3(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Say what terms of version 2 left unsaid."""
    lines = [
        line
        | {"passed_over": [e | {"specificity": 4 * e["specificity"]} for e in line["passed_over"]]}
        for line in fields["lines"]
    ]
    groups = [
        group
        | {"tax_minor": 0, "parties": [], "rate_bps": (group["rule"] or {}).get("rate_bps", 0)}
        for group in fields["groups"]
    ]
    return {**fields, **NEW_IN_3, "lines": lines, "groups": groups}


def _of_version_4(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Say what terms of version 3 left unsaid, of each channel too."""
    by_channel = [_of_version_4(each) for each in fields["by_channel"]]
    return {**fields, "by_channel": by_channel, "reserve": asdict(NO_RESERVE)}


def _of_version_5(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Say what terms of version 4 left unsaid, of each channel too."""
    by_channel = [_of_version_5(each) for each in fields["by_channel"]]
    refund = {"channel_fee_bps": 0, "channel_fee_returned_bps": BPS, **fields["refund"]}
    return {**fields, "by_channel": by_channel, "refund": refund, "guarantee": None}


def _plain(value: Any) -> Any:
    """Turn our values into objects, tuples into lists and instants into ISO 8601.

    Every order is written so: `asdict` would copy it all once more.
    """
    if type(value) in ATOMS:
        return value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _refuse_fractions(value: Any) -> None:
    if isinstance(value, float):
        raise TermsUnreadable("These terms are damaged: an amount is not a whole number.")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            _refuse_fractions(each)


def _read_line(written: Mapping[str, Any]) -> LineTerms:
    passed_over = tuple(
        PassedOver(**{**each, "reason": LossReason(each["reason"])})
        for each in written["passed_over"]
    )
    return LineTerms(**{**written, "passed_over": passed_over})


def _read_guarantee(written: Mapping[str, Any] | None) -> GuaranteePolicy | None:
    return None if written is None else GuaranteePolicy(**written)


def _read_group(written: Mapping[str, Any]) -> Group:
    rule = None if written["rule"] is None else _read_rule(written["rule"])
    return Group(**{**written, "rule": rule, "parties": _read_parties(written["parties"])})


def _read_parties(written: Iterable[Mapping[str, Any]]) -> tuple[PartyPart, ...]:
    return tuple(PartyPart(**each) for each in written)


def _read_rule(written: Mapping[str, Any]) -> Rule:
    ends = written["effective_to"]
    return Rule(
        **{
            **written,
            "base": CommissionBase(written["base"]),
            "effective_from": datetime.fromisoformat(written["effective_from"]),
            "effective_to": None if ends is None else datetime.fromisoformat(ends),
            "parties": tuple(PartyShare(**each) for each in written.get("parties", ())),
            "tiers": tuple(Tier(**each) for each in written.get("tiers", ())),
        }
    )
