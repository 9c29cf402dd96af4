"""How much memory a node needs, from the sizes of its surface: what the scheduler goes by."""

from __future__ import annotations

from spectralbrain.errors import ArrayError

BASE_GB = 0.08  # the interpreter with NumPy, SciPy, h5py and Nipype
_GIB = 1024**3
# Bytes per vertex; and copies of the (N, k) eigenvectors and of a (N, 100) map held at the peak.
# Fitted to the peak resident memory of nodes on spheres of 2,562 to 163,842 vertices.
_COSTS: dict[str, tuple[float, float, float]] = {
    "Decompose": (5900.0, 3.3, 0.0),
    "MeshQuality": (1100.0, 0.0, 0.0),
    "LoadMesh": (120.0, 0.0, 0.0),
    "ComputeShapeDNA": (0.0, 0.0, 0.0),
    "ComputeHKS": (300.0, 1.7, 1.0),
    "ComputeWKS": (300.0, 1.7, 1.0),
    "ComputeBatesSignatures": (300.0, 1.7, 0.2),
    "ComputeSIHKS": (500.0, 1.7, 0.0),
    "ComputeWavelets": (400.0, 1.7, 0.05),
    "ComputeGPS": (300.0, 2.7, 0.0),
    "ComputeBKS": (500.0, 1.7, 0.0),
    "VertexAreas": (500.0, 1.7, 0.0),
    "SaveHDF5": (300.0, 1.7, 1.0),
    "SaveGiftiFunc": (0.0, 0.0, 1.8),
    "BuildGeometricConnectome": (400.0, 0.0, 3.0),
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
        Number of scales of a descriptor.

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
    size = n_vertices * (per_vertex + 8.0 * (modes * k + maps * n_maps))
    return BASE_GB + size / _GIB
