"""Nodes of :mod:`spectralbrain.spectral.shape_distance`."""

from __future__ import annotations

from spectralbrain.interfaces._results import (
    DECOMPOSITION,
    DistanceInterface,
    DistanceOutputSpec,
    MatrixInterface,
    SpectraInputSpec,
    TableOutputSpec,
)
from spectralbrain.interfaces.base import InputFile, SpectralInputSpec, array_or_file, out_file, traits


class PairInputSpec(SpectralInputSpec):
    """The inputs of a comparison of two surfaces."""

    a_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    b_file = InputFile("spectrum", mandatory=True, desc=DECOMPOSITION)
    k = traits.Range(
        low=1, desc="number of non-null eigenvalues; all if omitted, then equal numbers are needed"
    )
    out_file = out_file("distance.tsv", "name of the table: distance, unit, method, k")


METRICS = ("euclidean", "cosine", "mahalanobis")
NORMALIZATIONS = ("area", "volume", "none")
NORMALIZATION = "lambda A, lambda V^(2/3) (closed surfaces) or lambda"
INDEX = "divide by the index n ('weyl') or n + 1 ('lapy'), or not at all (None)"


class ShapeDNADistanceInputSpec(PairInputSpec):
    """Inputs of ShapeDNADistance."""

    metric = traits.Enum(*METRICS, usedefault=True, desc="metric between the normalised spectra")
    normalization = traits.Enum(*NORMALIZATIONS, usedefault=True, desc=NORMALIZATION)
    index = traits.Enum("weyl", "lapy", None, usedefault=True, desc=INDEX)
    covariance, covariance_file, covariance_key = array_or_file("covariance", "for 'mahalanobis', (k, k)")
    cov_inv, cov_inv_file, cov_inv_key = array_or_file(
        "cov_inv", "instead of covariance: its inverse, (k, k)"
    )


class ShapeDNADistance(DistanceInterface):
    """Return the distance between the normalised spectra of two surfaces."""

    input_spec = ShapeDNADistanceInputSpec
    output_spec = DistanceOutputSpec
    function = "spectralbrain.spectral.shape_distance.shapedna_distance"
    cites = ("reuter2006", "wachinger2015")
    methods = "Surfaces were compared by the {metric} distance of their ShapeDNA."


class WESDInputSpec(PairInputSpec):
    """Inputs of WESD."""

    p = traits.Float(2.0, usedefault=True, desc="exponent, more than 1")
    score = traits.Bool(False, usedefault=True, desc="the published score in [0, 1); Dirichlet spectra only")


class WESD(DistanceInterface):
    """Return the weighted spectral distance between two surfaces, mm^2."""

    input_spec = WESDInputSpec
    output_spec = DistanceOutputSpec
    function = "spectralbrain.spectral.shape_distance.wesd"
    cites = ("konukoglu2013",)
    methods = "Surfaces were compared by the weighted spectral distance (p = {p})."


class WESDMatrixInputSpec(SpectraInputSpec):
    """Inputs of WESDMatrix."""

    p = traits.Float(2.0, usedefault=True, desc="exponent, more than 1")
    k = traits.Range(low=1, desc="number of non-null eigenvalues; all if omitted")
    out_file = out_file("wesd.tsv", "name of the labelled table, mm^2")


class WESDMatrix(MatrixInterface):
    """Return the weighted spectral distance between every two surfaces, mm^2."""

    input_spec = WESDMatrixInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.shape_distance.wesd_matrix"
    cites = ("konukoglu2013",)
    methods = "Surfaces were compared by the weighted spectral distance (p = {p})."


class ShapeDNADistanceMatrixInputSpec(SpectraInputSpec):
    """Inputs of ShapeDNADistanceMatrix."""

    metric = traits.Enum(*METRICS, usedefault=True, desc="metric between the normalised spectra")
    normalization = traits.Enum(*NORMALIZATIONS, usedefault=True, desc=NORMALIZATION)
    index = traits.Enum("weyl", "lapy", None, usedefault=True, desc=INDEX)
    k = traits.Range(low=1, desc="number of non-null eigenvalues; all if omitted")
    covariance, covariance_file, covariance_key = array_or_file("covariance", "for 'mahalanobis', (k, k)")
    out_file = out_file("distances.tsv", "name of the labelled table")


class ShapeDNADistanceMatrix(MatrixInterface):
    """Return the ShapeDNA distance between every two surfaces."""

    input_spec = ShapeDNADistanceMatrixInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.shape_distance.shapedna_distance_matrix"
    cites = ("reuter2006", "wachinger2015")
    methods = "Surfaces were compared by the {metric} distance of their ShapeDNA."
