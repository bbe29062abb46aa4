"""Places where a ledger's file may be: SQLite keeps its last commits in a second file beside it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import attrs

from dgspay.payouts.errors import LedgerError

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")

# Between machines, or between a machine and its host: locks are forgotten there, and the memory
# that SQLite's processes share is not shared.
_NETWORK = frozenset((
    *("9p", "acfs", "afp", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs"),
    *("gfs2", "glusterfs", "gpfs", "lustre", "moosefs", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2"),
    *("orangefs", "prl_fs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"),
    *("vmhgfs", "webdav"),
))  # fmt: skip
# What is mounted by a program of the user's is nearly always another machine.
_FUSE_DISKS = frozenset(
    ("fuseblk", "fuse.exfat", "fuse.ext2", "fuse.ntfs", "fuse.ntfs-3g", "fuse.fuse-overlayfs")
)


@attrs.frozen
class Mount:
    """A line of the system's table of mounts.

    Attributes:
        point: The folder, or the file, that something is mounted on.
        kind: The kind of file system, such as `ext4` or `nfs4`.
    """

    point: Path
    kind: str


def mounts(table: bytes | None = None) -> list[Mount] | None:
    """Return what is mounted, the latest last; None where the system has no such table.

    Args:
        table: The text of `/proc/self/mountinfo`, for tests.
    """
    if table is None:
        try:
            table = _MOUNTS.read_bytes()
        except OSError:
            return None
    found = []
    for line in table.splitlines():
        before, separator, after = line.partition(b" - ")
        fields = before.split(b" ")
        if separator and len(fields) > 4:
            point = os.fsdecode(_OCTAL.sub(_character, fields[4]))
            found.append(Mount(Path(point), os.fsdecode(after.split(b" ")[0])))
    return found


def require_one_name(path: Path, found: list[Mount] | None) -> None:
    """Refuse a file whose last commits would be missed by a run that opens it elsewhere.

    They are in the file with `-wal` at the end of its name, beside it, until SQLite moves them. Of
    a file with two names, or one that is mounted by itself, they stay behind in another folder:
    who was paid would be forgotten, and be paid again.

    Args:
        path: The file.
        found: What is mounted.

    Raises:
        LedgerError: the file has a second name, or is a mount.
    """
    if path.stat().st_nlink > 1:
        raise LedgerError(
            f"{path} has a second name (a hard link), by which another run would not see what this "
            "one writes. Remove one of the two; a symbolic link does no harm. Nothing was sent"
        )
    if path.is_mount() if found is None else any(mount.point == path for mount in found):
        raise LedgerError(
            f"{path} is mounted by itself, so that SQLite's files beside it would be lost with the "
            "container. Mount its folder instead. Nothing was sent"
        )


def require_local_disk(path: Path, found: list[Mount] | None) -> None:
    """Refuse a file on a network: two machines could pay from it at once.

    Raises:
        LedgerError: it is on one.
    """
    if os.name == "nt":
        network = str(path).startswith("\\\\")
        kind = "a network share"
    else:
        under = [mount for mount in found or () if path.is_relative_to(mount.point)]
        # The deepest counts; of two on one folder, the later one hides the other.
        deepest = max(
            enumerate(under), key=lambda one: (len(one[1].point.parts), one[0]), default=None
        )
        kind = "" if deepest is None else deepest[1].kind
        network = kind.lower() in _NETWORK or (kind.startswith("fuse") and kind not in _FUSE_DISKS)
    if network:
        raise LedgerError(
            f"{path} is on a network disk ({kind}), where locks do not hold: two machines could "
            "pay from it at once. Nothing was sent. Name a ledger on a disk of this machine, or "
            "share one in PostgreSQL (--ledger postgresql://...)"
        )


def _character(escaped: re.Match[bytes]) -> bytes:
    return bytes([int(escaped.group(1), 8)])
