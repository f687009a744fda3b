"""The due work of the portal. Each sweep takes `at`, may run twice or late."""

import logging
from datetime import datetime, timedelta

import pghistory
from django.utils import translation

from common.errors import DomainError
from portal import jobs
from portal.kinds import KINDS
from portal.models import Job, JobFile

log = logging.getLogger(__name__)
KEPT = timedelta(days=30)
BATCH = 200


def run_due_jobs(*, at: datetime) -> int:
    """Do one job that is due: one a call, so that a long one has all the time of its task.

    Returns: how many were taken.
    """
    job = jobs.claim_due_job(at=at)
    if job is None:
        return 0

    def tell(done: int, total: int | None) -> None:
        jobs.tell_progress(job, done=done, total=total)

    try:
        with translation.override(job.language), pghistory.context(actor=_actor(job)):
            outcome = KINDS[job.kind].run(jobs.Work(job, at, tell))
        jobs.finish_job(job, outcome=outcome, at=at)
    except jobs.JobTaken as taken:
        log.warning("%s", taken)
    except Exception as trouble:  # one job must not stop the sweep; it is tried again
        log.exception("job %s failed", job.pk)
        code = trouble.code if isinstance(trouble, DomainError) else "job_failed"
        jobs.note_failure(job, failure_code=code, at=at)
    return 1


def _actor(job: Job) -> str:
    """As the page names them on which the job was asked for."""
    return f"{'seller' if job.merchant_id else 'platform'}:{job.user_id}"


def forget_old_jobs(*, at: datetime) -> int:
    """Delete jobs and their files after 30 days. Returns: how many; more may be left."""
    old = Job.objects.filter(created_at__lt=at - KEPT).exclude(state__in=Job.OPEN)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH])
    JobFile.objects.filter(job_id__in=ids).delete()
    deleted, _by_model = Job.objects.filter(pk__in=ids).delete()
    return deleted
