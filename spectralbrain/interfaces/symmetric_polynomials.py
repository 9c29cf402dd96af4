"""Node of :mod:`spectralbrain.spectral.symmetric_polynomials`."""

from __future__ import annotations

from spectralbrain.interfaces._results import ArrayOutputSpec, TimesInputSpec, TimesInterface
from spectralbrain.interfaces.base import out_file, traits


class ComputeBatesSignaturesInputSpec(TimesInputSpec):
    """Inputs of ComputeBatesSignatures."""

    n_times = traits.Range(low=1, value=10, usedefault=True, desc="length of the default grid of times")
    order = traits.Range(low=1, value=2, usedefault=True, desc="highest order of the polynomials")
    group_rtol = traits.Float(desc="sum phi^2 within clusters of eigenvalues closer than this relative gap")
    out_file = out_file("bates.h5", "name of the HDF5 cache; the signatures are its item descriptors/bates")


class ComputeBatesSignatures(TimesInterface):
    """Compute elementary symmetric polynomials of the modes (N, T * order), mm^(-2 p) for order p."""

    input_spec = ComputeBatesSignaturesInputSpec
    output_spec = ArrayOutputSpec
    function = "spectralbrain.spectral.symmetric_polynomials.compute_bates_signatures"
    cites = ("bates2011",)
    methods = "Symmetric polynomials of the modes (up to order {order}) were evaluated at each vertex."
    array = "bates"
