"""FreeSurfer's binary triangle surface (lh.white, rh.pial, ...): float32, big-endian."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spectralbrain.errors import FormatError
from spectralbrain.io._content import (
    FREESURFER_NEW_QUAD_MAGIC,
    FREESURFER_QUAD_MAGIC,
    FREESURFER_TRIANGLE_MAGIC,
    as_float32,
    as_int32,
    checked_mesh,
    read_content,
)
from spectralbrain.runtime import Faces, FloatArray, Vertices

_COMMENT = b"created by spectralbrain"


@dataclass(frozen=True, eq=False)
class VolumeGeometry:
    """The volume a surface was made from, as FreeSurfer's footer states it.

    Attributes
    ----------
    cosines : (3, 3) array
        Columns are the directions of the voxel axes in scanner space.
    centre : (3,) array, mm
        Scanner coordinates of the volume's centre, FreeSurfer's c_ras.
    voxel_size : (3,) array, mm
    shape : tuple of int
    """

    cosines: FloatArray
    centre: FloatArray
    voxel_size: FloatArray
    shape: tuple[int, int, int]

    @property
    def scanner_from_tkras(self) -> FloatArray:
        """Affine from surface coordinates (tkRAS) to scanner coordinates, (4, 4) array.

        Norig inv(Torig) of FreeSurfer's CoordinateSystems page; right for oblique volumes too,
        where adding c_ras alone is wrong.
        """
        affine = np.eye(4)
        # Torig's axes are -x, -z, +y of tkRAS; the voxel sizes and the shape cancel out
        torig = np.array([[-1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
        affine[:3, :3] = self.cosines @ torig.T
        affine[:3, 3] = self.centre
        return affine


def write(stream: BinaryIO, vertices: Vertices, faces: Faces) -> None:
    """Write a mesh, without a footer: readers take the coordinates as they are (tkRAS)."""
    stream.write(FREESURFER_TRIANGLE_MAGIC + _COMMENT + b"\n\n")
    stream.write(np.array([len(vertices), len(faces)], dtype=">i4").tobytes())
    stream.write(as_float32(vertices, "FreeSurfer geometry").astype(">f4").tobytes())
    stream.write(as_int32(faces, "FreeSurfer geometry", len(vertices)).astype(">i4").tobytes())


def read(path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh; coordinates stay in surface space (tkRAS), c_ras is not added."""
    return parse(read_content(path), path)


def parse(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh from a file's bytes.

    Raises
    ------
    FormatError
        If the file is truncated or not FreeSurfer triangle geometry.
    """
    vertices, faces, _ = _parse(content, path)
    return checked_mesh(vertices, faces, path)


def _parse(content: bytes, path: Path) -> tuple[Any, Any, bytes]:
    if content.startswith((FREESURFER_QUAD_MAGIC, FREESURFER_NEW_QUAD_MAGIC)):
        raise FormatError(
            f"{path}: expected FreeSurfer triangles, found its old quadrangle format or morphometry; "
            "convert the surface with mris_convert first"
        )
    if not content.startswith(FREESURFER_TRIANGLE_MAGIC):
        raise FormatError(f"{path}: expected FreeSurfer triangle geometry, found another magic number")
    start = _after_comment(content, path)
    if len(content) < start + 8:
        raise FormatError(f"{path}: FreeSurfer geometry ends before its counts: the file is truncated")
    n_vertices, n_faces = (int(n) for n in np.frombuffer(content, ">i4", 2, start))
    start += 8
    end = start + 12 * (n_vertices + n_faces)
    if n_vertices < 1 or n_faces < 0 or len(content) < end:
        raise FormatError(
            f"{path}: expected {n_vertices} vertices and {n_faces} faces in {end} bytes, "
            f"found {len(content)}: the file is truncated or damaged"
        )
    vertices = np.frombuffer(content, ">f4", 3 * n_vertices, start)
    faces = (
        np.frombuffer(content, ">i4", 3 * n_faces, start + 12 * n_vertices) if n_faces else np.empty(0, "i4")
    )
    return vertices, faces, content[end:]


def _after_comment(content: bytes, path: Path) -> int:
    """Return the offset of the counts: after the comment, which ends in two newlines."""
    first = content.find(b"\n", 3)
    if first < 0 or first > 4096:
        raise FormatError(f"{path}: FreeSurfer geometry has no comment line: the file is damaged")
    # a few writers end the comment with one newline; then two counts follow directly, and the
    # first byte of a count is a newline only above 167 million vertices
    return first + 2 if content[first + 1 : first + 2] == b"\n" else first + 1


def parse_volume_geometry(content: bytes, path: Path) -> VolumeGeometry | None:
    """Return the volume geometry in a surface's footer, or None if it has none that is valid.

    Raises
    ------
    FormatError
        If the file is not FreeSurfer triangle geometry.
    """
    footer = _parse(content, path)[2]
    start = footer.find(b"valid =")
    if len(footer) < 4 or start < 0:
        return None
    values: dict[str, list[str]] = {}
    for line in footer[start:].split(b"\n")[:9]:
        key, _, value = line.decode("latin-1").partition("=")
        values[key.strip()] = value.split()
    try:
        if values["valid"][:1] != ["1"]:
            return None
        axes = [np.array(values[key][:3], dtype=np.float64) for key in ("xras", "yras", "zras")]
        centre, size = (np.array(values[key][:3], dtype=np.float64) for key in ("cras", "voxelsize"))
        shape = tuple(int(n) for n in values["volume"][:3])
    except (KeyError, ValueError) as error:
        raise FormatError(f"{path}: cannot read the volume geometry of the footer ({error})") from error
    if any(len(part) != 3 for part in (*axes, centre, size)) or len(shape) != 3:
        raise FormatError(f"{path}: cannot read the volume geometry of the footer")
    return VolumeGeometry(np.column_stack(axes), centre, size, (shape[0], shape[1], shape[2]))
