"""What a node of your own is made of: the bases, specs and traits that our own nodes use.

See the manual, "A descriptor node of your own". An interface is two specs and the dotted name of one
function; the base class reads the files its inputs name, calls the function and stores what it returns.
"""

from __future__ import annotations

from spectralbrain.interfaces._results import (
    ArrayInterface,
    ArrayOutputSpec,
    DecompositionInputSpec,
    TableInterface,
    TableOutputSpec,
)
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    array_or_file,
    out_file,
    traits,
)

__all__ = [
    "ArrayInterface",
    "ArrayOutputSpec",
    "DecompositionInputSpec",
    "File",
    "InputFile",
    "SpectralInputSpec",
    "SpectralInterface",
    "SpectralOutputSpec",
    "TableInterface",
    "TableOutputSpec",
    "array_or_file",
    "out_file",
    "traits",
]
