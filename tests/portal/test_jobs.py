"""Why: long work must be done once, by whoever is alive, and shown to nobody else."""

import csv
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from merchants.models import Role
from portal import jobs, kinds, sweeps
from portal.models import Job, JobFile, JobState
from tests.factories import UserFactory
from tests.world import START, World

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def ask(world: World, **changes: Any) -> Job:
    wanted = {
        "platform": world.platform,
        "merchant": world.merchants[0],
        "user": UserFactory(merchant=world.merchants[0]),
        "language": "en",
        "kind": "export_orders",
        "wanted": {"form": "csv", "query": ""},
        "at": START,
    }
    return jobs.ask_for_job(**{**wanted, **changes})


def exported(client: Client, form: str = "csv", query: str = "") -> bytes:
    page = client.post("/portal/orders/export", {"form": form, "query": query})["Location"]
    assert sweeps.run_due_jobs(at=timezone.now()) == 1
    return client.get(f"{page}/result").content


def test_export_writes_what_the_list_shows_as_csv(world: World, sign_in: SignIn) -> None:
    order, _token = world.create_order(buyer_name="=HYPERLINK(1)")
    world.create_order(reference="other")
    foreign, _token = world.create_order(world.add_merchant())
    client = sign_in(merchant=world.merchants[0])

    text = exported(client, query=f"q={order.reference}").decode("utf-8-sig")

    [row] = csv.DictReader(io.StringIO(text))
    assert (row["Order"], row["Amount"], row["Currency"]) == (order.reference, "100.01", "CNY")
    assert row["Buyer"] == "'=HYPERLINK(1)"
    assert row["Created"] == "2026-03-02 17:00:00"  # in Shanghai
    assert foreign.reference not in text


def test_export_writes_xlsx_in_the_reader_s_language(world: World, sign_in: SignIn) -> None:
    world.create_order(buyer_name="+1")
    client = sign_in(platform=world.platform, language="zh-hans")

    sheet = openpyxl.load_workbook(io.BytesIO(exported(client, "xlsx"))).active

    head, row = sheet.iter_rows(values_only=True)
    assert head[0] == "订单"
    assert (row[3], float(row[6])) == ("'+1", 100.01)


def test_job_page_shows_how_far_it_is_and_then_its_files(world: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=world.merchants[0])
    page = client.post("/portal/orders/export", {"form": "csv", "query": ""})["Location"]

    before = client.get(page).content.decode()
    sweeps.run_due_jobs(at=START)
    after = client.get(page).content.decode()

    assert 'hx-trigger="every 2s"' in before
    assert "About to begin" in before
    assert "hx-trigger" not in after
    assert f"{page}/result" in after


def test_job_of_others_is_not_found(world: World, sign_in: SignIn) -> None:
    job = ask(world)
    sweeps.run_due_jobs(at=START)
    foreign = sign_in(merchant=world.add_merchant())
    above = sign_in(platform=world.platform)

    answers = [
        client.get(path).status_code
        for client in (foreign, above)
        for path in (f"/portal/jobs/{job.pk}", f"/portal/jobs/{job.pk}/result")
    ]

    assert answers == [404, 404, 404, 404]
    assert job.pk not in foreign.get("/portal/jobs").content.decode()


def test_file_is_saved_and_never_shown(world: World, sign_in: SignIn) -> None:
    job = ask(world)
    sweeps.run_due_jobs(at=START)

    answer = sign_in(merchant=world.merchants[0]).get(f"/portal/jobs/{job.pk}/result")

    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"


def test_sweep_does_a_job_once(world: World) -> None:
    job = ask(world)

    done = [sweeps.run_due_jobs(at=START) for _time in range(2)]

    assert done == [1, 0]
    assert JobFile.objects.filter(job=job).count() == 1


def test_job_of_a_killed_worker_is_taken_when_its_lease_is_over(world: World) -> None:
    job = ask(world)
    killed = jobs.claim_due_job(at=START)

    early = sweeps.run_due_jobs(at=START + jobs.LEASE - timedelta(seconds=1))
    late = sweeps.run_due_jobs(at=START + jobs.LEASE)

    assert killed is not None
    assert (early, late) == (0, 1)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    with pytest.raises(jobs.JobTaken):
        jobs.tell_progress(killed, done=1, total=1)
    with pytest.raises(jobs.JobTaken):
        jobs.finish_job(killed, outcome=jobs.Outcome(), at=START)


def test_job_somebody_is_taking_is_left_to_them(world: World) -> None:
    ask(world)
    found: list[int] = []

    def sweep() -> None:
        found.append(sweeps.run_due_jobs(at=START))
        connection.close()

    with transaction.atomic():
        Job.objects.select_for_update().get()
        beside = threading.Thread(target=sweep)
        beside.start()
        beside.join()

    assert found == [0]
    assert sweeps.run_due_jobs(at=START) == 1


def test_job_that_fails_is_tried_again_and_then_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(work: jobs.Work) -> jobs.Outcome:
        raise ValueError("no")

    broken = kinds.Kind("Broken", fail, {}, "portal:orders")
    monkeypatch.setitem(kinds.KINDS, "broken", broken)
    job = ask(world, kind="broken")

    for turn in range(4):
        sweeps.run_due_jobs(at=START + turn * jobs.RETRY_AFTER)

    job.refresh_from_db()
    assert (job.state, job.attempts, job.failure_code) == (JobState.FAILED, 3, "job_failed")


def test_job_whose_workers_die_is_given_up(world: World) -> None:
    job = ask(world)

    for turn in range(jobs.TRIES + 1):
        jobs.claim_due_job(at=START + turn * jobs.LEASE)

    job.refresh_from_db()
    assert (job.state, job.failure_code) == (JobState.FAILED, "worker_died")


def test_nobody_asks_for_more_than_ten_jobs_at_once(world: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=world.merchants[0], role=Role.VIEWER)
    for _time in range(jobs.MOST_OPEN):
        client.post("/portal/orders/export", {"form": "csv"})

    answer = client.post("/portal/orders/export", {"form": "csv"}, follow=True)

    assert "are not done yet" in answer.content.decode()
    assert Job.objects.count() == jobs.MOST_OPEN


def test_job_is_confirmed_once(world: World) -> None:
    job = ask(world, draft=True)
    idle = sweeps.run_due_jobs(at=START)

    jobs.confirm_job(job_id=job.pk, user=job.user, at=START)

    assert idle == 0
    with pytest.raises(jobs.JobStateConflict):
        jobs.confirm_job(job_id=job.pk, user=job.user, at=START)
    assert sweeps.run_due_jobs(at=START) == 1


def test_old_jobs_are_forgotten_with_their_files(world: World) -> None:
    ask(world)
    sweeps.run_due_jobs(at=START)
    open_one = ask(world)

    kept = sweeps.forget_old_jobs(at=START + sweeps.KEPT)
    gone = sweeps.forget_old_jobs(at=START + sweeps.KEPT + timedelta(seconds=1))

    assert (kept, gone) == (0, 1)
    assert list(Job.objects.all()) == [open_one]
    assert JobFile.objects.count() == 0


def test_database_lets_no_job_jump(world: World) -> None:
    job = ask(world)

    with (
        pytest.raises(Exception, match="may not go from WAITING to DONE"),
        connection.cursor() as c,
    ):
        c.execute(
            "UPDATE portal_job SET state = 'DONE', due_at = NULL, finished_at = now()"
            " WHERE id = %s",
            [job.pk],
        )
