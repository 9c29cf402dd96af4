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
from .spectral.grids import (
    hks_times as hks_times,
    shared_hks_times as shared_hks_times,
    shared_wks_energies as shared_wks_energies,
    wks_energies as wks_energies,
)
from .spectral.heat_kernel import compute_hks as compute_hks, compute_si_hks as compute_si_hks
from .spectral.measures import (
    area_histogram as area_histogram,
    area_mean as area_mean,
    vertex_areas as vertex_areas,
)
from .spectral.shapedna import compute_shapedna as compute_shapedna
from .spectral.spectrum import Spectrum as Spectrum
from .spectral.wave_kernel import compute_wks as compute_wks

__version__: str
