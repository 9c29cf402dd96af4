"""How much memory a participant needs: what the scheduler and ``--mem`` go by."""

from __future__ import annotations

from spectralbrain.bids.headers import count_vertices
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import Parameters

BASE_GB = 0.25  # the interpreter with NumPy, SciPy, Nipype
UNKNOWN_VERTICES = 164_000  # a cortical hemisphere at full resolution


def surface_mem_gb(surface: SurfaceInput, parameters: Parameters) -> float:
    """Return an estimate of the memory of a surface's largest step, GB.

    Parameters
    ----------
    surface : SurfaceInput
        Its file's header says how many vertices there are; a structure of a label volume is small.
    parameters : Parameters
        The number of modes counts.

    Returns
    -------
    float
    """
    geometry = surface.mesh or surface.white
    n = 20_000 if surface.volume is not None else (count_vertices(geometry) if geometry else 0)
    return step_mem_gb(UNKNOWN_VERTICES if n is None else n, parameters.modes)


def step_mem_gb(n_vertices: int, modes: int) -> float:
    """Return an estimate of the memory of the decomposition, GB.

    Eigenvectors, the solver's basis (twice as many vectors) and the factor of the shifted matrix,
    which fills in like N log N.
    """
    import math

    vectors = 8.0 * n_vertices * modes * 4
    factor = 12.0 * 7 * n_vertices * max(1.0, math.log2(max(2, n_vertices)))
    return BASE_GB + (vectors + factor) / 1024**3
