"""Interface and function side by side: a change of one without the other fails here."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
import typing
from typing import Any, Literal

import pytest
from nipype.interfaces.base import BaseInterface, isdefined, traits

import spectralbrain
import spectralbrain.interfaces as interfaces
from spectralbrain.geometry import repair
from spectralbrain.interfaces.base import (
    Array,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    resolve,
)
from spectralbrain.interfaces.quality import REPAIRS

NAMES = [name for names in interfaces.REGISTRY.values() for name in names]
EVERYWHERE = {"num_threads", "on_error", "out_file"}
# Public functions that are no step of a graph, and why.
NO_NODE = {
    "open_hdf5": "returns an open handle",
    "full_length": "SaveGiftiFunc and every descriptor are full length already",
    "require_usable": "MeshQuality lists the problems; Decompose refuses unusable meshes",
    "find_problems": "part of MeshQuality",
    "mask_surface": "LabelSurface is it with a file in front",
    "triangle_quality": "part of MeshQuality",
    "smallest_angles": "part of MeshQuality",
    "pair_sessions": "part of LongitudinalDifferences",
    "eigenvalue_clusters": "part of AlignModes",
    **dict.fromkeys(("sphere", "ellipsoid", "rectangle", "disk", "annulus", "torus"), "a solid to test with"),
    **dict.fromkeys(
        ("build_subject_report", "build_group_report", "render_surface", "plot_overview"), "draws"
    ),
}
# A node that offers fewer choices than its function's type, and why.
NARROWER = {
    "SpectralAsymmetry": {"mahalanobis"},  # would need a covariance, which the function does not take
    "AsymmetryTable": {"mahalanobis"},
    "RegionDistanceMatrix": {"mahalanobis"},
}
# An argument that has no trait, and why.
NO_TRAIT = {"ComputeRegionSpectra": {"keep_modes"}}  # keeps them in memory, where no other node sees them
CASES = [pytest.param(name, id=name) for name in NAMES if name != "RepairMesh"]


def interface(name: str) -> type[SpectralInterface]:
    return getattr(interfaces, name)  # type: ignore[no-any-return]


def parameters(cls: type[SpectralInterface]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(resolve(cls.function)).parameters)


def annotation(function: Any, name: str) -> Any:
    """Return an argument's type, resolved as far as it can be without imports for checkers only."""
    plain = inspect.unwrap(function)
    text = plain.__annotations__[name]
    if not isinstance(text, str):
        return text
    scope = {**vars(typing), **vars(sys.modules[plain.__module__])}
    try:
        return eval(text, scope)
    except NameError:
        return Any


def literals(kind: Any) -> set[Any] | None:
    """Return the choices of a Literal, alone or in a union with None."""
    if typing.get_origin(kind) is Literal:
        return set(typing.get_args(kind))
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        found = [literals(part) for part in typing.get_args(kind) if part is not type(None)]
        if found and None not in found:
            return set().union(*found)
    return None


def traits_for(cls: type[SpectralInterface], argument: str) -> list[str]:
    """Return the traits that stand for an argument."""
    spec = cls.input_spec()
    known = set(spec.copyable_trait_names())
    if argument == "n_threads":
        return ["num_threads"]
    if argument == "path" and "path" not in cls.arguments:
        return ["out_file"]
    if argument == getattr(cls, "spectra", None) or (argument == "pairs" and "in_files" in known):
        return ["in_files"]
    base = cls.arguments.get(argument, argument)
    return [name for name in (base, f"{base}_file", f"{base}_files", f"{base}_key") if name in known]


@pytest.mark.parametrize("name", CASES)
def test_every_argument_has_its_trait(name: str) -> None:
    cls = interface(name)
    missing = {argument for argument in parameters(cls) if not traits_for(cls, argument)}
    assert missing == NO_TRAIT.get(name, set())


@pytest.mark.parametrize("name", CASES)
def test_every_trait_has_its_argument(name: str) -> None:
    cls = interface(name)
    explained = {trait for argument in parameters(cls) for trait in traits_for(cls, argument)}
    shared = {"names", "entities"} if hasattr(cls, "spectra") else set()
    found = set(cls.input_spec().copyable_trait_names())
    assert found - explained - shared - EVERYWHERE == set(cls.extras) - {"out_file"}


@pytest.mark.parametrize("name", CASES)
def test_defaults_agree(name: str) -> None:
    cls = interface(name)
    spec = cls.input_spec()
    for argument, parameter in parameters(cls).items():
        trait = cls.arguments.get(argument, argument)
        if trait not in spec.copyable_trait_names() or parameter.default in (inspect.Parameter.empty, ""):
            continue
        found = getattr(spec, trait)
        if trait in ("threshold",):
            assert found == pytest.approx(parameter.default)
        elif not isdefined(found):
            assert parameter.default is None or "if omitted" in spec.trait(trait).desc, argument
        else:
            assert found == parameter.default, argument
            assert type(found) is type(parameter.default), argument


@pytest.mark.parametrize("name", CASES)
def test_choices_agree(name: str) -> None:
    cls = interface(name)
    spec, function = cls.input_spec(), resolve(cls.function)
    for argument in parameters(cls):
        trait = spec.traits().get(cls.arguments.get(argument, argument))
        choices = literals(annotation(function, argument))
        if trait is None or choices is None:
            continue
        assert isinstance(trait.trait_type, traits.Enum), argument
        assert set(trait.trait_type.values) - {None} == choices - {None} - NARROWER.get(name, set()), argument


@pytest.mark.parametrize("name", CASES)
def test_an_argument_without_default_is_mandatory(name: str) -> None:
    cls = interface(name)
    spec = cls.input_spec()
    for argument, parameter in parameters(cls).items():
        if (
            parameter.default is not inspect.Parameter.empty
            or parameter.kind == inspect.Parameter.VAR_KEYWORD
        ):
            continue
        names = traits_for(cls, argument)
        if names in (["out_file"], ["num_threads"]) or name in ("SaveMesh",):
            continue
        assert any(spec.trait(trait).mandatory for trait in names), argument


def test_every_public_function_has_its_node() -> None:
    public = {
        name: getattr(spectralbrain, name) for name in spectralbrain.__all__ if not name.startswith("_")
    }
    functions = {name for name, value in public.items() if inspect.isfunction(value)}
    wrapped = {interface(name).function.rpartition(".")[2] for name in NAMES} | set(REPAIRS)
    assert functions - wrapped - set(NO_NODE) == set()


def test_every_repair_can_be_asked_for() -> None:
    found = {
        name
        for name, value in vars(repair).items()
        if inspect.isfunction(value) and value.__module__ == repair.__name__ and not name.startswith("_")
    }
    assert found == set(REPAIRS)


@pytest.mark.parametrize("module", interfaces.REGISTRY)
def test_the_module_lies_beside_its_functions(module: str) -> None:
    for name in interfaces.REGISTRY[module]:
        cls = interface(name)
        assert cls.__module__ == f"spectralbrain.interfaces.{module}"
        home = cls.function.split(".")[-2]
        assert home == module or (module, home) == ("quality", "repair")
    found = {
        name
        for name, value in vars(importlib.import_module(f"spectralbrain.interfaces.{module}")).items()
        if inspect.isclass(value)
        and issubclass(value, SpectralInterface)
        and value.__module__.endswith(f".{module}")
        and value.function
    }
    assert found == set(interfaces.REGISTRY[module])


# The rules of Nipype's checkspecs, which its wheel does not contain, and a few of our own

METADATA = {
    "desc",
    "xor",
    "requires",
    "nohash",
    "mandatory",
    "usedefault",
    "hash_files",
    "units",
    "holds",
    "handed_on",
    "extensions",
}
BUILTIN = {
    *(
        "type",
        "copy",
        "parent",
        "instance_handler",
        "comparison_mode",
        "array",
        "default",
        "editor",
        "rich_compare",
    ),
    *(
        "trait_added",
        "trait_modified",
        "value_trait",
        "key_trait",
        "array_shape",
        "array_dtype",
        "default_value",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_for_specs(name: str) -> None:
    cls = interface(name)
    assert issubclass(cls, BaseInterface)
    assert issubclass(cls.input_spec, SpectralInputSpec)
    assert issubclass(cls.output_spec, SpectralOutputSpec)
    assert cls.input_spec.__name__ == f"{name}InputSpec", "specs tell interfaces apart in the hash"
    assert cls.__doc__
    for side in (cls.input_spec(), cls.output_spec()):
        for trait_name, trait in side.traits(transient=None).items():
            unknown = set(trait.__dict__) - METADATA - BUILTIN
            assert not unknown, (trait_name, unknown)
            assert trait.desc, trait_name
            assert trait.mandatory in (None, True), trait_name
            assert trait.usedefault in (None, True), trait_name
            assert not (trait.mandatory and trait.usedefault), trait_name
            assert not (trait.xor and trait.usedefault), f"{trait_name}: raises when the interface is made"
            for other in [*(trait.xor or ()), *(trait.requires or ())]:
                assert other in side.copyable_trait_names(), (trait_name, other)
            if trait.xor:
                assert trait_name in trait.xor
            if trait.units:
                assert trait.units in trait.desc, f"{trait_name}: the unit belongs into desc too"
            number = isinstance(trait.trait_type, traits.Float | traits.Range | Array)
            if trait.holds == "mesh" or (number and re.search(r"\bmm\b", trait.desc)):
                assert trait.units, f"{trait_name}: has a unit"


@pytest.mark.parametrize("name", NAMES)
def test_an_array_may_come_from_a_file(name: str) -> None:
    spec = interface(name).input_spec()
    for trait_name, trait in spec.traits(transient=None).items():
        if not isinstance(trait.trait_type, Array):
            continue
        file, key = spec.trait(f"{trait_name}_file"), spec.trait(f"{trait_name}_key")
        assert trait.xor == file.xor == [trait_name, f"{trait_name}_file"]
        assert file.units == trait.units
        if trait_name != "volume":  # an image holds one
            assert key.requires == [f"{trait_name}_file"]


@pytest.mark.parametrize("name", NAMES)
def test_a_default_is_used(name: str) -> None:
    for trait_name, trait in interface(name).input_spec().traits(transient=None).items():
        value = trait.default
        if trait.usedefault or value in (None, "", 0, 0.0, False) or not isdefined(value):
            continue
        # Range takes its bound, and Enum its first choice, as a default nobody asked for
        assert isinstance(trait.trait_type, traits.Range | traits.Enum | traits.List | traits.Dict), (
            trait_name
        )


@pytest.mark.parametrize("name", NAMES)
def test_file_traits_are_named_as_such(name: str) -> None:
    for side in (interface(name).input_spec(), interface(name).output_spec()):
        for trait_name, trait in side.traits(transient=None).items():
            if type(trait.trait_type).__name__ in ("File", "InputFile"):
                assert trait_name.endswith("_file"), trait_name
