"""Nipype workflow builders.

The builders are attributes of this package, loaded on first use:
``from spectralbrain.workflows import init_surface_wf``.
"""

from __future__ import annotations

import importlib
from typing import Any

_BUILDERS = {
    "init_surface_wf": "surface",
    "init_hemispheres_wf": "hemispheres",
    "init_group_wf": "cohort",
    "init_connectome_wf": "connectome",
    "collect_methods": "methods",
}
__all__ = sorted(_BUILDERS)


def __getattr__(name: str) -> Any:
    if name in _BUILDERS:
        return getattr(importlib.import_module(f"{__name__}.{_BUILDERS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
