"""Programs that use Holdfast as its customers do: over HTTP, with the client, and with no import
from the server.

In this checkout the client need not be installed; elsewhere, `pip install holdfast`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("holdfast") is None:
    sys.path.insert(0, str(Path(__file__).parent.parent / "clients" / "python" / "src"))
