"""What all our interfaces share: specs that hash content, and a run that explains its failures.

An interface of this package is an adapter: an input spec, an output spec and the dotted name of
one function. The base class reads the files its inputs name, calls the function with the threads
the node was given, and writes what comes back.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from nipype import logging
from nipype.external.due import BibTeX
from nipype.interfaces.base import (
    BaseInterfaceInputSpec,
    File,
    InputMultiObject,
    SimpleInterface,
    TraitedSpec,
    isdefined,
    traits,
)

from spectralbrain._version import __version__
from spectralbrain.bids.references import REFERENCES
from spectralbrain.errors import ArrayError, MissingDependencyError, SpectralBrainError
from spectralbrain.interfaces import _nodes
from spectralbrain.interfaces._failures import (
    STATUS_SUFFIX,
    InputFileError,
    UpstreamError,
    is_status_file,
    read_status,
    remedy_for,
    write_status,
)
from spectralbrain.interfaces._hashing import SCHEME, digest_of_text, fingerprint
from spectralbrain.interfaces._pools import limited_pools
from spectralbrain.interfaces._traits import Array, InputFile, array_or_file, holds_paths, out_file
from spectralbrain.resources import granted_threads

_nodes.install()


class SpectralInputSpec(BaseInterfaceInputSpec):
    """Inputs every interface has, and the hash of all of them."""

    num_threads = traits.Range(
        low=1,
        value=1,
        usedefault=True,
        nohash=True,
        desc="threads the node may use, BLAS and compression included; follows the node's n_procs",
    )
    on_error = traits.Enum(
        "raise",
        "record",
        usedefault=True,
        desc="on bad input, fail ('raise') or write a status row in place of the result ('record')",
    )

    def get_hashval(self, hash_method: str | None = None) -> tuple[list[Any], str]:
        """Return what identifies these inputs, and its digest.

        Files are told apart by content whatever `hash_method` says: a time stamp can lie.
        """
        values = self.trait_get()
        return self.hash_of(values, {name: name for name in values})

    def hash_of(self, values: Mapping[str, Any], roles: Mapping[str, str]) -> tuple[list[Any], str]:
        """Hash `values`; ``roles[name]`` is the trait of this spec that describes each."""
        entries: list[Any] = [
            ("interface", f"{type(self).__module__}.{type(self).__qualname__}"),
            ("spectralbrain", __version__),
            ("scheme", SCHEME),
        ]
        for name in sorted(values):
            role, value = roles[name], values[name]
            if not isdefined(value) or self.has_metadata(role, "nohash", True):
                continue
            files = holds_paths(self.trait(role).trait_type) and not self.has_metadata(
                role, "hash_files", False
            )
            entries.append((name, fingerprint(value, files=files)))
            if self.has_metadata(role, "handed_on", True):
                entries.append((f"{name}: path", fingerprint(value, files=False)))
        return entries, digest_of_text(repr(entries))


class SpectralOutputSpec(TraitedSpec):
    """Outputs every interface has."""

    status = traits.Enum("ok", "failed", desc="whether there is a result")
    reason = traits.Str(desc="why there is none; '' where there is one")


class SpectralInterface(SimpleInterface):
    """Base of our interfaces: two specs and the dotted name of one function.

    Attributes
    ----------
    function : str
        Dotted name of the public function; imported when the node runs.
    arguments : dict
        Argument of the function -> trait, where the names differ.
    extras : dict
        Trait that is no argument of the function -> why the node has it.
    accepts_failures : bool
        Whether recorded failures of earlier nodes are rows of this node's result.
    cites : tuple of str
        What the function implements: keys of :data:`spectralbrain.bids.references.REFERENCES`.
    cites_if : dict
        (input, value) -> what the function implements only then.
    methods : str
        A sentence for the methods section; inputs and outputs stand in braces.
    """

    is_spectralbrain_interface: ClassVar[bool] = True
    _pkg = "spectralbrain"
    _version = __version__
    _additional_metadata: ClassVar[list[str]] = ["handed_on", "holds", "units"]
    function: ClassVar[str] = ""
    arguments: ClassVar[dict[str, str]] = {}
    extras: ClassVar[dict[str, str]] = {}
    accepts_failures: ClassVar[bool] = False
    cites: ClassVar[tuple[str, ...]] = ()
    cites_if: ClassVar[dict[tuple[str, Any], tuple[str, ...]]] = {}
    methods: ClassVar[str] = ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        keys = [*cls.cites, *(key for more in cls.cites_if.values() for key in more)]
        entries = [REFERENCES[key] for key in keys]
        cls._references = [
            {"entry": BibTeX(entry.bibtex), "description": entry.title, "tags": ["implementation"]}
            for entry in entries
        ]

    @classmethod
    def citations(cls, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the keys of what a run with these inputs implements."""
        more = (keys for (name, value), keys in cls.cites_if.items() if values.get(name) == value)
        return (*cls.cites, *(key for keys in more for key in keys))

    def _run_interface(self, runtime: Any) -> Any:
        folder = Path(runtime.cwd)
        with granted_threads(self.inputs.num_threads), limited_pools(self.inputs.num_threads):
            try:
                self._check_files()
                outputs = self._execute(folder)
            except Exception as error:
                if self.inputs.on_error == "raise" or not self._is_about_the_inputs(error):
                    raise self._explained(error, folder) from error.__cause__
                outputs = self._recorded(error, folder)
        self._results = {"status": "ok", "reason": "", **outputs}
        return runtime

    def _execute(self, folder: Path) -> dict[str, Any]:
        """Call the function on the inputs and return the outputs; files go into `folder`."""
        arguments = self._collect(folder)
        return self._store(self._call(**arguments), folder, arguments)

    def _call(self, **arguments: Any) -> Any:
        return resolve(self.function)(**arguments)

    def _collect(self, folder: Path) -> dict[str, Any]:
        """Return the function's arguments: what was set here, what files hold, threads, output path."""
        found: dict[str, Any] = {}
        for name in inspect.signature(resolve(self.function)).parameters:
            trait = self.arguments.get(name, name)
            if trait == "in_file":
                found[name] = self.inputs.in_file
            elif name == "n_threads":
                found[name] = self.inputs.num_threads
            elif name == "path" and self._has("out_file"):
                found[name] = self._out_file(folder)
            elif self._has(trait):
                found[name] = plain(getattr(self.inputs, trait))
            elif self._has(f"{trait}_file"):
                found[name] = self._read(trait, found)
        return found

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn the function's result into outputs; the default suits functions that write `path`."""
        return {"out_file": os.fspath(result)}

    def _has(self, trait: str) -> bool:
        # Not inputs.trait(name): on a strict spec that is truthy for unknown names once asked.
        return trait in _trait_names(self.inputs.__class__) and isdefined(getattr(self.inputs, trait))

    def _read(self, trait: str, found: Mapping[str, Any]) -> Any:
        """Read the file of ``<trait>_file``; `found` holds the arguments before it (the mesh of a mask)."""
        from spectralbrain.interfaces._files import read

        path = getattr(self.inputs, f"{trait}_file")
        key = getattr(self.inputs, f"{trait}_key") if self._has(f"{trait}_key") else None
        holders = (found.get(name) for name in ("mesh", "decomposition"))
        mesh = next((getattr(holder, "mesh", holder) for holder in holders if holder is not None), None)
        n_vertices = None if mesh is None else mesh.n_vertices
        if n_vertices is None and isinstance(found.get("descriptors"), np.ndarray):
            n_vertices = len(found["descriptors"])
        return read(self.inputs.trait(f"{trait}_file").holds, path, key=key, n_vertices=n_vertices)

    def _out_file(self, folder: Path) -> Path:
        name = Path(self.inputs.out_file).name
        if not name:
            raise ArrayError(f"out_file: expected the name of a file, found {self.inputs.out_file!r}")
        return folder / name

    def _list_outputs(self) -> dict[str, Any]:
        """Return the outputs of this run.

        Nipype asks again when a stored result cannot be read; an interface that has not run then
        has nothing to tell, and saying so makes the node run instead of handing on nothing.
        """
        if not self._results:
            raise FileNotFoundError(f"{type(self).__name__}: no stored result; the node must run")
        return self._results

    def _input_files(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for name, trait in self.inputs.items():
            value = getattr(self.inputs, name)
            if isdefined(value) and trait.hash_files is not False and holds_paths(trait.trait_type):
                found += [(name, path) for path in _leaves(value)]
        return found

    def _check_files(self) -> None:
        for name, path in self._input_files():
            if not Path(path).is_file():
                raise InputFileError(f"{name}: expected an existing file, found none at {path}")
            if not self.accepts_failures and is_status_file(path):
                raise UpstreamError(f"{name}: no result, {read_status(path)['reason']}")

    def _is_about_the_inputs(self, error: Exception) -> bool:
        """Tell whether an error is one to record: not a full disk, a missing package or a mistake of ours."""
        if isinstance(error, OSError) and not isinstance(error, InputFileError):
            return error.filename is not None and str(error.filename) in {p for _, p in self._input_files()}
        return isinstance(error, SpectralBrainError) and not isinstance(error, MissingDependencyError)

    def _object(self, error: Exception, folder: Path, *, fatal: bool) -> None:
        """Raise the error, or put its message with file, node and remedy into Nipype's log."""
        if fatal:
            raise error
        logging.getLogger("nipype.interface").warning("%s", self._explained(error, folder))

    def _explained(self, error: Exception, folder: Path) -> Exception:
        """Return the error with the files, the node and a remedy added to its message."""
        lines = [f"  {name}: {path}" for name, path in self._input_files()]
        lines += [
            f"  node: {folder.name} ({type(self).__name__}, in {folder})",
            f"  remedy: {remedy_for(error)}",
        ]
        ours = isinstance(error, SpectralBrainError) and error.args == (str(error),)
        if ours and not isinstance(error, ImportError):  # which prints what it was made with
            error.args = ("\n".join([error.args[0], *lines]),)
        else:
            error.add_note("\n".join(lines))
        return error

    def _recorded(self, error: BaseException, folder: Path) -> dict[str, Any]:
        """Write a status row and let it stand for every output file."""
        reason = str(error.args[-1] if isinstance(error, UpstreamError) else error)
        reason = " ".join(reason.split())
        files = [Path(file).name for _, file in self._input_files()]
        if files and not any(file in reason for file in files):
            reason = f"{reason} ({', '.join(files[:3])})"
        path = folder / f"{folder.name}{STATUS_SUFFIX}"
        write_status(path, reason, type(self).__name__, self._input_files())
        names = self.output_spec().copyable_trait_names()
        outputs: dict[str, Any] = {name: os.fspath(path) for name in names if name.endswith("_file")}
        outputs |= {name: [os.fspath(path)] for name in names if name.endswith("_files")}
        return {**outputs, "status": "failed", "reason": reason}


def resolve(dotted: str) -> Callable[..., Any]:
    """Import a function by its dotted name."""
    module, _, name = dotted.rpartition(".")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def plain(value: Any) -> Any:
    """Return a trait's value without Traits' own list and dict types."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


@functools.cache
def _trait_names(spec: type[SpectralInputSpec]) -> frozenset[str]:
    """Return the names of a spec's traits; asking Traits takes long."""
    return frozenset(spec.class_trait_names())


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value


__all__ = [
    "Array",
    "File",
    "InputFile",
    "InputFileError",
    "InputMultiObject",
    "SpectralInputSpec",
    "SpectralInterface",
    "SpectralOutputSpec",
    "UpstreamError",
    "array_or_file",
    "is_status_file",
    "out_file",
    "read_status",
    "traits",
]
