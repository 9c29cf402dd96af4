"""What has been done for a participant: kept in the output, read when the app runs again.

The state names each surface's inputs and parameters by one digest, and each file written by its
SHA-256. A surface is finished if its digest is the same and its files are there and whole; then
nothing is computed. No time stamps: the same work leaves the same bytes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectralbrain._version import __version__
from spectralbrain.bids.entities import natural_key
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import Parameters
from spectralbrain.io._atomic import write_text_atomic

RECORD = "record.json"  # what a surface's sink wrote, in its folder of the work directory
STATE_FOLDER = Path("logs", "participants")
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_BLOCK = 1 << 20


@dataclass
class SurfaceState:
    """What is known of one surface: its digest, what became of it, and its files."""

    digest: str
    status: str  # 'ok', 'partial' (a part is missing, see reason) or 'failed' (no result)
    reason: str = ""
    entities: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class ParticipantState:
    """The surfaces of a participant by key, and the files made of all of them."""

    surfaces: dict[str, SurfaceState] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    report_of: str = ""  # digest of what the report was made from


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def surface_digest(surface: SurfaceInput, parameters: Parameters) -> str:
    """Return what a surface's results depend on, as one digest.

    Parameters
    ----------
    surface : SurfaceInput
        Its files enter by content, not by path or time.
    parameters : Parameters
        All of them.

    Returns
    -------
    str

    Raises
    ------
    OSError
        If an input cannot be read.
    """
    facts: dict[str, Any] = {
        "version": __version__,
        "parameters": parameters.as_dict(),
        "surface": [surface.name, surface.entities, surface.volume_labels, surface.dataset],
        "files": [[path.name, file_digest(path)] for path in surface.files],
        "roles": [surface.mesh is not None, surface.mask is not None, [n for n, _ in surface.parcellations]],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def surface_key(surface: SurfaceInput) -> str:
    """Return what tells a surface from the participant's others in the state file."""
    entities = [f"{key}-{label}" for key, label in surface.entities.items() if key != "sub"]
    return "_".join([*entities, surface.structure, surface.surface])


def report_digest(state: ParticipantState, tables: Mapping[str, str]) -> str:
    """Return what a participant's report depends on: us, the surfaces' results and the tables."""
    surfaces = {key: [s.status, s.reason, s.files] for key, s in state.surfaces.items()}
    facts = [__version__, surfaces, dict(tables)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def is_finished(state: SurfaceState | None, digest: str, output: Path) -> bool:
    """Tell whether a surface needs no work: same digest, and every file there and whole."""
    if state is None or state.status != "ok" or state.digest != digest or not state.files:
        return False
    return all(is_whole(output / name, sha) for name, sha in state.files.items())


def is_whole(path: Path, sha: str) -> bool:
    """Tell whether a file is there with the content it had."""
    try:
        return file_digest(path) == sha
    except OSError:
        return False


def state_path(output: Path, subject: str) -> Path:
    """Return where a participant's state is kept."""
    return output / STATE_FOLDER / f"sub-{subject}.json"


def participants_of(output: Path, wanted: Sequence[str] = ()) -> list[str]:
    """Return the labels of the participants that were processed, in natural order."""
    labels = [path.stem.removeprefix("sub-") for path in (output / STATE_FOLDER).glob("sub-*.json")]
    return sorted((s for s in labels if not wanted or s in wanted), key=natural_key)


def read_state(output: Path, subject: str) -> ParticipantState:
    """Return the state; an empty one if there is none or it cannot be understood."""
    try:
        document = json.loads(state_path(output, subject).read_text(encoding="utf-8"))
        surfaces = {key: SurfaceState(**value) for key, value in document["surfaces"].items()}
        return ParticipantState(surfaces, dict(document["summaries"]), str(document["report_of"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return ParticipantState()


def write_state(output: Path, subject: str, state: ParticipantState) -> Path:
    """Write the state, sorted, so that the order of work does not show."""
    document = {
        "surfaces": {key: vars(state.surfaces[key]) for key in sorted(state.surfaces)},
        "summaries": state.summaries,
        "report_of": state.report_of,
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    return write_text_atomic(state_path(output, subject), text + "\n")


def digests_of(output: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their path relative to the output."""
    return {path.relative_to(output).as_posix(): file_digest(path) for path in sorted(files)}


def remove_files(output: Path, files: Mapping[str, str] | Iterable[str]) -> None:
    """Remove results that are out of date, and the folders this leaves empty."""
    for name in files:
        path = output / name
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()


@contextlib.contextmanager
def participant_lock(output: Path, subject: str, *, shared: bool = False) -> Generator[bool, None, None]:
    """Let one process at a time work on a participant of an output folder.

    Parameters
    ----------
    output : Path
        The output folder.
    subject : str
        The participant, or a part of one.
    shared : bool
        Let others with a shared lock in; those without one wait.

    Yields
    ------
    bool
        Whether this process had to wait for another one. Where the file system has no locks,
        nobody waits: all files are written atomically, and two runs write the same bytes.
    """
    path = output / STATE_FOLDER / f".sub-{subject}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        waited = _lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        try:
            same = os.fstat(descriptor).st_ino == path.stat().st_ino
        except FileNotFoundError:
            same = False
        if same:
            break
        os.close(descriptor)  # its last holder removed the file while we waited: take the new one
    try:
        yield waited
    finally:
        if not shared:  # others may share it still; the last to work alone takes it away
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(descriptor, kind)
        return True
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return False
