"""Long work somebody asked for: how far it is, what came out, and its files."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from api import nudge
from merchants.models import Language
from portal import jobs
from portal.access import PortalRequest, member_page
from portal.kinds import KINDS
from portal.lists import page_of
from portal.models import FileRole, Job, JobFile, JobState
from portal.refusals import attempt

TONES = {
    JobState.DRAFT: "warning",
    JobState.WAITING: "info",
    JobState.RUNNING: "info",
    JobState.DONE: "success",
    JobState.FAILED: "danger",
}


@require_safe
@member_page()
def list_jobs(request: PortalRequest) -> HttpResponse:
    """Show what was asked for lately, newest first."""
    rows = request.member.jobs().select_related("user").defer("wanted")
    return render(
        request,
        "portal/pages/jobs.html",
        {"listing": page_of(request, rows, prepare=lambda page: [_shown(job) for job in page])},
    )


@require_safe
@member_page()
def show_job(request: PortalRequest, job_id: str) -> HttpResponse:
    """Show how far a job is. While it is open the page asks again by itself."""
    job = request.member.jobs().select_related("user").defer("wanted").filter(pk=job_id).first()
    if job is None:
        raise Http404
    files = {file.role: file for file in JobFile.objects.filter(job=job).defer("content")}
    return render(
        request,
        "portal/pages/job.html",
        _shown(job) | {"result": files.get(FileRole.RESULT), "errors": files.get(FileRole.ERRORS)},
    )


@require_safe
@member_page()
def download_file(request: PortalRequest, job_id: str, role: str) -> HttpResponse:
    """Hand out a file that came out of a job, to be saved, never to be shown."""
    files = JobFile.objects.filter(job__in=request.member.jobs(), job_id=job_id)
    file = files.filter(role=role.upper()).first()
    if file is None:
        raise Http404
    return attachment(jobs.File(file.name, file.media_type, bytes(file.content)))


def attachment(file: jobs.File) -> HttpResponse:
    """Answer with a file that is saved, and kept by nobody on the way."""
    answer = HttpResponse(file.content, content_type=file.media_type)
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


def ask(
    request: PortalRequest, *, kind: str, wanted: dict[str, Any], done: str | Promise
) -> HttpResponse:
    """Ask for long work and show its page; when that is refused, the page of its kind."""
    job = ask_for(request, kind=kind, wanted=wanted, done=done)
    return redirect(KINDS[kind].back) if job is None else redirect("portal:job", job.pk)


def ask_for(
    request: PortalRequest, *, kind: str, wanted: dict[str, Any], done: str | Promise
) -> Job | None:
    """Ask for long work. Returns: None when that was refused, and the person was told."""
    member = request.member
    job = attempt(
        request,
        lambda: jobs.ask_for_job(
            platform=member.platform,
            merchant=member.merchant,
            user=member.user,
            language=language(),
            kind=kind,
            wanted=wanted,
            at=timezone.now(),
        ),
        done=done,
    )
    if job is not None:
        nudge.after_asking_for_job()
    return job


def language() -> str:
    """The reader's, in which a job writes its files."""
    now = get_language()
    return now if now in Language.values else Language.ENGLISH


def _shown(job: Job) -> dict[str, Any]:
    kind = KINDS[job.kind]
    return {
        "job": job,
        "label": kind.label,
        "tone": TONES[JobState(job.state)],
        "back": kind.back,
        "review": kind.review,
        "shows": kind.shows,
        "counts": [
            (label, job.counts[name]) for name, label in kind.counts.items() if job.counts.get(name)
        ],
    }
