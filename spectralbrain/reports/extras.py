"""The optional packages that drawing needs, imported in one place."""

from __future__ import annotations

import importlib
from types import ModuleType

from spectralbrain.errors import MissingDependencyError


def drawing_module(name: str) -> ModuleType:
    """Import a module of the extra ``app``.

    Parameters
    ----------
    name : str
        For example ``'matplotlib.figure'``.

    Returns
    -------
    module

    Raises
    ------
    MissingDependencyError
        If its package is not installed; the message says what to install.

    Examples
    --------
    >>> drawing_module("no_such_package.at_all")
    Traceback (most recent call last):
        ...
    spectralbrain.errors.MissingDependencyError: Figures and reports need no_such_package, which is not
    installed; run: pip install "spectralbrain[app]"
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != package:
            raise
        raise MissingDependencyError(
            f"Figures and reports need {package}, which is not installed; "
            'run: pip install "spectralbrain[app]"'
        ) from error
