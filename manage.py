#!/usr/bin/env python3
"""Runs one command of Holdfast.

It must hold no logic: it finds the settings and the database, then steps aside.
"""

import os
import sys

# These never open the database, so nothing is started for them.
WITHOUT_SERVICES = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
    }
    | {"sandbox_bank", "sandbox_channel", "version"}
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from settlement_site import embedded

    _ = settings.SECRET_KEY  # A bad setting ends the program here, with its one sentence.
    embedded.exit_on_termination()
    asks_for_help = {"--help", "-h", "--version"} & set(sys.argv[1:])
    if len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_SERVICES and not asks_for_help:
        embedded.start()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
