"""The nodes as tasks of Pydra: the same functions, names, files and hash, without Nipype's engine.

For each interface in :data:`spectralbrain.interfaces.REGISTRY` this module has a task under the name of its
function: ``from spectralbrain.pydra_tasks import decompose``. Arguments and outputs are those of the
interface. Needs the extra ``pydra``.

Pydra tells files apart by date and arrays by bytes alone. These tasks are told apart as our nodes are: by
content, type and shape, full floats, and the version of this library; threads do not count.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nipype.interfaces.base import isdefined

import spectralbrain.interfaces as interfaces
from spectralbrain._version import __version__
from spectralbrain.errors import MissingDependencyError
from spectralbrain.interfaces._hashing import SCHEME, digest_of_text, fingerprint
from spectralbrain.interfaces._traits import InputFile, holds_paths
from spectralbrain.interfaces.base import SpectralInterface

try:
    import attr
    from fileformats.generic import File
    from pydra.engine.specs import BaseSpec, LazyField, SpecInfo
    from pydra.engine.task import FunctionTask
    from pydra.utils.hash import hash_function
except ImportError as error:
    raise MissingDependencyError(
        f"spectralbrain.pydra_tasks needs {error.name}; install the extra: pip install 'spectralbrain[pydra]'"
    ) from error

_RENAMED = {"RepairMesh": "repair_mesh"}  # one node for several functions


def _task_name(interface: str) -> str:
    function: str = getattr(interfaces, interface).function
    return _RENAMED.get(interface, function.rpartition(".")[2])


@functools.cache
def _interfaces() -> dict[str, str]:
    """Return task -> interface."""
    return {_task_name(name): name for names in interfaces.REGISTRY.values() for name in names}


@attr.s(auto_attribs=True, kw_only=True)
class SpectralInputs(BaseSpec):
    """Inputs of a task, told apart by content."""

    def _compute_hashes(self) -> tuple[str, dict[str, Any]]:
        found: dict[str, Any] = {"": [type(self).__name__, SCHEME, __version__]}
        for field in attr.fields(type(self)):
            value = getattr(self, field.name)
            if value is attr.NOTHING or field.metadata.get("nohash"):
                continue
            lazy = isinstance(value, LazyField)
            files = bool(field.metadata.get("files"))
            found[field.name] = hash_function(value) if lazy else fingerprint(_paths(value), files=files)
        return digest_of_text(repr(sorted(found.items()))), found


def _paths(value: Any) -> Any:
    """Return file objects of Pydra as paths."""
    if isinstance(value, list | tuple):
        return [_paths(item) for item in value]
    return os.fspath(value) if isinstance(value, File) else value


def _input_spec(interface: type[SpectralInterface]) -> SpecInfo:
    spec, fields = interface.input_spec(), []
    for name in spec.copyable_trait_names():
        trait = spec.trait(name)
        files = holds_paths(trait.trait_type) and trait.hash_files is not False
        metadata = {"help_string": trait.desc, "mandatory": bool(trait.mandatory), "files": files}
        metadata |= {key: getattr(trait, key) for key in ("xor", "requires", "nohash") if getattr(trait, key)}
        default = getattr(spec, name) if trait.usedefault else attr.NOTHING
        kind = Path if isinstance(trait.trait_type, InputFile) else Any
        fields.append((name, attr.ib(type=kind, default=default, metadata=metadata)))
    return SpecInfo(name=f"{interface.__name__}Inputs", fields=fields, bases=(SpectralInputs,))


def _output_spec(interface: type[SpectralInterface]) -> SpecInfo:
    names = interface.output_spec().copyable_trait_names()
    # Not as File: Pydra would copy those of a split into one folder, where their names are the same.
    fields = [(name, Path if name == "out_file" else Any) for name in names]
    return SpecInfo(name=f"{interface.__name__}Outputs", fields=fields, bases=(BaseSpec,))


def _run(interface: str, /, **inputs: Any) -> dict[str, Any]:
    """Run an interface in the folder that Pydra made for the task."""
    given = {name: _paths(value) for name, value in inputs.items() if value is not attr.NOTHING}
    outputs = getattr(interfaces, interface)(**given).run(cwd=os.getcwd()).outputs.trait_get()  # noqa: PTH109
    return {name: value if isdefined(value) else None for name, value in outputs.items()}


def make_task(interface: str) -> Callable[..., FunctionTask]:
    """Return what makes tasks of an interface, by the name of the interface.

    Parameters
    ----------
    interface : str
        For example ``Decompose``.

    Returns
    -------
    function
        Takes `name`, `cache_dir` and further options of Pydra's tasks, and the interface's inputs.
    """
    cls = getattr(interfaces, interface)

    def task(name: str = _task_name(interface), **options: Any) -> FunctionTask:
        function = functools.partial(_run, interface)
        return FunctionTask(
            function, name=name, input_spec=_input_spec(cls), output_spec=_output_spec(cls), **options
        )

    task.__name__ = task.__qualname__ = _task_name(interface)
    task.__doc__ = f"{(cls.__doc__ or '').strip().splitlines()[0]}\n\nA task; see :class:`{interface}`."
    return task


def __getattr__(name: str) -> Any:
    if name in _interfaces():
        return make_task(_interfaces()[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_interfaces(), "make_task"])
