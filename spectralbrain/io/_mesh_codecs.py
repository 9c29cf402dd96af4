"""The mesh formats: which suffix writes which format, and how bytes tell theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spectralbrain.errors import FormatError
from spectralbrain.io import _freesurfer, _gifti_surface, _obj, _off, _ply, _stl, _vtk, _vtp
from spectralbrain.io._content import identify, read_content
from spectralbrain.runtime import Faces, Vertices


@dataclass(frozen=True)
class MeshCodec:
    """One mesh format, in both directions.

    Attributes
    ----------
    name : str
        As :func:`spectralbrain.io._content.identify` names it.
    write : callable
        ``write(stream, vertices, faces)`` with validated arrays; GIFTI's takes its metadata too.
    read : callable
        ``read(path)`` returns vertices and faces, or raises FormatError.
    parse : callable
        ``parse(content, path)``: the same from bytes.
    """

    name: str
    write: Callable[..., None]
    read: Callable[[Path], tuple[Vertices, Faces]]
    parse: Callable[[bytes, Path], tuple[Vertices, Faces]]


def _codec(name: str, module: object) -> MeshCodec:
    return MeshCodec(name, *(getattr(module, part) for part in ("write", "read", "parse")))


_PLY, _OBJ, _STL = _codec("ply", _ply), _codec("obj", _obj), _codec("stl", _stl)
_VTK, _VTP, _OFF = _codec("vtk", _vtk), _codec("vtp", _vtp), _codec("off", _off)
_FREESURFER, _GIFTI = _codec("freesurfer", _freesurfer), _codec("gifti", _gifti_surface)

# Suffix, in lower case -> codec; the longest suffix that fits a name wins.
MESH_CODECS: dict[str, MeshCodec] = {
    ".gii": _GIFTI,
    ".obj": _OBJ,
    ".off": _OFF,
    ".ply": _PLY,
    ".stl": _STL,
    ".surf.gii": _GIFTI,
    ".vtk": _VTK,
    ".vtp": _VTP,
    # FreeSurfer's surfaces have no suffix: lh.white. These are the names that recon-all and fMRIPrep give.
    **dict.fromkeys(
        (
            *(".white", ".white.preaparc", ".white.h", ".pial", ".pial.t1", ".pial.t2", ".midthickness"),
            *(".graymid", ".smoothwm", ".smoothwm.nofix", ".inflated", ".inflated.nofix", ".sphere"),
            *(".sphere.reg", ".qsphere", ".qsphere.nofix", ".orig", ".orig.nofix", ".orig.premesh"),
            ".fs",
        ),
        _FREESURFER,
    ),
}
_BY_NAME = {codec.name: codec for codec in MESH_CODECS.values()}


def codec_for_name(path: Path) -> MeshCodec | None:
    """Return the codec that a file name asks for, whatever its case; None if no suffix is known.

    Examples
    --------
    >>> codec_for_name(Path("sub-01_hemi-L_pial.SURF.GII")).name
    'gifti'
    >>> codec_for_name(Path("lh.white")).name
    'freesurfer'
    """
    name = path.name.lower()
    fitting = [suffix for suffix in MESH_CODECS if name.endswith(suffix) and name != suffix]
    return MESH_CODECS[max(fitting, key=len)] if fitting else None


def codec_for_kind(kind: str) -> MeshCodec | None:
    """Return the codec of a kind of content, None if the kind is not a mesh."""
    return _BY_NAME.get(kind)


def read_mesh(path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh of any known format, told by its content.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the content is no known mesh format, or is damaged.
    """
    return parse_mesh(read_content(path), path)


def parse_mesh(content: bytes, path: Path) -> tuple[Vertices, Faces]:
    """Read a mesh of any known format from a file's (decompressed) bytes: see :func:`read_mesh`."""
    kind = identify(content)
    if kind == "freesurfer-quad":
        kind = "freesurfer"  # whose codec says what to do
    # a damaged file that its content does not tell: its name helps to say what is wrong
    codec = codec_for_kind(kind) or codec_for_name(path)
    if kind and codec_for_kind(kind) is None:
        raise FormatError(f"{path}: expected a surface mesh, found a file of kind {kind!r}")
    if codec is None:
        raise FormatError(
            f"{path}: expected a surface mesh (FreeSurfer, GIFTI, PLY, OBJ, STL, VTK, VTP, OFF), "
            "found a file of no known format"
        )
    return codec.parse(content, path)
