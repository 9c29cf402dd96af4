"""How much memory a participant needs: what the scheduler and ``--mem`` go by."""

from __future__ import annotations

from spectralbrain.bids.headers import count_vertices
from spectralbrain.bids.inventory import SurfaceInput
from spectralbrain.bids.parameters import Parameters
from spectralbrain.interfaces.memory import estimate_mem_gb

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
    return estimate_mem_gb("Decompose", UNKNOWN_VERTICES if n is None else n, parameters.modes)
