"""The traits of our specs: files that must exist, arrays that are hashed whole, names of outputs."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from nipype.interfaces.base import File, isdefined, traits
from nipype.interfaces.base.traits_extension import BasePath


class InputFile(File):
    """A file that must exist when the node runs.

    Nipype's ``exists=True`` raises while the scheduler hands values from node to node, which
    stops every branch; here the node itself fails, with a message, and other branches go on.
    `holds` says what the base class reads from the file; `handed_on`, that an output names the
    file itself, so that its folder enters the hash too. A relative path is relative to where it was
    set, not to the folder in which the node will run.
    """

    def __init__(self, holds: str = "file", **metadata: Any) -> None:
        super().__init__(holds=holds, **metadata)

    def validate(self, owner: Any, name: str, value: Any, return_pathlike: bool = False) -> Any:
        """Return the absolute path; links are kept."""
        path = super().validate(owner, name, value, return_pathlike=True)
        path = path.expanduser().absolute()
        return path if return_pathlike else os.fspath(path)


class Array(traits.TraitType):
    """An array whose content enters the hash: dtype, shape and every byte.

    A convenience for scripts. Between nodes, files travel.
    """

    info_text = "an array of numbers"

    def __init__(self, **metadata: Any) -> None:
        # Traits would compare old and new values element by element to see whether to notify.
        super().__init__(comparison_mode=traits.ComparisonMode.identity, **metadata)

    def validate(self, owner: Any, name: str, value: Any) -> Any:
        """Return the value as a plain array; text, objects and masked arrays are refused."""
        if not isdefined(value) or value is None:
            return value
        try:
            array = np.asarray(value)
        except (ValueError, TypeError):
            self.error(owner, name, value)
        if array.dtype.kind not in "biuf" or isinstance(value, np.ma.MaskedArray):
            self.error(owner, name, value)
        return array


def out_file(default: str, desc: str) -> Any:
    """Return the trait of an output file's name, written into the node's folder."""
    return File(default, usedefault=True, hash_files=False, desc=desc)


def array_or_file(
    name: str, desc: str, *, holds: str = "array", mandatory: bool = False, units: str | None = None
) -> tuple[Array, InputFile, Any]:
    """Return the traits ``X``, ``X_file`` and ``X_key`` of an array argument.

    Either the array or its file may be set, not both; the key says which item of the file is meant,
    for example ``descriptors/hks`` in an HDF5 cache.
    """
    either = {"xor": [name, f"{name}_file"], **({"mandatory": True} if mandatory else {})}
    either |= {"units": units} if units else {}
    return (
        Array(desc=desc, **either),
        InputFile(holds, desc=f"{desc}; a file that holds it", **either),
        traits.Str(requires=[f"{name}_file"], desc=f"which item of {name}_file, where it holds several"),
    )


def holds_paths(trait_type: Any) -> bool:
    if isinstance(trait_type, BasePath):
        return True
    inner = list(trait_type.inner_traits() or ()) if hasattr(trait_type, "inner_traits") else []
    inner += list(getattr(trait_type, "handlers", None) or ())
    return any(holds_paths(getattr(item, "trait_type", item)) for item in inner)
