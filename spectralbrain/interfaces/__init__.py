"""Nipype interfaces: one module per module of pure functions, under the same name.

Every interface is also an attribute of this package, loaded on first use:
``from spectralbrain.interfaces import Decompose``.
"""

from __future__ import annotations

import importlib
from typing import Any

# module -> its interfaces, in the order of a workflow
REGISTRY: dict[str, tuple[str, ...]] = {
    "load": (
        *("Load", "LoadMesh", "LoadFreeSurferSurface", "LoadGiftiSurface"),
        *("LoadScalars", "LoadLabels", "LoadMask"),
    ),
    "label_volume": ("LoadLabelVolume", "LabelSurface"),
    "mesh": ("MaskMesh", "Midthickness"),
    "quality": ("MeshQuality", "RepairMesh"),
    "remesh": ("SmoothSurface", "RefineSurface"),
    "decomposition": ("Decompose",),
    "grids": ("HKSTimes", "WKSEnergies", "SharedHKSTimes", "SharedWKSEnergies"),
    "shapedna": ("ComputeShapeDNA",),
    "heat_kernel": ("ComputeHKS", "ComputeSIHKS"),
    "wave_kernel": ("ComputeWKS",),
    "point_signature": ("ComputeGPS", "ComputeBKS"),
    "symmetric_polynomials": ("ComputeBatesSignatures",),
    "wavelets": ("ComputeWavelets", "WaveletTransform"),
    "traces": ("HeatTrace", "WaveTrace"),
    "measures": ("VertexAreas", "AreaMean", "AreaHistogram"),
    "maps": ("ModeWavelengths", "DecomposeMap", "ReconstructMap", "FilterMap", "ReconstructionError"),
    "surrogates": ("Eigenstrap",),
    "point_distance": ("DiffusionDistance", "CommuteTimeDistance", "BiharmonicDistance"),
    "shape_distance": ("ShapeDNADistance", "WESD", "WESDMatrix", "ShapeDNADistanceMatrix"),
    "alignment": ("AlignModes",),
    "functional_map": ("ComputeFunctionalMap", "ZoomOut", "ShapeDifference"),
    "asymmetry": ("SpectralAsymmetry", "AsymmetryTable"),
    "regions": ("Parcellate", "ComputeRegionSpectra", "RegionTable", "RegionDistanceMatrix"),
    "connectome": ("BuildGeometricConnectome",),
    "group": (
        *("CheckCompatible", "ParticipantsTable", "ShapeDNATable", "ShapeDNADeviations", "DistanceMatrix"),
        *("FindOutliers", "LongitudinalDifferences"),
    ),
    "export": ("SaveHDF5", "SaveMesh", "SaveGiftiFunc", "SaveNpz", "SaveConnectome"),
    "results": ("LoadHDF5", "LoadNpz", "LoadGiftiFunc", "LoadConnectome"),
}
_MODULE_OF = {name: module for module, names in REGISTRY.items() for name in names}
__all__ = ["REGISTRY", *sorted(_MODULE_OF)]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
