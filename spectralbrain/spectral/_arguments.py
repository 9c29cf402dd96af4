"""Small checks of arguments that several descriptors share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from spectralbrain.errors import ArrayError, ArrayTypeError
from spectralbrain.runtime import FloatArray, GlobalDescriptor, as_array

P = ParamSpec("P")
R = TypeVar("R")


def also_accepts(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Accept other libraries' names of arguments: ``@also_accepts(t_values="times")``.

    The signature, and hence the node made from it, shows our name only.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for alias, name in names.items():
                if alias in kwargs:
                    if name in kwargs:
                        raise ArrayError(f"{alias}: expected only one of {alias} and {name}, found both")
                    kwargs[name] = kwargs.pop(alias)
            return function(*args, **kwargs)

        return call

    return decorate


def check_choice(value: Any, choices: Sequence[Any], name: str) -> None:
    """Raise if `value` is not one of `choices`."""
    if not any(value is c or (isinstance(value, str) and value == c) for c in choices):
        raise ArrayError(f"{name}: expected one of {', '.join(map(repr, choices))}, found {value!r}")


def check_count(value: Any, name: str, *, least: int = 1) -> int:
    """Return a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArrayError(f"{name}: expected a whole number >= {least}, found {value!r}")
    return int(value)


def check_number(value: Any, name: str) -> float:
    """Return a finite number."""
    if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf":
        raise ArrayTypeError(f"{name}: expected a number, found {value!r}")
    if not np.isfinite(value):
        raise ArrayError(f"{name}: expected a finite number, found {value!r}")
    return float(value)


def check_positive(value: Any, name: str) -> float:
    """Return a positive finite number."""
    number = check_number(value, name)
    if not number > 0:
        raise ArrayError(f"{name}: expected a positive number, found {value!r}")
    return number


def check_spectrum(value: Any, name: str = "decomposition") -> None:
    """Raise unless `value` holds raw eigenvalues; a bare array could be normalised already."""
    if not (hasattr(value, "eigenvalues") and hasattr(value, "n_null_modes")):
        raise ArrayTypeError(
            f"{name}: expected a SpectralDecomposition or a Spectrum, found {type(value).__name__}"
        )


def check_modes(value: Any, name: str = "decomposition") -> None:
    """Raise unless `value` holds eigenvectors."""
    if not (hasattr(value, "eigenvectors") and hasattr(value, "n_null_modes")):
        raise ArrayTypeError(f"{name}: expected a SpectralDecomposition, found {type(value).__name__}")


def check_grid(values: Any, name: str, *, positive: bool) -> FloatArray:
    """Return a non-empty finite grid; a single number is a grid of one."""
    grid = as_array(np.atleast_1d(values), GlobalDescriptor, name=name)
    if not grid.size or not np.isfinite(grid).all():
        raise ArrayError(f"{name}: expected at least one value, all finite")
    if positive and not (grid > 0).all():
        raise ArrayError(f"{name}: expected positive values, found {float(grid.min())}")
    return grid
