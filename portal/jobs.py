"""Asking for long work, and what a worker writes down about it.

It must never do the work itself: portal.kinds names who does, portal.sweeps calls them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import Merchant, Platform, User
from portal.models import FileRole, Job, JobFile, JobState

# Longer than a task may run (CELERY_TASK_TIME_LIMIT): whoever had it is dead by then.
LEASE = timedelta(minutes=6)
TRIES = 3
RETRY_AFTER = timedelta(seconds=20)
MOST_OPEN = 10  # jobs of one person that are not done yet


class TooManyJobs(DomainError):
    """Somebody has asked for a lot that is not done yet."""

    code = "too_many_jobs"
    status = 429


class JobStateConflict(DomainError):
    """The job was confirmed before, or is done."""

    code = "job_state_conflict"


class JobTaken(DomainError):
    """Another worker has this job now; whatever this one has found counts no more."""

    code = "job_taken"


@dataclass(frozen=True, slots=True)
class File:
    """A file that comes out of a job. Its name is ours, never what somebody sent."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job's work came to. `counts`: numbers its page shows, by names of its kind."""

    file: File | None = None
    errors: File | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What a kind of job is handed: the job, the time by the real clock, and whom to tell how far
    it is.

    Whoever works must be able to begin again: a killed worker's job is taken by another one.
    """

    job: Job
    at: datetime
    tell: Callable[[int, int | None], None]  # rows done, rows in all; raises JobTaken


@use_case()
def ask_for_job(
    *,
    platform: Platform,
    merchant: Merchant | None,
    user: User,
    language: str,
    kind: str,
    wanted: Mapping[str, Any],
    at: datetime,
    draft: bool = False,
) -> Job:
    """Write down that somebody wants long work done; a sweep does it.

    Args: wanted: what its kind reads. at: by the real clock. draft: only when the person says so
        again (confirm_job).
    Raises: TooManyJobs.
    """
    mine = Job.objects.filter(user=user, state__in=Job.OPEN)
    if not draft and mine.count() >= MOST_OPEN:
        raise _too_many()
    return Job.objects.create(
        platform=platform,
        merchant=merchant,
        user=user,
        language=language,
        kind=kind,
        wanted=dict(wanted),
        state=JobState.DRAFT if draft else JobState.WAITING,
        due_at=None if draft else at,
        created_at=at,
    )


@use_case()
def confirm_job(*, job_id: str, user: User, at: datetime) -> Job:
    """Let a drafted job be done, on the word of the person who has looked at it.

    Raises: JobStateConflict, TooManyJobs. Locks: the job.
    """
    job = _lock(job_id)
    if job.state != JobState.DRAFT:
        raise JobStateConflict(f"Job {job_id} is {job.state} already.", job=job_id)
    if Job.objects.filter(user=user, state__in=Job.OPEN).count() >= MOST_OPEN:
        raise _too_many()
    job.confirm(at=at)
    job.user = user
    job.save(update_fields=["state", "due_at", "user"])
    return job


@use_case()
def claim_due_job(*, at: datetime) -> Job | None:
    """Take the job that is due longest, for as long as a task may run; others do not wait for it.

    A job that was taken often and never done is given up.

    Returns: None when nothing is due.
    """
    while True:
        due = Job.objects.filter(due_at__lte=at).order_by("due_at", "pk")
        job = due.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        if job.state == JobState.WAITING:
            job.begin(at=at)
        if job.attempts < TRIES:
            job.attempts += 1
            job.due_at = at + LEASE
            job.save(update_fields=["state", "started_at", "attempts", "due_at"])
            return job
        job.give_up(at=at, failure_code="worker_died")
        job.save(update_fields=["state", "finished_at", "failure_code", "due_at"])


def tell_progress(job: Job, *, done: int, total: int | None) -> None:
    """Say how far a job is. Raises: JobTaken when it is another worker's."""
    mine = Job.objects.filter(pk=job.pk, attempts=job.attempts, finished_at__isnull=True)
    if not mine.update(done=done, total=total):
        raise JobTaken(f"Job {job.pk} is not this worker's any more.", job=job.pk)


@use_case()
def finish_job(job: Job, *, outcome: Outcome, at: datetime) -> None:
    """Keep what came out. Raises: JobTaken. Locks: the job."""
    held = _lock_mine(job)
    files = ((FileRole.RESULT, outcome.file), (FileRole.ERRORS, outcome.errors))
    JobFile.objects.bulk_create(
        JobFile(
            job=held, role=role, name=file.name, media_type=file.media_type, content=file.content
        )
        for role, file in files
        if file is not None
    )
    held.counts = dict(outcome.counts)
    held.done = held.total or held.done
    held.finish(at=at)
    held.save(update_fields=["state", "finished_at", "due_at", "counts", "done"])


@use_case()
def note_failure(job: Job, *, failure_code: str, at: datetime) -> bool:
    """Let a job be tried again in a while, or give it up after some tries.

    Returns: whether it is given up. Raises: JobTaken. Locks: the job.
    """
    held = _lock_mine(job)
    if held.attempts < TRIES:
        held.due_at = at + RETRY_AFTER
    else:
        held.give_up(at=at, failure_code=failure_code)
    held.save(update_fields=["state", "finished_at", "failure_code", "due_at"])
    return held.state == JobState.FAILED


def _lock(job_id: str) -> Job:
    return Job.objects.select_for_update(of=("self",)).get(pk=job_id)


def _lock_mine(job: Job) -> Job:
    held = _lock(job.pk)
    if held.attempts != job.attempts or held.state != JobState.RUNNING:
        raise JobTaken(f"Job {job.pk} is not this worker's any more.", job=job.pk)
    return held


def _too_many() -> TooManyJobs:
    return TooManyJobs(f"{MOST_OPEN} jobs of yours are not done yet; wait for one of them.")
