"""Takes pictures of every page in every look: `python -m tests.browser`, into var/screenshots."""

import os
import sys

import pytest

FOLDER = os.environ.setdefault("SCREENSHOTS", "var/screenshots")

if __name__ == "__main__":
    print(f"Pictures go to {FOLDER}/.", flush=True)
    sys.exit(pytest.main(["-q", "tests/browser/test_gallery.py", "--timeout", "3600"]))
