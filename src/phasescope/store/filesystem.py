"""Which file system a path lies on, as far as it matters to SQLite."""

from __future__ import annotations

import os
import re
from pathlib import Path

# Shared memory does not reach across hosts, so SQLite's write-ahead log is not safe on these.
NETWORK = frozenset(
    {"9p", "afp", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "gpfs"}
    | {"lustre", "nfs", "nfs4", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs"}
)


def filesystem_type(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """Type of the file system that holds `path`, for example `"ext4"`; `None` where the system does not tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    where = os.path.realpath(path)
    best: tuple[int, str] | None = None
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1])
        inside = where == mount or where.startswith(mount.rstrip("/") + "/")
        if inside and (best is None or len(mount) >= best[0]):  # a later mount hides an earlier one
            best = (len(mount), fields[2])
    return best[1] if best else None


def is_network(path: Path) -> bool:
    """Whether `path` is known to lie on a network file system."""
    return filesystem_type(path) in NETWORK
