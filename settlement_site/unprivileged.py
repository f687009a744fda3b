"""Runs one program as an ordinary user, because PostgreSQL refuses to run as root.

Started as a script by embedded.py: `python unprivileged.py USER PROGRAM ARGUMENT…`. It must change
nothing on the machine: no new user, and no wider permissions on the directories above the checkout.
"""

import ctypes
import os
import pwd
import sys

# Source: Linux prctl(2), capabilities(7) and linux/capability.h.
CAP_DAC_OVERRIDE = 1
PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAPABILITY_VERSION_3 = 0x20080522


def become(user: str) -> None:
    """Give up root for `user`, keeping only the right to walk into directories that belong to root.

    A checkout under /root or in a `mktemp -d` directory is closed to everybody else. Where the
    kernel does not grant this one capability we go on without it, which is enough for a checkout
    that everybody can reach.
    """
    entry = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if libc:
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if libc:
        mask = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        effective_permitted_inheritable = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        libc.capset(header, effective_permitted_inheritable)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    become(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 (no shell is what we want)
