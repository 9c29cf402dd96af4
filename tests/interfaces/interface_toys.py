"""Small interfaces on the base class, to test the base class itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import FormatError, MeshError
from spectralbrain.interfaces.base import (
    Array,
    File,
    InputFile,
    InputMultiObject,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    out_file,
    traits,
)


def total(values: Any = None, *, tol: float = 1e-8, weights: dict[Any, float] | None = None) -> float:
    """Return the sum of the values, plus tol, plus the weights."""
    return float(np.sum(values)) + tol + sum((weights or {}).values())


class TotalInputSpec(SpectralInputSpec):
    values = Array(xor=["values", "values_file"], desc="numbers")
    values_file = InputFile("text", xor=["values", "values_file"], desc="file of numbers")
    tol = traits.Float(1e-8, usedefault=True, desc="a small number")
    weights = traits.Dict(desc="numbers under keys of any type")
    label = traits.Str(desc="a text")
    out_file = out_file("total.txt", desc="name of the file")


class TotalOutputSpec(SpectralOutputSpec):
    out_file = File(desc="the sum")
    copy_file = File(desc="the sum again")
    total = traits.Float(desc="the sum")


class Total(SpectralInterface):
    """Sum of an array or of a file's numbers."""

    input_spec = TotalInputSpec
    output_spec = TotalOutputSpec
    function = f"{__name__}.total"

    def _call(self, **arguments: Any) -> Any:
        return total(**arguments)

    def _collect(self, folder: Path) -> dict[str, Any]:
        names = ("values", "tol", "weights")
        found = {name: getattr(self.inputs, name) for name in names if self._has(name)}
        if self._has("values_file"):
            text = Path(self.inputs.values_file).read_text(encoding="utf-8")
            try:
                found["values"] = [float(word) for word in text.split()]
            except ValueError:
                raise FormatError(
                    f"{self.inputs.values_file}: expected numbers, found {text[:10]!r}"
                ) from None
            if not found["values"]:
                raise MeshError("expected at least one number, found none")
        return found

    def _store(self, result: float, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        path, copy = self._out_file(folder), folder / "copy.txt"
        path.write_text(f"{result!r}\n", encoding="utf-8")
        copy.write_text(f"{result!r}\n", encoding="utf-8")
        return {"out_file": os.fspath(path), "copy_file": os.fspath(copy), "total": result}


def gather(files: list[str], *, power: float = 1.0) -> float:
    """Return the sum of the numbers in the files, each to a power."""
    return sum(float(Path(file).read_text(encoding="utf-8")) ** power for file in files)


class GatherInputSpec(SpectralInputSpec):
    files = InputMultiObject(InputFile("text"), mandatory=True, desc="files of one number each")
    power = traits.Float(1.0, usedefault=True, desc="exponent")
    out_file = out_file("gather.txt", desc="name of the file")


class GatherOutputSpec(SpectralOutputSpec):
    out_file = File(desc="the sum")


class Gather(SpectralInterface):
    """Sum over files, as a JoinNode or after a MapNode."""

    input_spec = GatherInputSpec
    output_spec = GatherOutputSpec
    function = f"{__name__}.gather"

    def _collect(self, folder: Path) -> dict[str, Any]:
        return {"files": list(self.inputs.files), "power": self.inputs.power}

    def _call(self, **arguments: Any) -> Any:
        return gather(**arguments)

    def _store(self, result: float, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        path = self._out_file(folder)
        path.write_text(f"{result!r}\n", encoding="utf-8")
        return {"out_file": os.fspath(path)}
