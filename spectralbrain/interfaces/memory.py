"""How much memory a node needs, from the sizes of its surface: what the scheduler goes by."""

from __future__ import annotations

from spectralbrain.errors import ArrayError

BASE_GB = 0.08  # the interpreter with NumPy, SciPy, h5py and Nipype
_GIB = 1024**3
# At the peak of each node: bytes per vertex, and how many copies of the (N, k) eigenvectors and of
# the (N, T) maps it holds. Fitted to the peak resident memory on spheres of 2,562 to 163,842 vertices.
_COSTS: dict[str, tuple[float, float, float]] = {
    "LoadMesh": (400.0, 0.0, 0.0),
    "SaveMesh": (0.0, 0.0, 0.0),
    "MaskMesh": (550.0, 0.0, 0.0),
    "RepairMesh": (1060.0, 0.0, 0.0),
    "SmoothSurface": (2500.0, 0.0, 0.0),
    "MeshQuality": (1150.0, 0.0, 0.0),
    "Decompose": (6200.0, 3.2, 0.0),
    "ComputeShapeDNA": (0.0, 0.0, 0.0),
    "ComputeHKS": (235.0, 1.0, 1.0),
    "ComputeWKS": (235.0, 1.0, 1.0),
    "ComputeBatesSignatures": (235.0, 1.0, 1.0),
    "ComputeSIHKS": (235.0, 1.0, 0.0),
    "ComputeWavelets": (235.0, 1.0, 1.0),
    "ComputeGPS": (235.0, 2.0, 0.0),
    "ComputeBKS": (235.0, 1.0, 0.0),
    "VertexAreas": (235.0, 1.0, 0.0),
    "DecomposeMap": (235.0, 1.0, 1.0),
    "ReconstructMap": (235.0, 1.0, 1.0),
    "FilterMap": (235.0, 1.0, 1.0),
    "WaveletTransform": (235.0, 1.0, 1.0),
    "Eigenstrap": (235.0, 1.0, 1.6),
    "BiharmonicDistance": (235.0, 1.2, 0.0),
    "AlignModes": (300.0, 7.2, 0.0),
    "SaveHDF5": (400.0, 1.05, 1.1),
    "SaveGiftiFunc": (0.0, 0.0, 1.9),
    "BuildGeometricConnectome": (350.0, 0.0, 6.5),
}
# Reading a decomposition holds its eigenvectors twice for a moment.
_READING = 2.03
_READERS = {
    *("ComputeHKS", "ComputeWKS", "ComputeBatesSignatures", "ComputeSIHKS", "ComputeWavelets"),
    *("ComputeGPS", "ComputeBKS", "VertexAreas", "DecomposeMap", "ReconstructMap", "FilterMap"),
    *("WaveletTransform", "Eigenstrap", "BiharmonicDistance"),
}


def estimate_mem_gb(interface: str, n_vertices: int, k: int = 0, *, n_maps: int = 100) -> float:
    """Return the peak memory of a node, GB.

    Parameters
    ----------
    interface : str
        Name of the interface, for example ``Decompose``.
    n_vertices : int
        Number of vertices N.
    k : int
        Number of modes.
    n_maps : int
        Number of maps: scales of a descriptor (times `order` for Bates signatures), surrogates.

    Returns
    -------
    float

    Raises
    ------
    ArrayError
        If nothing is known about the interface.

    Examples
    --------
    >>> estimate_mem_gb("Decompose", 163_842, 300) > 2 * estimate_mem_gb("Decompose", 40_962, 300)
    True
    """
    if interface not in _COSTS:
        raise ArrayError(f"interface: expected one of {', '.join(sorted(_COSTS))}, found {interface!r}")
    per_vertex, modes, maps = _COSTS[interface]
    columns = modes * k + maps * n_maps
    if interface in _READERS:
        columns = max(columns, _READING * k)
    return BASE_GB + n_vertices * (per_vertex + 8.0 * columns) / _GIB
