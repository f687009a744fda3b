"""What the door for people remembers of its own: long work somebody asked for, and saved views.

It must never hold a fact of money: everything here may be deleted and asked for again.
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Language, Merchant, Platform


class JobState(models.TextChoices):
    DRAFT = "DRAFT", _("To be confirmed")
    WAITING = "WAITING", _("About to begin")
    RUNNING = "RUNNING", _("At work")
    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Failed")


class Job(FSMModelMixin, models.Model):
    """Long work for one person, done by a sweep: an upload, an export, a statement.

    It is of a seller, or of a platform when `merchant` is empty; others never see it.
    """

    OPEN = (JobState.WAITING, JobState.RUNNING)

    id = IdField(prefix="job", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    language = models.CharField(max_length=10, choices=Language.choices)  # of what is written
    kind = models.CharField(max_length=32)  # a name of portal.kinds.KINDS
    wanted = models.JSONField(default=dict, blank=True)  # what was asked for, as its kind reads it
    state = FSMField(default=JobState.WAITING, choices=JobState.choices, protected=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)  # empty: not known yet
    counts = models.JSONField(default=dict, blank=True)  # what came out, by names of its kind
    # Who works on it: a worker that was overtaken may write nothing more.
    attempts = models.PositiveSmallIntegerField(default=0)
    # When a sweep may take it: at once, or when the lease of a worker that died is over.
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            models.CheckConstraint(
                condition=Q(total__isnull=True) | Q(done__lte=F("total")), name="job_done_of_total"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "RUNNING"], due_at__isnull=False)
                | Q(state__in=["DRAFT", "DONE", "FAILED"], due_at__isnull=True),
                name="job_due_while_open",
            ),
        ]
        indexes = [
            models.Index("merchant", "id", name="job_of_merchant"),
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="job_due"),
        ]
        triggers = [
            StateGraph(
                name="job_state_graph",
                field="state",
                transitions=[
                    ("DRAFT", "WAITING"),
                    ("WAITING", "RUNNING"),
                    ("RUNNING", "DONE"),
                    ("RUNNING", "FAILED"),
                ],
                requires={
                    "RUNNING": ("started_at",),
                    "DONE": ("finished_at",),
                    "FAILED": ("finished_at", "failure_code"),
                },
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.kind})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @transition(field=state, source=JobState.DRAFT, target=JobState.WAITING)
    def confirm(self, *, at: datetime) -> None:
        self.due_at = at

    @transition(field=state, source=JobState.WAITING, target=JobState.RUNNING)
    def begin(self, *, at: datetime) -> None:
        self.started_at = at

    @transition(field=state, source=JobState.RUNNING, target=JobState.DONE)
    def finish(self, *, at: datetime) -> None:
        self.due_at = None
        self.finished_at = at

    @transition(field=state, source=JobState.RUNNING, target=JobState.FAILED)
    def give_up(self, *, at: datetime, failure_code: str) -> None:
        self.due_at = None
        self.finished_at = at
        self.failure_code = failure_code


class FileRole(models.TextChoices):
    RESULT = "RESULT", _("Result")
    ERRORS = "ERRORS", _("What went wrong")


class JobFile(models.Model):
    """A file that came out of a job, to be downloaded."""

    job = models.ForeignKey(Job, models.PROTECT, related_name="files", db_index=False)
    role = models.CharField(max_length=6, choices=FileRole.choices)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=100)
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "role"], name="jobfile_once")]

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """Filters of a list that a person has given a name."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False
    )
    page = models.CharField(max_length=32)  # which list: `orders`
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)  # the list's query string
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="savedview_name_once")
        ]

    def __str__(self) -> str:
        return self.name
