from .errors import (
    ArrayError as ArrayError,
    ArrayTypeError as ArrayTypeError,
    BIDSError as BIDSError,
    ConvergenceError as ConvergenceError,
    FormatError as FormatError,
    IncompatibleError as IncompatibleError,
    MeshError as MeshError,
    MetadataError as MetadataError,
    MissingDependencyError as MissingDependencyError,
    SpectralBrainError as SpectralBrainError,
)
from .geometry.mesh import BrainMesh as BrainMesh
from .spectral.decomposition import SpectralDecomposition as SpectralDecomposition, decompose as decompose

__version__: str
