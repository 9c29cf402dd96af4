"""Node of :mod:`spectralbrain.spectral.decomposition`: the eigenpairs of a surface."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np

from spectralbrain.errors import ArrayError, MeshError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    SpectralInputSpec,
    SpectralInterface,
    SpectralOutputSpec,
    array_or_file,
    out_file,
    plain,
    traits,
)


class DecomposeInputSpec(SpectralInputSpec):
    """Inputs of Decompose."""

    mesh_file = InputFile("mesh", mandatory=True, units="mm", desc="surface, mm")
    k = traits.Range(low=1, xor=["k", "below"], desc="number of modes, null modes included; 100 if omitted")
    mask, mask_file, mask_key = array_or_file(
        "mask", "vertices to keep (N,), for example all but the medial wall", holds="mask"
    )
    laplacian = traits.Enum(
        "cotangent", "robust", "quadratic", usedefault=True, desc="discretisation of the operator"
    )
    mass = traits.Enum(
        "consistent", "lumped", desc="mass matrix; 'consistent' if omitted, 'lumped' with laplacian='robust'"
    )
    boundary = traits.Enum(
        "neumann", "dirichlet", usedefault=True, desc="condition on boundary edges, if any"
    )
    weight, weight_file, weight_key = array_or_file("weight", "positive factor of the stiffness (N,)")
    below = traits.Float(
        xor=["k", "below"], units="mm^-2", desc="all modes with an eigenvalue below this, mm^-2"
    )
    backend = traits.Str(
        "auto", usedefault=True, desc="eigensolver; 'auto' takes the fastest that is installed"
    )
    tol = traits.Float(1e-8, usedefault=True, desc="largest relative residual accepted, from 1e-10 to 1e-3")
    on_unverified = traits.Enum(
        "raise", "flag", usedefault=True, desc="what to do if the pairs cannot be verified complete"
    )
    on_disconnected = traits.Enum(
        *("raise", "warn", "accept"),
        usedefault=True,
        desc="what to do if the surface falls into several components, each with a constant mode of its own",
    )
    metadata = traits.Dict(
        key_trait=traits.Str,
        desc="facts added to the cache: subject, session, hemisphere, structure, surface, source",
    )
    out_file = out_file("decomposition.h5", "name of the HDF5 cache")


class DecomposeOutputSpec(SpectralOutputSpec):
    """Outputs of Decompose."""

    out_file = File(desc="the eigenpairs with mass matrix, surface and metadata, HDF5")
    n_vertices = traits.Int(desc="number of vertices N, masked ones included")
    n_modes = traits.Int(desc="number of modes k")
    n_components = traits.Int(desc="number of connected components of the domain")
    n_null_modes = traits.Int(desc="number of constant modes")
    surface_area = traits.Float(units="mm^2", desc="area of the domain, mm^2")
    verified = traits.Bool(desc="whether the modes are proven complete and accurate")
    max_residual = traits.Float(desc="largest relative residual")
    orthonormality_error = traits.Float(desc="largest entry of |Phi' B Phi - I|")
    inertia_count = traits.Int(desc="eigenvalues below the upper shift, counted by the factorisation")
    discretization_error = traits.Float(desc="largest estimated relative discretisation error")
    quality_flags = traits.List(traits.Str, desc="codes of what a reader of the result must know")
    mass_matrix = traits.Str(desc="the mass matrix that was used")
    backend = traits.Str(desc="the eigensolver that ran")


class Decompose(SpectralInterface):
    """Compute the smallest Laplace-Beltrami eigenpairs of a surface.

    Examples
    --------
    >>> node = Decompose(mesh_file="lh.white", mask_file="lh.cortex.label", k=200)
    >>> node.inputs.laplacian
    'cotangent'
    """

    input_spec = DecomposeInputSpec
    output_spec = DecomposeOutputSpec
    function = "spectralbrain.spectral.decomposition.decompose"
    cites = ("reuter2006",)
    cites_if = {("laplacian", "robust"): ("sharp2020",)}
    methods = (
        "Laplace-Beltrami eigenpairs ({n_modes} modes, null modes included) were computed with finite "
        "elements ({laplacian} Laplacian, {mass_matrix} mass matrix, {boundary} condition on boundary edges) "
        "and verified to be complete."
    )
    extras = {
        "metadata": "facts about the surface that only the caller knows",
        "on_disconnected": "several components are sound mathematics, but seldom what a graph was meant for",
    }

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        if "mask" in found:
            found["mask"] = _files.as_mask(found["mask"])
        return found

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._has("metadata"):
            given = plain(self.inputs.metadata)
            if taken := sorted(set(given) & set(result.metadata)):
                raise ArrayError(
                    f"metadata: expected facts that only you know, found {', '.join(taken)}, computed here"
                )
            result = dataclasses.replace(result, metadata={**result.metadata, **given})
        n_components = int(result.metadata["n_components"])
        if n_components > 1 and self.inputs.on_disconnected != "accept":
            message = (
                f"mesh: expected a connected surface, found {n_components} components; keep the largest one, "
                "or set on_disconnected='accept' where each is meant to have modes of its own"
            )
            self._object(MeshError(message), folder, fatal=self.inputs.on_disconnected == "raise")
        path = result.save(self._out_file(folder))
        return {
            "out_file": os.fspath(path),
            "n_vertices": result.mesh.n_vertices,
            "n_modes": len(result.eigenvalues),
            "n_components": n_components,
            "n_null_modes": result.n_null_modes,
            "surface_area": result.surface_area,
            "verified": bool(result.metadata["verified"]),
            "max_residual": float(result.metadata["max_residual"]),
            "orthonormality_error": float(result.metadata["orthonormality_error"]),
            "inertia_count": int(result.metadata["inertia_count"]),
            "discretization_error": float(np.max(np.abs(result.metadata["discretization_error"]))),
            "quality_flags": list(result.metadata["quality_flags"]),
            "mass_matrix": str(result.metadata["mass"]),
            "backend": str(result.metadata["backend"]),
        }
