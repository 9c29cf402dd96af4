"""Imported once by the server that forks the workers, so that no participant pays for imports again."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil

ROOMS = ("geometry", "operators", "io", "spectral", "interfaces", "workflows")
REPORTS = "SPECTRALBRAIN_PRELOAD_REPORTS"  # set by the app where reports are asked for
DRAWING = (
    *("jinja2.ext", "matplotlib.figure", "matplotlib.colorbar", "matplotlib.backends.backend_agg"),
    *("matplotlib.backends.backend_svg", "PIL.Image", "PIL.ImageDraw", "PIL.ImageFont", "PIL.ImageColor"),
    "PIL.PngImagePlugin",
)
OTHERS = ("nipype.pipeline.plugins", "scipy.sparse.linalg", "scipy.sparse.csgraph", "nibabel", "h5py")


def import_all() -> list[str]:
    """Import what a participant's steps import, and return the names; an optional package may lack.

    Returns
    -------
    list of str
    """
    drawing = os.environ.get(REPORTS) == "1"
    found = [*OTHERS, *(DRAWING if drawing else ())]
    for room in (*ROOMS, *(("reports",) if drawing else ())):
        package = importlib.import_module(f"spectralbrain.{room}")
        walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        found += [module.name for module in walked]
    imported = []
    for name in found:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
            imported.append(name)
    return imported


import_all()
gc.freeze()  # no worker looks through all this again, nor copies its memory by looking
