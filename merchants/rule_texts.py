"""How further parties and tiers of a rule are written in one line: in forms and in CSV files.

`pty_1 250 0; pty_2 0 30` gives the first party 2.5 %, the second 0.30; `100000 400; 500000 300` is
4 % from 1000.00 of trailing volume and 3 % from 5000.00. All numbers are whole. Pure.
"""

import re
from collections.abc import Sequence

from merchants.rules import NewPartyShare, PartyShare, Tier

_SHARE = re.compile(r"(pty_[0-9a-z]+) +([0-9]{1,16}) +([0-9]{1,16})", re.ASCII)
_TIER = re.compile(r"([0-9]{1,16}) +([0-9]{1,16})", re.ASCII)


def read_shares(text: str) -> list[NewPartyShare]:
    """Read parties of a rule. Raises: ValueError."""
    return [
        NewPartyShare(party_id=party_id, rate_bps=int(rate), fixed_minor=int(fixed))
        for party_id, rate, fixed in _parts(_SHARE, text)
    ]


def read_tiers(text: str) -> list[Tier]:
    """Read tiers of a rule. Raises: ValueError."""
    return [Tier(int(start), int(rate)) for start, rate in _parts(_TIER, text)]


def write_shares(shares: Sequence[PartyShare]) -> str:
    """Write parties as `read_shares` reads them."""
    return "; ".join(f"{each.party_id} {each.rate_bps} {each.fixed_minor}" for each in shares)


def write_tiers(tiers: Sequence[Tier]) -> str:
    """Write tiers as `read_tiers` reads them."""
    return "; ".join(f"{each.from_minor} {each.rate_bps}" for each in tiers)


def _parts(pattern: re.Pattern[str], text: str) -> list[tuple[str, ...]]:
    found = []
    for part in filter(None, (each.strip() for each in text.split(";"))):
        matched = pattern.fullmatch(part)
        if matched is None:
            raise ValueError(part)
        found.append(matched.groups())
    return found
