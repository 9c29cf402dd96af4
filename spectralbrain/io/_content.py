"""Read a file's bytes and tell from them, never from its name, what the file is."""

from __future__ import annotations

import gzip
import io
import re
import stat
import warnings
import zlib
from pathlib import Path
from typing import Any

import deflate
import numpy as np
import numpy.typing as npt

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.runtime import Faces, Vertices

GZIP_MAGIC = b"\x1f\x8b"
FREESURFER_TRIANGLE_MAGIC = b"\xff\xff\xfe"
FREESURFER_QUAD_MAGIC = b"\xff\xff\xff"  # also the magic of new-style morphometry
FREESURFER_NEW_QUAD_MAGIC = b"\xff\xff\xfd"

# What a compressed file may expand to: real surfaces and maps compress 2- to 30-fold, and small
# files may hold a large constant map. A bomb compresses a thousandfold.
FREE_BYTES = 64 * 2**20
LARGEST_RATIO = 50


def expansion_limit(size: int, free_bytes: int = FREE_BYTES) -> int:
    """Return how many bytes a compressed file of `size` bytes may expand to."""
    return free_bytes + LARGEST_RATIO * size


def read_content(path: Path, *, free_bytes: int = FREE_BYTES) -> bytes:
    """Return the bytes of a regular file, decompressed if it is a gzip file.

    Parameters
    ----------
    path : Path
        Symbolic links are followed; names and suffixes are ignored.
    free_bytes : int
        Added to what a compressed file of its size may expand to.

    Returns
    -------
    bytes

    Raises
    ------
    FileNotFoundError
        If there is no such file; for a dangling link the message names its target.
    FormatError
        If the path is not a regular file, is empty, or is a damaged or hostile gzip file.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            target = path.readlink()
            raise FileNotFoundError(
                f"{path}: symbolic link to {target}, which is not there (with datalad: get it first)"
            ) from None
        raise FileNotFoundError(f"{path}: no such file") from None
    if not stat.S_ISREG(status.st_mode):
        raise FormatError(f"{path}: expected a regular file, found a directory or a device")
    content = path.read_bytes()
    if not content:
        raise FormatError(f"{path}: the file is empty")
    if content.startswith(GZIP_MAGIC):
        return gunzip(content, path, free_bytes)
    return content


def gunzip(content: bytes, path: Path, free_bytes: int = FREE_BYTES) -> bytes:
    """Decompress gzip members, refusing a truncated file or a compression bomb.

    Raises
    ------
    FormatError
        If a member is damaged, cut off, followed by foreign bytes, or expands beyond
        :func:`expansion_limit`.
    """
    limit = expansion_limit(len(content), free_bytes)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            found = stream.read(limit + 1)
    except EOFError as error:
        raise FormatError(f"{path}: compressed data end too early: the file is truncated") from error
    except (OSError, zlib.error) as error:
        raise FormatError(f"{path}: damaged compressed data ({error})") from error
    if len(found) > limit:
        raise FormatError(f"{path}: compressed data expand beyond {limit} bytes: refused")
    return found


def inflate(content: bytes, size: int, path: Path) -> bytes:
    """Decompress a zlib stream that must hold exactly `size` bytes.

    Raises
    ------
    FormatError
        If the stream is damaged or does not hold exactly `size` bytes.
    """
    if size > expansion_limit(len(content)):
        raise FormatError(f"{path}: {len(content)} compressed bytes declare {size} bytes of data")
    try:
        found: bytes = deflate.zlib_decompress(content, max(size, 1))
    except (deflate.DeflateError, ValueError) as error:
        raise FormatError(
            f"{path}: expected {size} bytes of data, found more, or damaged compressed data"
        ) from error
    if len(found) != size:
        raise FormatError(f"{path}: expected {size} bytes of data, found {len(found)}")
    return found


def identify(content: bytes) -> str:
    """Return which kind of file these bytes are.

    Parameters
    ----------
    content : bytes
        The whole file, already decompressed.

    Returns
    -------
    str
        A mesh codec's name ('ply', 'obj', 'stl', 'vtk', 'vtp', 'off', 'freesurfer', 'gifti'), another
        known kind ('morph', 'old-morph', 'annot', 'label', 'mgh', 'cifti', 'nifti', 'hdf5', 'npy',
        'npz', 'freesurfer-quad'), or '' if unknown.

    Examples
    --------
    >>> identify(b"ply\\nformat ascii 1.0\\n")
    'ply'
    """
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    head = content[:4096].lstrip(b"\xef\xbb\xbf")
    for pattern, kind in _TEXT:
        if pattern.match(head):
            return kind
    return _binary_kind(content)


_MAGIC = (
    (FREESURFER_TRIANGLE_MAGIC, "freesurfer"),
    (FREESURFER_NEW_QUAD_MAGIC, "freesurfer-quad"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
)
_SPACE = rb"(?:\s|#[^\n]*(?:\n|$))*"
_TEXT = (
    (re.compile(rb"ply\s"), "ply"),
    (re.compile(rb"# vtk DataFile"), "vtk"),
    (re.compile(rb"#!ascii label"), "label"),
    (re.compile(rb"(?s)\s*(?:<[?!].*?)?<GIFTI\b"), "gifti"),
    (re.compile(rb"(?s)\s*(?:<[?!].*?)?<VTKFile\b"), "vtp"),
    (re.compile(_SPACE + rb"(?:ST)?C?N?(?:OFF|4OFF|nOFF)\b"), "off"),
    (re.compile(rb"\s*solid\b(?:[^\0]*?)\bfacet\b"), "stl"),
    (re.compile(_SPACE + rb"(?:v|vn|vt|vp|f|l|p|o|g|s|mtllib|usemtl)[ \t]"), "obj"),
)


def _binary_kind(content: bytes) -> str:
    size = len(content)
    if size >= 348 and content[344:347] in (b"n+1", b"ni1"):
        return "nifti"
    if size >= 540 and content[4:7] in (b"n+2", b"ni2"):
        return "cifti"
    if size >= 84 and size == 84 + 50 * int.from_bytes(content[80:84], "little"):
        return "stl"
    if content.startswith(FREESURFER_QUAD_MAGIC) and size >= 15:
        count, frames = (int.from_bytes(content[i : i + 4], "big") for i in (3, 11))
        return "morph" if size == 15 + 4 * count * frames else "freesurfer-quad"
    if size >= 284 and content[:4] == b"\0\0\0\x01" and content[20:24] in _MGH_TYPES:
        return "mgh"
    if size > 6 and size == 6 + 2 * int.from_bytes(content[:3], "big"):
        return "old-morph"
    return "annot" if _is_annotation(content) else ""


_MGH_TYPES = tuple(code.to_bytes(4, "big") for code in (0, 1, 3, 4, 10))


def _is_annotation(content: bytes) -> bool:
    """Tell whether a count and that many (vertex, colour) pairs, in order, open the file."""
    count = int.from_bytes(content[:4], "big")
    if not 0 < count <= (len(content) - 4) // 8:
        return False
    pairs = np.frombuffer(content, ">i4", min(count, 64) * 2, 4)
    return bool((pairs[::2] == np.arange(len(pairs) // 2)).all())


def parse_numbers(text: bytes, dtype: Any, path: Path, *, what: str, count: int | None = None) -> Any:
    """Return the blank-separated numbers of a text.

    Parameters
    ----------
    text : bytes
        Nothing but numbers and white space.
    dtype : dtype
        float64 or int64.
    path : Path
        For the message.
    what : str
        What the numbers are, for the message.
    count : int, optional
        How many there must be.

    Returns
    -------
    (count,) array

    Raises
    ------
    FormatError
        If anything else stands there, or there are more or fewer numbers.
    """
    numbers: npt.NDArray[Any] = np.empty(0, dtype)
    if text.strip():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # NumPy before 2.3 only warns about unread text
                numbers = np.fromstring(text, dtype=dtype, sep=" ")
        except (ValueError, OverflowError, DeprecationWarning) as error:
            raise FormatError(f"{path}: {what}: expected numbers, found other text") from error
    if count is not None and len(numbers) != count:
        raise FormatError(f"{path}: {what}: expected {count} numbers, found {len(numbers)}")
    return numbers


def checked_mesh(vertices: Any, faces: Any, path: Path) -> tuple[Vertices, Faces]:
    """Return vertices as float64 and faces as int64 if they make a mesh.

    Raises
    ------
    FormatError
        If there is no vertex, a coordinate is not finite or a face names a vertex that is not there.
    """
    with np.errstate(invalid="ignore"):  # a signalling NaN in float32: found below
        vertices = np.array(vertices, dtype=np.float64, order="C").reshape(-1, 3)
    if faces.dtype.kind == "f" and not (np.isfinite(faces).all() and (faces == np.floor(faces)).all()):
        raise FormatError(f"{path}: expected whole numbers as vertex indices, found others")
    faces = np.array(faces, dtype=np.int64, order="C").reshape(-1, 3)
    if not len(vertices):
        raise FormatError(f"{path}: the file holds no vertices")
    if not np.isfinite(vertices).all():
        wrong = int((~np.isfinite(vertices)).any(axis=1).sum())
        raise FormatError(f"{path}: {wrong} of {len(vertices)} vertices are not finite")
    if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise FormatError(
            f"{path}: expected vertex indices in [0, {len(vertices) - 1}], "
            f"found {int(faces.min())} to {int(faces.max())}"
        )
    return vertices, faces


def require_whole_text(content: bytes, path: Path) -> None:
    """Raise if our own text was cut off: it always ends with a newline, others' need not.

    Raises
    ------
    FormatError
        If the last line of a file that names this library as its writer has no end.
    """
    if b"spectralbrain" in content[:256] and not content.endswith(b"\n"):
        raise FormatError(f"{path}: the last line has no end: the file is truncated")


def require_triangles(counts: Any, path: Path) -> None:
    """Raise unless every polygon has three corners.

    Raises
    ------
    FormatError
        With how many polygons are something else: nothing is triangulated silently.
    """
    counts = np.asarray(counts)
    wrong = int((counts != 3).sum())
    if wrong:
        sizes = ", ".join(f"{n:g}" for n in np.unique(counts[counts != 3])[:5])
        raise FormatError(
            f"{path}: expected triangles, found {wrong} polygons of {sizes} corners; "
            "triangulate the surface first"
        )


def as_float32(vertices: Vertices, name: str) -> npt.NDArray[np.float32]:
    """Return coordinates as float32 for a format that keeps no more.

    Raises
    ------
    ArrayError
        If a coordinate is too large for float32.
    """
    with np.errstate(over="ignore"):
        single = vertices.astype(np.float32)
    wrong = int((~np.isfinite(single)).sum())
    if wrong:
        raise ArrayError(f"vertices: {wrong} coordinates exceed float32, the precision of {name}")
    return single


def as_int32(faces: Faces, name: str, n_vertices: int) -> npt.NDArray[np.int32]:
    """Return vertex indices as int32 for a format that keeps no more.

    Raises
    ------
    ArrayError
        If the mesh has more vertices than int32 can number.
    """
    if n_vertices > 2**31 - 1:
        raise ArrayError(f"vertices: expected at most 2147483647 for {name}, found {n_vertices}")
    return faces.astype(np.int32)
