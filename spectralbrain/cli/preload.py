"""Imported once by the server that forks the workers, so that no participant pays for imports again."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

ROOMS = ("geometry", "operators", "io", "spectral", "interfaces", "workflows")
OTHERS = ("nipype.pipeline.plugins", "scipy.sparse.linalg", "scipy.sparse.csgraph", "nibabel", "h5py")


def import_all() -> list[str]:
    """Import what a participant's steps import, and return the names; an optional package may lack.

    Returns
    -------
    list of str
    """
    found = list(OTHERS)
    for room in ROOMS:
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
