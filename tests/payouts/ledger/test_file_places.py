"""One ledger by two names: what one run has written, the other must see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dgspay.payouts import Batch, BatchBusyError, LedgerError, Payout, SqliteLedger, Terms
from dgspay.payouts.ledger.file_places import mounts, require_local_disk
from dgspay.payouts.status import require_batch

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")

# Puts a payout in doubt, and dies before SQLite moves the commit out of its second file.
DIES = """
import os, sys
from dgspay.payouts import SqliteLedger
from dgspay.payouts.status import require_batch
ledger = SqliteLedger(sys.argv[1])
chunk = ledger.claim(require_batch(ledger, "b"), 0, 1, 1)
os._exit(len(ledger.take(chunk, after=0, limit=1)))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A ledger with one payout that was not sent."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    place = tmp_path / "first" / "ledger.sqlite3"
    with SqliteLedger(place) as ledger:
        payout = Payout(number=1, reference="r1", amount=1000, account="1")
        ledger.load(Batch(name="b", digest="d", terms=TERMS), [payout])
        ledger.start("b")
    return place


def taken_up_by(place: Path) -> int:
    return subprocess.run([sys.executable, "-c", DIES, place], check=False, timeout=170).returncode


@pytest.mark.acceptance(52, "killed-run")
def test_a_hard_link_is_refused_for_it_forgets_who_was_paid(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "second" / "ledger.sqlite3"
    assert taken_up_by(place) == 1
    other.hardlink_to(place)
    for name in (place, other):
        with pytest.raises(LedgerError, match="second name"):
            SqliteLedger(name)
    other.unlink()
    with SqliteLedger(place) as ledger:
        chunk = ledger.claim(require_batch(ledger, "b"), 0, 1, 1)
        assert ledger.take(chunk, after=0, limit=1) == []


@pytest.mark.acceptance(53, "two-workers")
def test_a_symbolic_link_is_the_same_ledger_with_the_same_lock(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "second" / "ledger.sqlite3"
    other.symlink_to(place)
    assert taken_up_by(other) == 1
    with SqliteLedger(place) as ledger, SqliteLedger(other) as same:
        chunk = same.claim(require_batch(same, "b"), 0, 1, 1)
        assert same.take(chunk, after=0, limit=1) == []
        with ledger.only_run("b"), pytest.raises(BatchBusyError), same.only_run("b"):
            pytest.fail("two runs at once")


@pytest.mark.acceptance(52, "killed-run")
def test_a_file_that_is_mounted_by_itself_is_refused(place: Path, tmp_path: Path) -> None:
    """`docker run -v ledger.sqlite3:/data/ledger.sqlite3`: the second file dies with it."""
    inside = tmp_path / "second" / "a ledger.sqlite3"
    inside.touch()
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("only root may mount")
    script = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$2"'
    arguments: list[str | Path] = [place, inside, sys.executable, DIES]
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=170,
    )
    if "mount:" in ran.stderr or "unshare" in ran.stderr:
        pytest.skip("nothing can be mounted here")
    assert "mounted by itself" in ran.stderr


TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:40 / /mnt/share rw - {share} files:/payroll rw
31 22 0:41 / /mnt/with\\040space rw - {share} files:/payroll rw
32 30 254:1 / /mnt/share/disk rw - xfs /dev/vdb rw
33 22 0:42 / /srv rw master:1 propagate_from:2 - {share} files:/old rw
34 22 254:2 / /srv rw - btrfs /dev/vdc rw
a line of a kind nobody knows
"""


@pytest.mark.acceptance(99, "lost-history")
@pytest.mark.parametrize(
    "share",
    ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.rclone", "ceph", "virtiofs", "afs"],
)
def test_a_network_disk_is_refused(share: str) -> None:
    found = mounts(TABLE.format(share=share).encode())
    for place in ("/mnt/share/l.sqlite3", "/mnt/share/a/b/l.sqlite3", "/mnt/with space/l.sqlite3"):
        with pytest.raises(LedgerError, match=rf"network disk \({share}\).*Nothing was sent"):
            require_local_disk(Path(place), found)
    # A disk of its own within the share, one that hides a share, and a name that begins alike.
    for place in ("/mnt/share/disk/l.sqlite3", "/srv/l.sqlite3", "/mnt/shared/l.sqlite3"):
        require_local_disk(Path(place), found)


@pytest.mark.acceptance(99, "lost-history")
@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuseblk"])
def test_a_disk_of_this_machine_is_accepted(kind: str) -> None:
    """Without an assertion: a disk that is refused raises."""
    require_local_disk(Path("/l.sqlite3"), mounts(f"22 1 254:0 / / rw - {kind} disk rw".encode()))


@pytest.mark.acceptance(99, "lost-history")
def test_a_real_network_disk_is_refused_by_the_ledger_itself(tmp_path: Path) -> None:
    """Where the system's own table says so: a mount of a kind that may be made here."""
    share = tmp_path / "share"
    share.mkdir()
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("only root may mount")
    script = (
        'mount -t tmpfs tmpfs "$1" && exec "$2" -c "'
        "from dgspay.payouts.ledger import file_places; "
        "file_places._NETWORK = file_places._NETWORK | {'tmpfs'}; "
        "from dgspay.payouts import SqliteLedger; "
        "SqliteLedger('$1/l.sqlite3')"
        '"'
    )
    arguments: list[str | Path] = [share, sys.executable]
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=170,
    )
    if "mount:" in ran.stderr or "unshare" in ran.stderr:
        pytest.skip("nothing can be mounted here")
    assert "is on a network disk (tmpfs)" in ran.stderr
    assert not [*share.iterdir()]
