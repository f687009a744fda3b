"""Runs the cases one after the other and writes the table. It must never hide a failure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from demo.conformance.cases import CASES, Case
from demo.conformance.receiver import ReceiverFailed
from demo.conformance.trial import NotObservable, Trial


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "FAILED"
    UNSEEN = "unseen"  # from outside it cannot be told


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    case: Case
    verdict: Verdict
    seen: str


def run_cases(trial: Trial, cases: Sequence[Case] | None = None) -> Iterator[Result]:
    """Run the cases, each whatever became of the others. Raises: HoldfastRefused."""
    for case in CASES if cases is None else cases:
        try:
            seen = case.run(trial) or ""
        except ReceiverFailed as failure:
            yield Result(case, Verdict.FAILED, str(failure))
        except NotObservable as reason:
            yield Result(case, Verdict.UNSEEN, str(reason))
        else:
            yield Result(case, Verdict.PASSED, seen)


def write_table(results: Iterator[Result], write: Callable[[str], None]) -> list[Result]:
    """Write each line as soon as it is known, and the sum. Returns: all results."""
    width = max(len(case.title) for case in CASES)
    write(f"{'':>3}  {'case':{width}}  {'result':6}  what was seen")
    done = []
    for number, result in enumerate(results, start=1):
        done.append(result)
        write(
            f"{number:>3}  {result.case.title:{width}}  {result.verdict:6}  {result.seen}".rstrip()
        )
    counts = ", ".join(
        f"{sum(each.verdict is verdict for each in done)} {verdict.value.lower()}"
        for verdict in Verdict
    )
    write(f"\n{counts}.")
    return done
