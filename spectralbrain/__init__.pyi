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
from .geometry.isosurface import IsoSurface as IsoSurface, mask_surface as mask_surface
from .geometry.mesh import (
    BrainMesh as BrainMesh,
    full_length as full_length,
    midthickness as midthickness,
    submesh as submesh,
)
from .geometry.quality import (
    find_problems as find_problems,
    mesh_quality as mesh_quality,
    require_usable as require_usable,
    smallest_angles as smallest_angles,
    triangle_quality as triangle_quality,
)
from .geometry.remesh import (
    SmoothedSurface as SmoothedSurface,
    refine_surface as refine_surface,
    smooth_surface as smooth_surface,
)
from .geometry.repair import (
    Repair as Repair,
    drop_degenerate_faces as drop_degenerate_faces,
    drop_duplicate_faces as drop_duplicate_faces,
    keep_largest_component as keep_largest_component,
    orient_faces as orient_faces,
    remove_unreferenced_vertices as remove_unreferenced_vertices,
)
from .geometry.solids import (
    annulus as annulus,
    disk as disk,
    ellipsoid as ellipsoid,
    rectangle as rectangle,
    sphere as sphere,
    torus as torus,
)
from .io.export import (
    load_connectome as load_connectome,
    load_gifti_func as load_gifti_func,
    load_hdf5 as load_hdf5,
    load_npz as load_npz,
    open_hdf5 as open_hdf5,
    save_connectome as save_connectome,
    save_gifti_func as save_gifti_func,
    save_hdf5 as save_hdf5,
    save_mesh as save_mesh,
    save_npz as save_npz,
)
from .io.label_volume import (
    STRUCTURES as STRUCTURES,
    SUBFIELDS as SUBFIELDS,
    LabelVolume as LabelVolume,
    label_surface as label_surface,
    load_label_volume as load_label_volume,
)
from .io.load import (
    SurfaceLabels as SurfaceLabels,
    load as load,
    load_freesurfer_surface as load_freesurfer_surface,
    load_gifti_surface as load_gifti_surface,
    load_labels as load_labels,
    load_mask as load_mask,
    load_mesh as load_mesh,
    load_scalars as load_scalars,
)
from .reports import (
    ReportFailure as ReportFailure,
    ReportResult as ReportResult,
    build_group_report as build_group_report,
    build_subject_report as build_subject_report,
    plot_overview as plot_overview,
    render_surface as render_surface,
)
from .spectral.alignment import ModeAlignment as ModeAlignment, align_modes as align_modes
from .spectral.asymmetry import (
    Asymmetry as Asymmetry,
    asymmetry_table as asymmetry_table,
    spectral_asymmetry as spectral_asymmetry,
)
from .spectral.connectome import (
    GeometricConnectome as GeometricConnectome,
    build_geometric_connectome as build_geometric_connectome,
)
from .spectral.decomposition import SpectralDecomposition as SpectralDecomposition, decompose as decompose
from .spectral.distance import Distance as Distance, DistanceArray as DistanceArray
from .spectral.functional_map import (
    ZoomOut as ZoomOut,
    compute_functional_map as compute_functional_map,
    shape_difference as shape_difference,
    zoomout as zoomout,
)
from .spectral.grids import (
    hks_times as hks_times,
    shared_hks_times as shared_hks_times,
    shared_wks_energies as shared_wks_energies,
    wks_energies as wks_energies,
)
from .spectral.group import (
    GroupEntry as GroupEntry,
    check_compatible as check_compatible,
    distance_matrix as distance_matrix,
    find_outliers as find_outliers,
    longitudinal_differences as longitudinal_differences,
    pair_sessions as pair_sessions,
    participants_table as participants_table,
    shapedna_deviations as shapedna_deviations,
    shapedna_table as shapedna_table,
)
from .spectral.heat_kernel import compute_hks as compute_hks, compute_si_hks as compute_si_hks
from .spectral.maps import (
    decompose_map as decompose_map,
    filter_map as filter_map,
    mode_wavelengths as mode_wavelengths,
    reconstruct_map as reconstruct_map,
    reconstruction_error as reconstruction_error,
)
from .spectral.measures import (
    area_histogram as area_histogram,
    area_mean as area_mean,
    vertex_areas as vertex_areas,
)
from .spectral.point_distance import (
    biharmonic_distance as biharmonic_distance,
    commute_time_distance as commute_time_distance,
    diffusion_distance as diffusion_distance,
)
from .spectral.point_signature import compute_bks as compute_bks, compute_gps as compute_gps
from .spectral.regions import (
    Region as Region,
    RegionSpectrum as RegionSpectrum,
    compute_region_spectra as compute_region_spectra,
    parcellate as parcellate,
    region_distance_matrix as region_distance_matrix,
    region_table as region_table,
)
from .spectral.shape_distance import (
    shapedna_distance as shapedna_distance,
    shapedna_distance_matrix as shapedna_distance_matrix,
    wesd as wesd,
    wesd_matrix as wesd_matrix,
)
from .spectral.shapedna import compute_shapedna as compute_shapedna
from .spectral.spectrum import Spectrum as Spectrum
from .spectral.surrogates import eigenstrap as eigenstrap
from .spectral.symmetric_polynomials import compute_bates_signatures as compute_bates_signatures
from .spectral.traces import heat_trace as heat_trace, wave_trace as wave_trace
from .spectral.wave_kernel import compute_wks as compute_wks
from .spectral.wavelets import compute_wavelets as compute_wavelets, wavelet_transform as wavelet_transform

__version__: str
