"""What stands in for `privileged` where root itself lacks a capability, as in many a sandbox.

Docker gives a privileged container every capability there is, and fails where this machine lacks one. So it
gets those that are here, and the rest of what the word means one by one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

# By their numbers (capability.h), as far as Debian 12's Docker knows them.
_CAPABILITIES: Final = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE"
    " NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT"
    " SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE"
    " AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ"
)


def almost_privileged() -> dict[str, list[str]]:
    """In the words of a compose file."""
    held = int(Path("/proc/self/status").read_text().partition("CapBnd:\t")[2].split()[0], 16)
    return {
        "cap_add": [name for number, name in enumerate(_CAPABILITIES.split()) if held >> number & 1],
        "security_opt": ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"],
        "device_cgroup_rules": ["a *:* rwm"],
        "volumes": ["/sys/fs/cgroup:/sys/fs/cgroup"],
    }


def as_flags() -> list[str]:
    """In the words of `docker run`."""
    given = almost_privileged()
    names = {
        "cap_add": "--cap-add",
        "security_opt": "--security-opt",
        "device_cgroup_rules": "--device-cgroup-rule",
        "volumes": "--volume",
    }
    return [word for key, flag in names.items() for value in given[key] for word in (flag, value)]
