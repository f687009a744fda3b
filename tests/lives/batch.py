"""A batch of random lives that share one platform, its sellers and one clock, drawn from a seed;
and what to do with one that fails.

Where each life stands says what may come next (`WEIGHTS`); a step that was drawn is kept with its
numbers, so that a batch is lived again exactly, or with steps left out.
"""

import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.lives import actions, circumstances, freezing
from tests.lives.actions import Action
from tests.lives.both import Both
from tests.stage import open_world

LIVES = 50  # of a batch
STEPS = (3, 8)  # of a life, at least and at most, from its first payment on
AT_ONCE = 6  # lives that are underway at a time: more, and all they do is wait for each other
SHRINK_SECONDS = 60.0

# A new kind of event is a line here and in `WEIGHTS`.
ACTIONS: Mapping[str, Action] = {
    **{verb: actions.move(verb) for verb in actions.MOVES},
    **{
        act.__name__: act
        for act in (
            actions.buy,
            actions.buy_cart,
            actions.ship,
            actions.confirm,
            actions.cancel,
            actions.refund,
            actions.refund_all,
            actions.charge_back,
            actions.complain,
            actions.offer,
            actions.decide,
            circumstances.wait,
            circumstances.edge,
            circumstances.remit,
            circumstances.top_up,
            circumstances.change_rate,
            circumstances.channel,
            circumstances.cut,
            circumstances.bank,
            circumstances.repay,
            circumstances.write_off,
            circumstances.replace,
            freezing.freeze,
            freezing.freeze_seller,
            freezing.lift,
            freezing.lift_seller,
        )
    },
}
AROUND = {
    "wait": 2,
    "edge": 2,
    "remit": 1.5,
    "top_up": 0.5,
    "change_rate": 1.5,
    "channel": 1.5,
    "cut": 3,
    "bank": 1.5,
    "repay": 0.7,
    "write_off": 0.4,
    "replace": 0.7,
    "freeze_seller": 0.5,
    "lift_seller": 1.5,
}
FROZEN = {"lift": 9, "refund": 1, "confirm": 1, "ship": 1, "charge_back": 2, "wait": 2, "decide": 3}
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "PAID": {"ship": 30, "refund": 6, "refund_all": 1, "cancel": 2, "charge_back": 2, "freeze": 2},
    "SHIPPED": {
        "confirm": 16,
        "complain": 20,
        "refund": 6,
        "refund_all": 1,
        "charge_back": 3,
        "freeze": 4,
    },
    "CONFIRMED": {
        "refund": 14,
        "refund_all": 5,
        "complain": 10,
        "cut": 14,
        "bank": 2,
        "charge_back": 10,
        "freeze": 0.3,
    },
    "CANCELED": {},
    "OPEN/MERCHANT": {
        "accept": 5,
        "offer": 22,
        "contest": 9,
        "withdraw": 3,
        "charge_back": 6,
        "refund": 3,
        "freeze": 3,
    },
    "ANSWERED/BUYER": {
        "take_offer": 24,
        "decline": 8,
        "withdraw": 1,
        "edge": 2,
        "freeze": 2,
        "charge_back": 3,
    },
    "RETURNING/BUYER": {"send_back": 40, "edge": 3, "charge_back": 1},
    "RETURNING/MERCHANT": {"receive": 24, "refuse": 16, "edge": 2},
    "/OPERATOR": {
        "decide": 20,
        "withdraw": 1,
        "edge": 2,
        "wait": 2,
        "refund": 2,
        "charge_back": 2,
        "freeze": 4,
    },
}
ODD = 0.08  # of the steps: one that may be out of place


@dataclass(frozen=True)
class Step:
    """What happens to which life, with two numbers that say how much of what."""

    life: int
    verb: str
    x: int
    y: int

    def __str__(self) -> str:
        return f"life {self.life:>2}  {self.verb} {self.x} {self.y}"


@dataclass
class Outcome:
    """How a batch went. `error` tells what went wrong at the last of `steps`."""

    steps: list[Step] = field(default_factory=list)
    lives: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    error: str = ""


def live(seed: str, *, lives: int = LIVES) -> Outcome:
    """Draw and live a batch in the present database, which is emptied."""
    dice = Random(seed)
    begun = ((life, 1 + dice.randint(*STEPS)) for life in range(lives))
    places = [(life + dice.random() * AT_ONCE, life) for life, turns in begun for _ in range(turns)]
    turns = [life for _place, life in sorted(places, reverse=True)]

    def draw(both: Both) -> Step | None:
        if not turns:
            return None
        life = turns.pop()
        return Step(
            life, _verb(both, life, lives, dice), dice.randrange(1000), dice.randrange(1000)
        )

    return _play(draw, every=25)


def live_again(steps: Sequence[Step]) -> Outcome:
    """Live these steps, and compare the books after each."""
    left = list(reversed(steps))
    return _play(lambda both: left.pop() if left else None, every=1)


def _verb(both: Both, life: int, lives: int, dice: Random) -> str:
    if life not in both.orders:
        alone = life + 1 >= lives or life + 1 in both.orders or dice.random() < 0.7
        return "buy" if alone else "buy_cart"
    if dice.random() < ODD:
        return dice.choice(sorted(ACTIONS.keys() - {"buy", "buy_cart"}))
    sale = both.sale(life)
    where = sale.complaint.phase if sale.complaint else sale.state
    likely = WEIGHTS.get(where) or WEIGHTS.get("/" + where.partition("/")[2], {})
    table = Counter(AROUND) + Counter(likely) + Counter(FROZEN if sale.freezes else {})
    return dice.choices(list(table), list(table.values()))[0]


def _play(draw: Callable[[Both], Step | None], *, every: int) -> Outcome:
    outcome = Outcome()
    with tempfile.TemporaryDirectory(dir=_memory()) as folder, open_world(Path(folder)) as world:
        both = Both(world)
        try:
            both.top_up(1000)
            while (step := draw(both)) is not None:
                outcome.steps.append(step)
                _take(both, step)
                if len(outcome.steps) % every == 0:
                    both.compare_books()
            both.compare()
            both.verb = "at rest"
            freezing.lift_all(both)
            both.come_to_rest()
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            said = str(error) or type(error).__name__
            outcome.error = f"{type(error).__name__}: {said} ({last.filename}:{last.lineno})"
        outcome.lives, outcome.happened = len(both.orders), both.happened
    return outcome


def _take(both: Both, step: Step) -> None:
    """Take a step, unless its life has not begun, as when its beginning was left out."""
    both.pass_time(timedelta(seconds=7, microseconds=step.x))
    begins = step.verb in ("buy", "buy_cart")
    born = step.life in both.orders
    if born != begins and not (begins and step.verb == "buy_cart" and step.life + 1 in both.orders):
        both.verb = step.verb
        ACTIONS[step.verb](both, step.life, step.x, step.y)


def _memory() -> str | None:
    """Where the sandbox books lie: in memory when there is such a place."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def shrink(steps: Sequence[Step]) -> Outcome:
    """Leave out whole lives, then steps, as long as it still goes wrong, for a minute."""
    end = time.monotonic() + SHRINK_SECONDS
    best = live_again(steps)
    if not best.error:
        return best
    lives = sorted({step.life for step in steps})
    for size in (16, 4, 1):
        for first in range(0, len(lives), size):
            out = lives[first : first + size]
            best = _without([step for step in best.steps if step.life not in out], best, end)
    for size in (8, 1):
        for last in range(len(best.steps), 0, -size):
            best = _without(best.steps[: max(0, last - size)] + best.steps[last:], best, end)
    return best


def _without(fewer: list[Step], best: Outcome, end: float) -> Outcome:
    if len(fewer) == len(best.steps) or time.monotonic() > end:
        return best
    found = live_again(fewer)
    return found if found.error else best


def tell(seed: int, number: int, outcome: Outcome) -> str:
    """What went wrong in a batch, its steps, and how to live only it again."""
    least = shrink(outcome.steps)
    shown = least if least.error else outcome
    return "\n".join(
        [
            f"batch {number} of seed {seed} went wrong at its step {len(outcome.steps)}:",
            f"  {outcome.error}",
            f"the fewest steps found that go wrong ({len(shown.steps)}): {shown.error}",
            *(f"  {step}" for step in shown.steps),
            f"again: make lives SEED={seed} ONLY={number}",
        ]
    )
