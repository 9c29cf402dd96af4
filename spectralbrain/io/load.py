"""Read surfaces, per-vertex numbers, labels and masks; what a file is, its content tells.

Names and suffixes are never trusted: a FreeSurfer surface may have any name, a datalad annex key
has no suffix, GIFTI arrays come in any order. Nothing is repaired and no transform is applied.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.geometry.mesh import BrainMesh
from spectralbrain.io import _freesurfer, _gifti_surface
from spectralbrain.io._content import identify, read_content
from spectralbrain.io._gifti_xml import parse_gifti
from spectralbrain.io._labels import SurfaceLabels as SurfaceLabels, parse_labels, parse_vertex_list
from spectralbrain.io._mesh_codecs import codec_for_kind, parse_mesh
from spectralbrain.io._scalars import gifti_maps, parse_scalars
from spectralbrain.runtime import BoolArray, FloatArray, PathLike

_CONNECTOME_HEAD = b"node\t"
# Regions that mean 'no cortex here' in the label tables of FreeSurfer, HCP and their descendants.
_NO_CORTEX = re.compile(r"(?i)\?\?\?|unknown|none|background|.*medial[ ._-]?wall.*|corpus[ ._-]?callosum|mw|")


def load(path: PathLike, *, n_vertices: int | None = None) -> Any:
    """Read a file of any kind this library knows, told by its content.

    Parameters
    ----------
    path : path
        The file; gzip-compressed files are accepted.
    n_vertices : int, optional
        How many vertices the surface has, if known: lengths are checked against it.

    Returns
    -------
    BrainMesh, SurfaceLabels, array, dict or tuple
        A surface as :func:`load_mesh` returns it, labels as :func:`load_labels`, per-vertex numbers
        as :func:`load_scalars`, an HDF5 cache as :func:`spectralbrain.load_hdf5`, an archive as
        :func:`spectralbrain.load_npz`, a matrix as :func:`spectralbrain.load_connectome`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file is of no known kind, or is damaged.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> from spectralbrain.io.export import save_mesh
    >>> ball = sphere(2)
    >>> load(save_mesh("lh.surf.gii", ball.vertices, ball.faces)).n_vertices
    162
    """
    path = _path(path)
    content = read_content(path)
    kind = identify(content)
    if kind in ("hdf5", "npz") or content.startswith(_CONNECTOME_HEAD):
        from spectralbrain.io import export

        readers = {"hdf5": export.load_hdf5, "npz": export.load_npz}
        return readers.get(kind, export.load_connectome)(path)
    if kind == "gifti":
        gifti = parse_gifti(content, path)
        if gifti.with_intent("LABEL"):
            return load_labels(path, n_vertices=n_vertices)
        if not gifti.with_intent("POINTSET", "TRIANGLE"):
            return load_scalars(path, n_vertices=n_vertices)
    if kind in ("annot", "label") or (kind == "cifti" and b"CIFTI_INDEX_TYPE_LABELS" in content):
        return load_labels(path, n_vertices=n_vertices)
    if codec_for_kind(kind):
        return BrainMesh(*parse_mesh(content, path))
    return load_scalars(path, n_vertices=n_vertices)


def load_mesh(path: PathLike) -> BrainMesh:
    """Read a surface: FreeSurfer geometry, GIFTI, PLY, OBJ, STL, VTK, VTP or OFF, told by content.

    Coordinates are returned as they are stored. FreeSurfer geometry is in surface space (tkRAS):
    its c_ras is not added (see :func:`load_freesurfer_surface`). A transform inside a GIFTI file is
    not applied. Spectra do not depend on either. Polygons other than triangles are an error.

    Parameters
    ----------
    path : path
        The file; any name, gzip-compressed or not.

    Returns
    -------
    BrainMesh

    Raises
    ------
    FileNotFoundError
        If there is no such file; for a dangling symbolic link the message names its target.
    FormatError
        If the content is no known surface format, or is truncated or damaged.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> from spectralbrain.io.export import save_mesh
    >>> ball = sphere(2)
    >>> path = save_mesh("ball.ply", ball.vertices, ball.faces).rename("told_by_its_content")
    >>> bool((load_mesh(path).vertices == ball.vertices).all())
    True
    """
    path = _path(path)
    return BrainMesh(*parse_mesh(read_content(path), path))


def load_freesurfer_surface(path: PathLike, *, space: Literal["tkras", "scanner"] = "tkras") -> BrainMesh:
    """Read FreeSurfer triangle geometry (lh.white, rh.pial, ...) under any name.

    Parameters
    ----------
    path : path
    space : {'tkras', 'scanner'}
        'tkras' returns the stored surface coordinates, as FreeSurfer's own tools use them; c_ras is
        not added. 'scanner' applies Norig inv(Torig) from the volume geometry in the file's footer,
        which is right for oblique volumes, where adding c_ras is not.

    Returns
    -------
    BrainMesh

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If it is not FreeSurfer triangle geometry, is damaged, or has no volume geometry and
        `space` is 'scanner'.
    ArrayError
        If `space` is something else.

    Examples
    --------
    >>> import nibabel
    >>> from spectralbrain.geometry.solids import sphere
    >>> ball = sphere(2, radius=10.0)
    >>> nibabel.freesurfer.write_geometry("lh.white", ball.vertices, ball.faces)
    >>> load_freesurfer_surface("lh.white").n_faces
    320
    """
    path = _path(path)
    if space not in ("tkras", "scanner"):
        raise ArrayError(f"space: expected 'tkras' or 'scanner', found {space!r}")
    content = read_content(path)
    vertices, faces = _freesurfer.parse(content, path)
    if space == "scanner":
        geometry = _freesurfer.parse_volume_geometry(content, path)
        if geometry is None:
            raise FormatError(f"{path}: expected a volume geometry in the footer, found none that is valid")
        affine = geometry.scanner_from_tkras
        vertices = vertices @ affine[:3, :3].T + affine[:3, 3]
    return BrainMesh(vertices, faces)


def load_gifti_surface(path: PathLike) -> BrainMesh:
    """Read a GIFTI surface: the array of intent POINTSET and the one of intent TRIANGLE.

    Parameters
    ----------
    path : path
        .surf.gii, plain .gii or .gii.gz.

    Returns
    -------
    BrainMesh
        Coordinates as stored. The file's CoordinateSystemTransformMatrix is not applied, as
        Workbench and fMRIPrep do not; mris_convert writes surface coordinates (tkRAS) with c_ras
        in its metadata, which is not added either.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file is not GIFTI, is damaged or hostile, or does not hold exactly one surface.

    Examples
    --------
    >>> from spectralbrain.geometry.solids import sphere
    >>> from spectralbrain.io.export import save_mesh
    >>> ball = sphere(2)
    >>> load_gifti_surface(save_mesh("lh.surf.gii", ball.vertices, ball.faces)).euler_characteristic
    2
    """
    path = _path(path)
    return BrainMesh(*_gifti_surface.parse(read_content(path), path))


def load_scalars(
    path: PathLike, *, n_vertices: int | None = None, structure: str | None = None
) -> FloatArray:
    """Read per-vertex numbers.

    Parameters
    ----------
    path : path
        FreeSurfer morphometry (old and new, any name), .mgh/.mgz, GIFTI maps (.shape.gii, .func.gii),
        CIFTI (.dscalar.nii), .npy, or text with one line per vertex.
    n_vertices : int, optional
        How many vertices the surface has: another length is an error.
    structure : str, optional
        Which surface of a CIFTI file, for example 'CortexLeft'.

    Returns
    -------
    (N,) or (N, T) array of float64
        One column per map if the file holds more than one. NaN where a CIFTI file has no vertex.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file holds no such numbers, is damaged, holds infinite values, or has another length.

    Examples
    --------
    >>> from spectralbrain.io.export import save_gifti_func
    >>> load_scalars(save_gifti_func("lh.shape.gii", [0.5, 1.5]), n_vertices=2)
    array([0.5, 1.5])
    """
    path = _path(path)
    values = parse_scalars(read_content(path), path, structure)
    with np.errstate(invalid="ignore"):  # a signalling NaN in float32 is a NaN like any other
        found: FloatArray = np.array(values, dtype=np.float64, order="C")
    if np.isinf(found).any():
        raise FormatError(
            f"{path}: expected finite values or NaN, found {int(np.isinf(found).sum())} infinite"
        )
    _check_length(len(found), n_vertices, path)
    return found


def load_labels(
    path: PathLike,
    *,
    n_vertices: int | None = None,
    name: str | None = None,
    structure: str | None = None,
) -> SurfaceLabels:
    """Read per-vertex labels.

    Parameters
    ----------
    path : path
        FreeSurfer .annot or .label, GIFTI .label.gii, CIFTI .dlabel.nii, under any name.
    n_vertices : int, optional
        How many vertices the surface has: another length is an error. A FreeSurfer .label, which
        lists vertices, needs it; its keys are 1 on the label and 0 elsewhere.
    name : str, optional
        Which map, where the file holds more than one.
    structure : str, optional
        Which surface of a CIFTI file, for example 'CortexLeft'.

    Returns
    -------
    SurfaceLabels
        ``keys`` (N,) and ``table`` {key: name}. For an annotation the key is the region's index in
        its colour table, and -1 where the colour is not in the table.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file holds no labels, is damaged, or has another length.
    ArrayError
        If `n_vertices` is needed and missing.

    Examples
    --------
    >>> import nibabel
    >>> colors = np.array([[25, 5, 25, 0], [220, 20, 20, 0]])
    >>> nibabel.freesurfer.write_annot("lh.aparc.annot", np.array([0, 1, 1]), colors, ["unknown", "insula"])
    >>> labels = load_labels("lh.aparc.annot")
    >>> labels.keys.tolist(), labels.table
    ([0, 1, 1], {0: 'unknown', 1: 'insula'})
    """
    path = _path(path)
    labels = parse_labels(read_content(path), path, name=name, structure=structure, n_vertices=n_vertices)
    _check_length(labels.n_vertices, n_vertices, path)
    return labels


def load_mask(path: PathLike, n_vertices: int, *, structure: str | None = None) -> BoolArray:
    """Read which vertices to keep, for example the cortex without the medial wall.

    Parameters
    ----------
    path : path
        A FreeSurfer vertex list (lh.cortex.label): the listed vertices. Labels (.label.gii, .annot,
        .dlabel.nii): vertices with a positive key whose region is not called medial wall, corpus
        callosum or unknown. Numbers (.shape.gii, .func.gii, morphometry, .mgh, .npy, text, and
        sMRIPrep's desc-cortex_mask.label.gii, which has no labels): values above 0.
    n_vertices : int
        How many vertices the surface has.
    structure : str, optional
        Which surface of a CIFTI file, for example 'CortexLeft'.

    Returns
    -------
    (N,) array of bool
        True = keep.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FormatError
        If the file holds no mask, is damaged, has another length or negative values, or keeps no vertex.

    Examples
    --------
    >>> from spectralbrain.io.export import save_gifti_func
    >>> load_mask(save_gifti_func("mask.shape.gii", [1.0, 1.0, 0.0]), 3)
    array([ True,  True, False])
    """
    path = _path(path)
    content = read_content(path)
    kind = identify(content)
    gifti = parse_gifti(content, path) if kind == "gifti" else None
    if kind == "label":
        keep = np.zeros(n_vertices, dtype=bool)
        keep[parse_vertex_list(content, path, n_vertices)] = True
    elif kind == "annot":  # its keys count from 0
        keep = _keep_regions(parse_labels(content, path), lowest=0)
    elif kind == "cifti" and b"CIFTI_INDEX_TYPE_LABELS" in content:
        keep = _keep_regions(parse_labels(content, path, structure=structure), lowest=1)
    elif gifti is not None and gifti.with_intent("LABEL"):
        keep = _keep_regions(parse_labels(content, path), lowest=1)
    else:
        values = gifti_maps(gifti, path) if gifti else parse_scalars(content, path, structure)
        keep = _keep_positive(values, path)
    _check_length(len(keep), n_vertices, path)
    if not keep.any():
        raise FormatError(f"{path}: expected a mask that keeps vertices, found none kept of {n_vertices}")
    return keep


def _keep_regions(labels: SurfaceLabels, *, lowest: int) -> BoolArray:
    dropped = [key for key, name in labels.table.items() if _NO_CORTEX.fullmatch(name.strip())]
    keep: BoolArray = (labels.keys >= lowest) & ~np.isin(labels.keys, dropped)
    return keep


def _keep_positive(values: Any, path: Path) -> BoolArray:
    if values.ndim != 1:
        raise FormatError(f"{path}: expected a mask of one map, found {values.shape[1]} maps")
    if values.dtype.kind == "b":
        return np.array(values)
    if (values < 0).any():
        raise FormatError(f"{path}: expected a mask (0 = drop, positive = keep), found negative values")
    keep: BoolArray = np.asarray(values > 0)
    return keep


def _check_length(found: int, n_vertices: int | None, path: Path) -> None:
    if n_vertices is not None and found != n_vertices:
        raise FormatError(
            f"{path}: expected {n_vertices} values, one per vertex of the surface, found {found}"
        )


def _path(path: PathLike) -> Path:
    return Path(path).expanduser()
