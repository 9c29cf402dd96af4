"""Node of :mod:`spectralbrain.spectral.alignment`: modes of one surface brought to those of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import DECOMPOSITION, ArrayOutputSpec
from spectralbrain.interfaces.base import (
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    array_or_file,
    out_file,
    traits,
)


class AlignModesInputSpec(SpectralInputSpec):
    """Inputs of AlignModes."""

    moving_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)
    reference_file = InputFile("decomposition", mandatory=True, desc=DECOMPOSITION)
    correspondence, correspondence_file, correspondence_key = array_or_file(
        "correspondence",
        "for each vertex of the reference, its vertex on the moving surface (N_ref,); the same if omitted",
    )
    rtol = traits.Float(0.05, usedefault=True, desc="relative gap below which eigenvalues form a cluster")
    k = traits.Range(low=1, desc="number of modes; all that both have if omitted")
    out_file = out_file(
        "aligned.h5", "name of the HDF5 cache of eigenvectors, rotation, clusters and similarity"
    )


class AlignModesOutputSpec(ArrayOutputSpec):
    """Outputs of AlignModes."""

    similarity = traits.List(traits.Float, desc="how similar each mode is to that of the reference, 0 to 1")


class AlignModes(SpectralInterface):
    """Rotate modes inside clusters of eigenvalues to fit those of a reference surface."""

    input_spec = AlignModesInputSpec
    output_spec = AlignModesOutputSpec
    function = "spectralbrain.spectral.alignment.align_modes"
    cites = ("schonemann1966",)
    methods = "Modes were rotated inside clusters of eigenvalues to fit those of a reference surface."

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        names = ("eigenvectors", "rotation", "clusters", "similarity")
        arrays = {name: np.asarray(getattr(result, name)) for name in names}
        path = _files.write_arrays(self._out_file(folder), arrays)
        similarity = [float(value) for value in result.similarity]
        return {"out_file": path, "key": "descriptors/eigenvectors", "similarity": similarity}
