"""Cells of what waits for a second person, and of long work. See tests/cells.py."""

from datetime import timedelta
from typing import Any

from escrow.models import Correction
from escrow.services import corrections
from ledger import chart
from merchants import services as merchants
from merchants.models import CommissionPlan, Proposal
from merchants.services import proposals
from portal import jobs, order_export
from portal.models import Job
from tests import ground
from tests.cells import Act, Machine
from tests.world import RAIL, World

DAY = timedelta(days=1)

# Changes by two persons


def proposal_in(world: World, case: str) -> Proposal:
    plan = CommissionPlan.objects.get(platform=world.platform)
    found = proposals.propose_change(
        verb="PLAN_RESERVE",
        subject=plan.pk,
        platform=world.platform,
        reason="asked for",
        proposed_by=ground.operator("first"),
        at=world.now,
        reserve_bps=1500,
        reserve_days=30,
    )
    if case == "DONE":
        _approve_change("second")(world, found)
    if case == "DROPPED":
        _drop_change(world, found)
    return Proposal.objects.get(pk=found.pk)


def _approve_change(by: str) -> Act:
    return lambda world, proposal: proposals.approve_proposal(
        proposal_id=proposal.pk,
        approved_by=ground.operator(by),
        call=lambda **said: merchants.set_plan_reserve(plan_id=proposal.subject, **said),
        at=world.now,
    )


def _drop_change(world: World, proposal: Proposal) -> Any:
    return proposals.drop_proposal(
        proposal_id=proposal.pk, dropped_by=ground.operator("second"), at=world.now
    )


PROPOSAL = Machine(
    model=Proposal,
    make=proposal_in,
    cases=("PROPOSED", "DONE", "DROPPED"),
    acts={
        "another person approves it": (_approve_change("second"), {"PROPOSED": "DONE"}),
        "the same person approves it": (_approve_change("first"), {}),
        "it is dropped": (_drop_change, {"PROPOSED": "DROPPED"}),
    },
)

# Entries by hand


def correction_in(world: World, case: str) -> Correction:
    ground.remit(world, 20_002)
    found = corrections.propose_correction(
        debit_address=chart.reserve(RAIL),
        credit_address=chart.OWN_TOPUP,
        currency="CNY",
        amount_minor=101,
        reason="asked for",
        evidence="statement 7, line 3",
        proposed_by=ground.operator("first"),
        at=world.now,
    )
    if case == "POSTED":
        _approve_entry("second")(world, found)
    if case == "DROPPED":
        _drop_entry(world, found)
    return Correction.objects.get(pk=found.pk)


def _approve_entry(by: str) -> Act:
    return lambda world, found: corrections.approve_correction(
        correction_id=found.pk, approved_by=ground.operator(by), at=world.now
    )


def _drop_entry(world: World, found: Correction) -> Any:
    return corrections.drop_correction(
        correction_id=found.pk, dropped_by=ground.operator("second"), at=world.now
    )


CORRECTION = Machine(
    model=Correction,
    make=correction_in,
    cases=("PROPOSED", "POSTED", "DROPPED"),
    acts={
        "another person approves it": (_approve_entry("second"), {"PROPOSED": "POSTED"}),
        "the same person approves it": (_approve_entry("first"), {}),
        "it is dropped": (_drop_entry, {"PROPOSED": "DROPPED"}),
    },
)

# Long work


def job_in(world: World, case: str) -> Job:
    job = jobs.ask_for_job(
        platform=world.platform,
        merchant=None,
        user=ground.operator("first"),
        language="en",
        kind=order_export.KIND,
        wanted={"form": "csv", "query": ""},
        at=world.now,
        draft=case == "DRAFT",
    )
    if case in ("RUNNING", "DONE", "FAILED"):
        job = jobs.claim_due_job(at=world.now) or job
    if case == "DONE":
        _finish(world, job)
    if case == "FAILED":
        for number in range(1, jobs.TRIES):
            jobs.note_failure(job, failure_code="worker_died", at=world.now + number * DAY)
            job = jobs.claim_due_job(at=world.now + (number + 1) * DAY) or job
        jobs.note_failure(job, failure_code="worker_died", at=world.now + 9 * DAY)
    return Job.objects.get(pk=job.pk)


def _finish(world: World, job: Job) -> None:
    jobs.finish_job(job, outcome=jobs.Outcome(), at=world.now)


JOB = Machine(
    model=Job,
    make=job_in,
    cases=("DRAFT", "WAITING", "RUNNING", "DONE", "FAILED"),
    acts={
        "the person confirms it": (
            lambda world, job: jobs.confirm_job(
                job_id=job.pk, user=ground.operator("first"), at=world.now
            ),
            {"DRAFT": "WAITING"},
        ),
        "a worker looks for work": (
            lambda world, job: jobs.claim_due_job(at=world.now),
            {"WAITING": "RUNNING"},
        ),
        "it is done": (_finish, {"RUNNING": "DONE"}),
        "it goes wrong, not for the last time": (
            lambda world, job: jobs.note_failure(
                job, failure_code="worker_died", at=world.now + DAY
            ),
            {"RUNNING": "RUNNING"},
        ),
        "its worker is killed again and again": (
            lambda world, job: [jobs.claim_due_job(at=world.now + n * DAY) for n in range(1, 5)],
            {"WAITING": "FAILED", "RUNNING": "FAILED"},
        ),
    },
)
