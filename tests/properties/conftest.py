"""How hard Hypothesis tries: 50 examples, or 10,000 with HYPOTHESIS_PROFILE=campaign. Every run
says its seed.
"""

import os
import secrets

import hypothesis
import pytest
from hypothesis import HealthCheck, core

from tests.stage import transactional_db

__all__ = ["transactional_db"]

COMMON = {
    "deadline": None,  # a loaded machine is no failure
    "print_blob": True,
    "suppress_health_check": [
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
}
hypothesis.settings.register_profile(
    "holdfast", max_examples=50, stateful_step_count=25, derandomize=False, **COMMON
)
hypothesis.settings.register_profile(
    "campaign", max_examples=10_000, stateful_step_count=40, derandomize=False, **COMMON
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "holdfast")
hypothesis.settings.load_profile(PROFILE)

# Hypothesis names a seed only after a failure; ours is chosen here, so that every run can say it.
if core.global_force_seed is None:
    core.global_force_seed = secrets.randbelow(2**32)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(
        f"hypothesis: profile {PROFILE}, again with --hypothesis-seed={core.global_force_seed}"
    )
