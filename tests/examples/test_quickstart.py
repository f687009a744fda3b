"""Why: the first page a developer follows must work as it stands, to the last line.

Every block of docs/quickstart.md is run in its order: `make demo` by a Holdfast that is served
here, everything else as it is written.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

import pytest

from merchants.models import Merchant
from notifications.models import Delivery, WebhookEndpoint
from orders.models import Order
from payouts.models import Payout
from settlement_site.environment import BASE_DIR
from tests.examples.street import Street

PAGE = (BASE_DIR / "docs" / "quickstart.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
DONE = "-- done"
PATIENCE_SECONDS = 20
# A Python that takes blocks, one JSON text per line, as somebody who pastes them in.
PYTHON = f"""
import json, sys
place = {{"__name__": "__main__"}}
for line in sys.stdin:
    exec(compile(json.loads(line), "quickstart.md", "exec"), place)
    print({DONE!r}, flush=True)
"""


@pytest.fixture
def folder(street: Street, tmp_path: Path) -> Path:
    """A checkout beside a running demo, as the page expects it."""
    for name in ("clients", ".venv"):
        (tmp_path / name).symlink_to((BASE_DIR / name).resolve())
    (tmp_path / "var").mkdir()
    access = {
        "api_key": street.key,
        "merchant_id": Merchant.objects.get(reference="longjing").id,
        "base_url": street.holdfast_url,
    }
    (tmp_path / "var" / "demo-access.json").write_text(json.dumps(access))
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    """pip builds with what is here and asks nobody; what it installs is found in a folder."""
    pip = {"NO_INDEX": "1", "NO_DEPS": "1", "NO_BUILD_ISOLATION": "0", "TARGET": str(folder / "in")}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        **{f"PIP_{name}": value for name, value in pip.items()},
        "PYTHONPATH": str(folder / "in"),
    }


def said(lines: Queue[str], street: Street) -> Iterator[str]:
    """What a block prints until it is done, while the world goes on."""
    while True:
        try:
            line = lines.get(timeout=0.05)
        except Empty:
            street.settle()
            continue
        assert line, "the block failed; see above"
        if line == DONE:
            return
        yield line


def listen(stream: IO[str], lines: Queue[str]) -> None:
    """Pass on each line as it comes, and at the end an empty one."""
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put("")


@pytest.mark.skipif(not (BASE_DIR / ".venv").exists(), reason="made by make, as the page says")
def test_quick_start_works_as_it_stands(street: Street, folder: Path) -> None:
    options: dict[str, Any] = {"cwd": folder, "env": environment(folder), "text": True}
    kinds = [kind for kind, _ in BLOCKS]
    (_, demo), (_, install) = BLOCKS[:2]
    assert (demo, kinds) == ("make demo\n", ["", "sh", *["python"] * 5])
    subprocess.run(["sh", "-e", "-c", install], check=True, stdin=subprocess.DEVNULL, **options)
    assert (folder / "in" / "holdfast" / "webhooks.py").exists()

    printed: list[str] = []
    lines: Queue[str] = Queue()
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 1}
    command = [sys.executable, "-u", "-c", PYTHON]
    with subprocess.Popen(command, **pipes, **options) as python:
        try:
            Thread(target=listen, args=[python.stdout, lines], daemon=True).start()
            for _kind, block in BLOCKS[2:]:
                print(json.dumps(block), file=python.stdin, flush=True)
                printed += said(lines, street)
                # The channel pays in what it has collected: payouts wait for that.
                street.sandbox.channel.remittances.cut(street.sandbox.clock.now.timestamp())
            python.stdin.close()
            python.wait(PATIENCE_SECONDS)
        finally:
            python.kill()

    order = Order.objects.get()
    payouts = {each.merchant_id: each for each in Payout.objects.all()}
    assert (python.returncode, order.state) == (0, "CONFIRMED")
    assert printed[0].startswith(f"{street.sandbox.channel.base_url}/cashier/")
    assert f"/o/{order.id}/" in printed[1]
    assert printed[2:] == [
        f"told of order.paid {order.id}",
        "paid",
        f"MERCHANT 9491 paid {payouts[order.merchant_id].id}",
        *printed[5:6],
        "SERVICE_FEE 60 kept None",
    ]
    assert printed[5].startswith("PLATFORM 450 ")
    assert payouts[order.merchant_id].state == "PAID"
    assert Delivery.objects.get(recipient=WebhookEndpoint.objects.get().pk).state == "SENT"
