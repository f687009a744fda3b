"""Keeps what a shop sends and what it is answered, for the examples of the API's description.

It must never keep a key, a token or a secret: evident words of the same form stand in their place.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.api import described
from tests.api.shop import Answer, Shop
from tests.world import START

PLACEHOLDERS = {
    "payment_reference": "DR7K3M9QXA",  # no secret, but another in each run
    "secret": "whsec_RVhBTVBMRS1PTkxZLW5vdC1hLXNlY3JldC1hdC1hbGw=",
    "buyer_token": "EXAMPLE-ONLY-the-token-of-this-buyer-xxxxxx",
    "token": "EXAMPLE-ONLY-the-token-of-this-buyer-xxxxxx",
}
CASHIER = re.compile(r"(/cashier/)[\w-]+")
LINK = re.compile(r"(/(?:o|pay)/\w+/)[\w.-]{20,}")  # to a buyer's page: its last part is a right
IDS = re.compile(r"\b([a-z]{2,4}_)[0-9a-f]{32}\b")
START_MS = int(START.timestamp() * 1000)


@dataclass
class Tape:
    """A shop whose requests are noted. A second passes after each, so that ids sort as made."""

    shop: Shop
    renamed: dict[str, str]  # addresses of this machine, and what is written instead
    exchanges: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: Any) -> Any:
        return self.take("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.take("POST", path, body, **more)

    def take(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        says: str,
        status: int = 0,
        key: str | None = None,
    ) -> Any:
        """Make one request and note it. Args: says: what the example shows. status: what is
        expected; 0: any success. key: instead of the shop's own. Returns: the answer's body.
        """
        key = self.shop.key if key is None else key
        answer = self.shop.door.send(method, path, body, key=key)
        assert answer.status_code == status or (not status and answer.status_code < 300), (
            f"{method} {path} {answer.status_code}: {answer.content!r}"
        )
        is_json = "json" in answer.headers.get("Content-Type", "")
        found = json.loads(answer.content) if answer.content and is_json else None
        self._keep(method, path, body, answer, found, says)
        self.shop.wait(seconds=1)
        return found

    def _keep(
        self, method: str, path: str, body: Any, answer: Answer, found: Any, says: str
    ) -> None:
        operation = described.find_operation(method, path.partition("?")[0])
        assert operation, path
        name = found["code"] if answer.status_code >= 400 else says.lower().replace(" ", "_")
        exchange = {"name": re.sub(r"\W", "", name), "summary": says, "request": f"{method} {path}"}
        if body is not None:
            exchange["sent"] = body
        exchange["status"] = answer.status_code
        if found is not None:
            exchange["answered"] = found
        of = described.operations()[operation]["operationId"]
        self.exchanges.setdefault(of, []).append(self._masked(exchange))

    def _masked(self, found: Any, name: str = "") -> Any:
        """The same without what is secret, or only of this run or this machine."""
        if isinstance(found, dict):
            return {each: self._masked(value, each) for each, value in found.items()}
        if isinstance(found, list):
            return [self._masked(each) for each in found]
        if not isinstance(found, str):
            return found
        if name == "next_cursor":
            return _cursor(self._masked(_decoded(found)))
        if name in PLACEHOLDERS:
            return PLACEHOLDERS[name]
        for here, elsewhere in self.renamed.items():
            found = found.replace(here, elsewhere)
        found = LINK.sub(r"\1EXAMPLE-ONLY", CASHIER.sub(r"\1EXAMPLE", found))
        return IDS.sub(self._id, found)

    def _id(self, found: re.Match[str]) -> str:
        """Ids are counted as they come up, so that a new recording differs only where the API
        does."""
        count = len(self._ids) + 1
        made = f"{found[1]}{START_MS + count:012x}{sha256(str(count).encode()).hexdigest()[:20]}"
        return self._ids.setdefault(found[0], made)

    def files(self) -> dict[str, dict[str, Any]]:
        """The exchanges by file: one per first word of their addresses."""
        found: dict[str, dict[str, Any]] = {}
        for (_, path), operation in described.operations().items():
            of = operation["operationId"]
            if of in self.exchanges:
                found.setdefault(f"{path.split('/')[2]}.json", {})[of] = self.exchanges[of]
        return found


def write(files: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write a recording in place of the one before."""
    for path in folder.glob("*.json"):
        path.unlink()
    for name, exchanges in files.items():
        text = json.dumps(exchanges, ensure_ascii=False, indent=1)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def shape(found: Any, path: str = "") -> set[str]:
    """Every path to a value, and of what kind it is: what is the same whenever it is recorded."""
    if isinstance(found, dict):
        inner = ((f"{path}/{name}", value) for name, value in found.items())
    elif isinstance(found, list):
        inner = ((f"{path}/{_named(each)}", each) for each in found)
    else:
        return {f"{path}: {type(found).__name__}"}
    return {path}.union(*(shape(value, name) for name, value in inner))


def _named(found: Any) -> str:
    """An exchange of a list goes by its name; the others are all alike."""
    return str(found["name"]) if isinstance(found, dict) and "summary" in found else "-"


def _decoded(cursor: str) -> str:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
