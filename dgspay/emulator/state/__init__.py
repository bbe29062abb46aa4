"""State that outlives the emulator's process: a SQLite file, and named snapshots.

Whatever was answered is on disk before its answer leaves: `kill -9` loses none of it. (A power
cut may lose the last moments, and leaves the file whole.) The request log is not kept, and
nothing of a card, a PIN or an OTP is ever in the file.
"""

from __future__ import annotations

from dgspay.emulator.state.file_recorder import FileRecorder
from dgspay.emulator.state.sqlite_file import Snapshot, StateFile
from dgspay.emulator.state.store import StateStore, merchants_in

__all__ = ["FileRecorder", "Snapshot", "StateFile", "StateStore", "merchants_in"]
