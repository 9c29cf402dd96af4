"""How much memory a node needs, from the sizes of what it works on: what the scheduler goes by."""

from __future__ import annotations

from dataclasses import dataclass

from spectralbrain.errors import ArrayError

BASE_GB = 0.1  # the interpreter with NumPy, SciPy, h5py and Nipype
_GIB = 1024**3
# Reading a decomposition holds its eigenvectors twice for a moment.
_READING = 2.03


@dataclass(frozen=True)
class _Cost:
    """What a node holds at its peak, beyond the interpreter; `benchmarks/node_memory.py` measures it.

    Bytes for each vertex or voxel, each vertex of one row (a region), and each row; copies of the (N, k)
    eigenvectors, the (N, n_maps) maps, the rows' spectra (n_rows, k) and the (n_rows, n_rows) matrix.
    """

    vertex: float = 0.0
    row_vertex: float = 0.0
    modes: float = 0.0
    maps: float = 0.0
    row: float = 0.0
    spectra: float = 0.0
    pairs: float = 0.0
    reads: bool = False  # a decomposition, whole


def _reader(maps: float = 0.0, *, vertex: float = 235.0, modes: float = 1.0) -> _Cost:
    return _Cost(vertex=vertex, modes=modes, maps=maps, reads=True)


_SMALL = _Cost()  # a spectrum, a grid or a (k, k) matrix: nothing beside the interpreter
_SPECTRA = _Cost(row=15_000.0, spectra=3.0)
_MATRIX = _Cost(row=15_000.0, spectra=3.0, pairs=7.0)
_COSTS: dict[str, _Cost] = {
    "Load": _Cost(maps=3.5),
    "LoadMesh": _Cost(vertex=400.0),
    "LoadFreeSurferSurface": _Cost(vertex=400.0),
    "LoadGiftiSurface": _Cost(vertex=400.0),
    "LoadScalars": _Cost(maps=3.0),
    "LoadLabels": _Cost(vertex=50.0),
    "LoadMask": _Cost(vertex=50.0),
    "LoadLabelVolume": _Cost(vertex=10.0),
    "LabelSurface": _Cost(vertex=45.0),
    "MaskMesh": _Cost(vertex=550.0),
    "Midthickness": _Cost(vertex=500.0),
    "MeshQuality": _Cost(vertex=1150.0),
    "RepairMesh": _Cost(vertex=1300.0),
    "SmoothSurface": _Cost(vertex=1700.0),
    "RefineSurface": _Cost(vertex=2000.0),
    "Decompose": _Cost(vertex=5600.0, modes=2.8),
    "HKSTimes": _SMALL,
    "WKSEnergies": _SMALL,
    "SharedHKSTimes": _SPECTRA,
    "SharedWKSEnergies": _SPECTRA,
    "ComputeShapeDNA": _SMALL,
    "ComputeHKS": _reader(1.0),
    "ComputeSIHKS": _reader(),
    "ComputeWKS": _reader(1.0),
    "ComputeGPS": _reader(modes=2.2),
    "ComputeBKS": _reader(),
    "ComputeBatesSignatures": _reader(1.0),
    "ComputeWavelets": _reader(1.0),
    "WaveletTransform": _reader(1.0),
    "HeatTrace": _SMALL,
    "WaveTrace": _SMALL,
    "VertexAreas": _reader(),
    "AreaMean": _reader(2.2),
    "AreaHistogram": _reader(),
    "ModeWavelengths": _SMALL,
    "DecomposeMap": _reader(3.1),
    "ReconstructMap": _reader(1.0),
    "FilterMap": _reader(3.1),
    "ReconstructionError": _reader(),
    "Eigenstrap": _reader(1.6),
    "DiffusionDistance": _reader(1.0, modes=1.2),
    "CommuteTimeDistance": _reader(1.0, modes=1.2),
    "BiharmonicDistance": _reader(1.0, modes=1.2),
    "ShapeDNADistance": _SMALL,
    "WESD": _SMALL,
    "WESDMatrix": _MATRIX,
    "ShapeDNADistanceMatrix": _MATRIX,
    "AlignModes": _Cost(vertex=300.0, modes=7.2),
    "ComputeFunctionalMap": _Cost(vertex=300.0, modes=3.2),
    "ZoomOut": _Cost(vertex=300.0, modes=3.2),
    "ShapeDifference": _SMALL,
    "SpectralAsymmetry": _SMALL,
    "AsymmetryTable": _SPECTRA,
    "Parcellate": _Cost(vertex=500.0),
    "ComputeRegionSpectra": _Cost(vertex=450.0, row_vertex=6500.0),
    "RegionTable": _Cost(vertex=40.0, row=15_000.0),
    "RegionDistanceMatrix": _Cost(vertex=40.0, row=15_000.0, pairs=10.0),
    "BuildGeometricConnectome": _Cost(vertex=350.0, maps=5.5, pairs=10.0),
    "CheckCompatible": _SPECTRA,
    "ParticipantsTable": _SPECTRA,
    "ShapeDNATable": _SPECTRA,
    "ShapeDNADeviations": _SPECTRA,
    "DistanceMatrix": _MATRIX,
    "FindOutliers": _Cost(row=3000.0),
    "LongitudinalDifferences": _SPECTRA,
    "SaveHDF5": _Cost(vertex=400.0, modes=1.05, maps=1.1),
    "SaveMesh": _Cost(vertex=400.0),
    "SaveGiftiFunc": _Cost(maps=1.9),
    "SaveNpz": _Cost(maps=2.0),
    "SaveConnectome": _Cost(pairs=10.0),
    "LoadHDF5": _Cost(vertex=235.0, modes=2.2),
    "LoadNpz": _Cost(maps=1.5),
    "LoadGiftiFunc": _Cost(maps=2.0),
    "LoadConnectome": _Cost(pairs=16.0),
}


def estimate_mem_gb(
    interface: str, n_vertices: int = 0, k: int = 0, *, n_maps: int = 100, n_rows: int = 0
) -> float:
    """Return the peak memory of a node, GB.

    Parameters
    ----------
    interface : str
        Name of the interface, for example ``Decompose``.
    n_vertices : int
        Number of vertices N; for a label volume, of voxels.
    k : int
        Number of modes.
    n_maps : int
        Number of maps: scales of a descriptor (times `order` for Bates signatures), surrogates, sources of a
        distance.
    n_rows : int
        Number of surfaces of a group, both sides of an asymmetry counted, or of regions of a parcellation,
        taken to be of one size; 0 where it is not known.

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
    >>> round(estimate_mem_gb("DistanceMatrix", k=100, n_rows=2000), 1)
    0.3
    """
    if interface not in _COSTS:
        raise ArrayError(f"interface: expected one of {', '.join(sorted(_COSTS))}, found {interface!r}")
    cost = _COSTS[interface]
    columns = cost.modes * k + cost.maps * n_maps
    if cost.reads:
        columns = max(columns, _READING * k)
    surface = n_vertices * (cost.vertex + cost.row_vertex / max(n_rows, 1) + 8.0 * columns)
    group = n_rows * (cost.row + 8.0 * (cost.spectra * k + cost.pairs * n_rows))
    return BASE_GB + (surface + group) / _GIB
