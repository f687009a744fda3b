"""Opens the shop beside a running demo of Holdfast, or against any Holdfast in test mode."""

import argparse
import json
import os
import socket
from pathlib import Path

from werkzeug.serving import make_server

from examples.shop.app import create_app
from examples.shop.store import Store
from holdfast import Holdfast


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m examples.shop", description=__doc__)
    asked.add_argument("--port", type=int, default=8010)
    asked.add_argument("--key", help="API key; by default the one `make demo` has written down")
    asked.add_argument("--holdfast", help="address of Holdfast; by default the demo's")
    given, var = asked.parse_args(), Path(os.environ.get("HOLDFAST_VAR", "var"))
    demo = var / "demo-access.json"
    access = json.loads(demo.read_text("utf-8")) if demo.exists() else {}
    key, holdfast = given.key or access.get("api_key"), given.holdfast or access.get("base_url")
    if not key or not holdfast:
        asked.error(f"start `make demo` first ({demo} says nothing), or give --key and --holdfast")
    held = socket.create_server(("127.0.0.1", given.port))  # before a secret is taken for it
    url, client = f"http://127.0.0.1:{given.port}", Holdfast(key, holdfast)
    app = create_app(client, Store(var / "shop.sqlite3"), url, take_secret(client, url))
    print(f"The shop is open at {url}. Ctrl-C closes it.", flush=True)
    make_server("127.0.0.1", given.port, app, True, fd=held.fileno()).serve_forever()


def take_secret(client: Holdfast, url: str) -> str:
    """Be told of events. A secret is answered only once, so each start takes a new one."""
    url, endpoints = f"{url}/webhooks/holdfast", client.webhook_endpoints
    known = next((each for each in endpoints.list() if each.url == url), None)
    if known is None:
        return endpoints.create(url=url, description="Example shop").secret
    endpoints.update(known.id, enabled=True)
    return endpoints.roll_secret(known.id, overlap_hours=0).secret


if __name__ == "__main__":
    main()
