"""ShapeDNA distances and WESD: closed forms, axioms of a distance, refusals."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cosine, mahalanobis

import spectralbrain as sb
from spectralbrain.errors import ArrayError, IncompatibleError
from spectralbrain.spectral._wesd_bound import dirichlet_bound
from spectralbrain.spectral.shape_distance import (
    Distance,
    shapedna_distance,
    shapedna_distance_matrix,
    wesd,
    wesd_matrix,
)
from spectralbrain.spectral.shapedna import compute_shapedna
from spectralbrain.spectral.spectrum import Spectrum

SPHERE = np.repeat(np.arange(6.0), 2 * np.arange(6) + 1)
SPHERE = SPHERE * (SPHERE + 1)


def spectrum(values, area=4 * np.pi, nulls=1, boundary="closed", **facts):
    return Spectrum(values, {"n_null_modes": nulls, "surface_area": area, "boundary": boundary, **facts})


def sphere(radius=1.0, k=16):
    return spectrum(SPHERE[:k] / radius**2, 4 * np.pi * radius**2)


def rectangle(a, b, k=30):
    m, n = np.meshgrid(np.arange(1, 60), np.arange(1, 60))
    values = np.sort((np.pi**2 * (m**2 / a**2 + n**2 / b**2)).ravel())[:k]
    return spectrum(values, a * b, 0, "dirichlet")


def test_default_compares_lambda_area_over_n():
    a, b = sphere(), spectrum(SPHERE[:16] * 1.1)
    n = np.arange(1, 16)
    expected = np.linalg.norm(0.1 * SPHERE[1:16] * 4 * np.pi / n)
    d = shapedna_distance(a, b)
    assert np.isclose(d, expected)
    assert (d.k, d.unit, d.method) == (15, "1", "shapedna")


def test_scaled_copy_is_at_distance_zero():
    for metric in ("euclidean", "cosine"):
        assert shapedna_distance(sphere(), sphere(1234.5), metric=metric) < 1e-10


def test_metrics_against_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 2, (2, 7))
    half = rng.normal(size=(20, 7))
    covariance = half.T @ half / 20
    inverse = np.linalg.inv(covariance)
    assert np.isclose(shapedna_distance(a, b), np.sqrt(((a - b) ** 2).sum()))
    assert np.isclose(shapedna_distance(a, b, metric="cosine"), cosine(a, b))
    expected = mahalanobis(a, b, inverse)
    assert np.isclose(shapedna_distance(a, b, metric="mahalanobis", covariance=covariance), expected)
    assert np.isclose(shapedna_distance(a, b, metric="mahalanobis", cov_inv=inverse), expected)


def test_k_belongs_to_the_result():
    assert shapedna_distance(sphere(), sphere(k=9), k=8).k == 8
    assert wesd(sphere(), sphere(k=9), k=5).k == 5
    for compare in (shapedna_distance, wesd):
        with pytest.raises(ArrayError, match=r"found 15 in spectra\[0\] and 8 in spectra\[1\]"):
            compare(sphere(), sphere(k=9))


def test_distance_is_a_float_that_travels():
    d = wesd([1.0], [2.0])
    for twin in (copy.deepcopy(d), pickle.loads(pickle.dumps(d))):
        assert twin == d == 0.5
        assert (twin.k, twin.unit, twin.method) == (1, "mm^2", "wesd")
    assert isinstance(d, float)
    assert repr(d) == "Distance(0.5, k=1, unit='mm^2', method='wesd')"
    assert isinstance(d, Distance)


@pytest.mark.parametrize("p", [1.01, 1.5, 2.0, 7.0])
def test_wesd_is_the_published_sum(p):
    a, b = SPHERE[1:16], SPHERE[1:16] * 1.3 + 0.2
    expected = sum((abs(x - y) / (x * y)) ** p for x, y in zip(a, b, strict=True)) ** (1 / p)
    assert np.isclose(wesd(a, b, p=p), expected, rtol=1e-13)
    assert np.isclose(wesd(spectrum([0, *a]), spectrum([0, 0, *b], nulls=2), p=p), expected, rtol=1e-13)


@given(st.floats(1e-6, 1e6), st.floats(1.01, 10))
def test_wesd_has_the_unit_of_an_area(s, p):
    a, b = SPHERE[1:16], SPHERE[1:16] * 1.3
    assert np.isclose(wesd(a / s**2, b / s**2, p=p), s**2 * wesd(a, b, p=p), rtol=1e-10)


def test_wesd_of_two_spheres():
    """1 / lambda differs by (r^2 - 1) / (l (l + 1)): a sum over degrees in closed form."""
    degree = np.arange(1, 4)
    exact = 3 * np.sqrt(((2 * degree + 1) / (degree * (degree + 1.0)) ** 2).sum())
    assert np.isclose(wesd(sphere(2.0), sphere(1.0)), exact)


def test_wesd_converges_with_k_but_not_for_p_of_one():
    a = np.repeat(np.arange(1.0, 400), 2 * np.arange(1, 400) + 1)
    a = a * (a + 1)
    values = [wesd(a[:k], 2 * a[:k]) for k in (1000, 10000, 100000)]
    assert values[2] - values[1] < 0.11 * (values[1] - values[0])
    with pytest.raises(ArrayError, match="p: expected more than d / 2 = 1"):
        wesd(a[:5], a[:5], p=1.0)


positive = arrays(float, 6, elements=st.floats(0.01, 100))


@given(positive, positive, positive)
def test_axioms(a, b, c):
    for compare in (wesd, shapedna_distance):
        assert compare(a, a) == 0
        assert np.isclose(compare(a, b), compare(b, a), rtol=1e-12)
        assert compare(a, c) <= (compare(a, b) + compare(b, c)) * (1 + 1e-9) + 1e-12


def test_matrices_equal_the_pairs():
    cohort = [
        sphere(1.0),
        sphere(1.5),
        spectrum(SPHERE[:16] * 1.2 + np.linspace(0, 1, 16) * (SPHERE[:16] > 0)),
    ]
    pairs = [(i, j) for i in range(3) for j in range(3)]
    for matrix, compare in (
        (wesd_matrix(cohort, k=9), lambda a, b: wesd(a, b, k=9)),
        (shapedna_distance_matrix(cohort), shapedna_distance),
        (
            shapedna_distance_matrix(cohort, metric="cosine", normalization="none", index=None),
            lambda a, b: shapedna_distance(a, b, metric="cosine", normalization="none", index=None),
        ),
        (
            shapedna_distance_matrix(cohort, metric="mahalanobis", covariance=np.diag(np.arange(1, 16.0))),
            lambda a, b: shapedna_distance(
                a, b, metric="mahalanobis", covariance=np.diag(np.arange(1, 16.0))
            ),
        ),
    ):
        assert np.allclose(matrix, [[compare(cohort[i], cohort[j]) for j in range(3)] for i in range(3)])
        assert np.array_equal(matrix, matrix.T)
    assert len(pairs) == 9
    array = np.array([s.eigenvalues[1:] for s in cohort])
    assert np.allclose(wesd_matrix(array), wesd_matrix(cohort))


def test_score_is_between_zero_and_one_and_free_of_units():
    shapes = [rectangle(1, 1), rectangle(1, 3), rectangle(5, 4), rectangle(0.1, 9)]
    for a in shapes:
        for b in shapes:
            value = wesd(a, b, score=True)
            assert 0 <= value < 1
            assert value.unit == "1"
    small, large = (wesd(rectangle(s, s), rectangle(s, 3 * s), score=True) for s in (1.0, 1e4))
    assert np.isclose(small, large)
    assert small > 0.05


def test_score_uses_the_published_bound():
    a, b = rectangle(1, 1), rectangle(1, 3)
    area, mu, p = 3.0, a.eigenvalues[0], 2.0
    c = (area / (2 * np.pi) - 1 / mu) ** p + (area / (4 * np.pi) - 1 / (3 * mu)) ** p
    k = (area / (2 * np.pi) - 2 / 4.64 / mu) ** p
    bound = (c + k * (np.pi**2 / 6 - 1 - 0.25)) ** (1 / p)
    assert np.isclose(wesd(a, b, score=True), wesd(a, b) / bound, rtol=1e-12)


@pytest.mark.parametrize("boundary", ["closed", "neumann"])
def test_score_is_refused_where_its_bound_does_not_hold(boundary):
    shape = spectrum(SPHERE[:9], boundary=boundary)
    with pytest.raises(ArrayError, match=f"Dirichlet boundary only, found '{boundary}' for a"):
        wesd(shape, shape, score=True)
    with pytest.raises(ArrayError, match="found an array for a"):
        wesd([1.0], [2.0], score=True)


def test_score_is_refused_for_a_curved_dirichlet_surface():
    """A long thin Dirichlet sheet rolled up may have eigenvalues below Li and Yau's bound."""
    low = spectrum(np.arange(1.0, 9) * 0.1, 10.0, 0, "dirichlet")
    with pytest.raises(ArrayError, match="violates the bounds of flat domains"):
        wesd(low, low, score=True)


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_real_neumann_sheet_violates_the_bound(shared_data, side):
    name = f"hemi-{side}_space-T1w_den-8k_label-hipp_midthickness.surf.gii"
    sheet = sb.load_mesh(shared_data / "hippunfold-v2" / name).decompose(k=4)
    values = compute_shapedna(sheet, normalization="none")
    with pytest.raises(ArrayError, match="violates the bounds of flat domains"):
        dirichlet_bound(values, values, sheet.surface_area, 2.0)
    with pytest.raises(ArrayError, match="Dirichlet boundary only, found 'neumann' for a"):
        wesd(sheet, sheet, score=True)


def test_dirichlet_and_neumann_are_not_compared():
    for compare in (wesd, shapedna_distance):
        with pytest.raises(IncompatibleError, match="boundary: expected spectra of one kind"):
            compare(rectangle(1, 1, 15), sphere())
    for matrix in (wesd_matrix, shapedna_distance_matrix):
        with pytest.raises(IncompatibleError, match="boundary"):
            matrix([rectangle(1, 1, 15), sphere()])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shapedna_distance([1.0], [1.0], index="lapy"), "a: an array is taken as it is"),
        (lambda: shapedna_distance([1.0], sphere()), "found one of each"),
        (lambda: shapedna_distance([1.0], [1.0], metric="l1"), "metric: expected one of"),
        (lambda: shapedna_distance([1.0], [1.0], metric="mahalanobis"), "exactly one of covariance"),
        (lambda: shapedna_distance([1.0], [1.0], covariance=[[1.0]]), "only with metric 'mahalanobis'"),
        (
            lambda: shapedna_distance([1.0, 2], [1.0, 3], metric="mahalanobis", covariance=np.ones((2, 2))),
            "positive definite",
        ),
        (
            lambda: shapedna_distance([1.0, 2], [1.0, 3], metric="mahalanobis", cov_inv=[[1, 2], [3, 10]]),
            "cov_inv: expected a symmetric",
        ),
        (lambda: shapedna_distance([0.0], [1.0], metric="cosine"), "not zero throughout"),
        (lambda: shapedna_distance([np.nan], [1.0]), "a: expected finite values, found 1 NaN"),
        (lambda: wesd([0.0, 1.0], [1.0, 2.0]), "a: expected positive eigenvalues"),
        (lambda: wesd([1.0], [1.0], k=2), "k: expected at most 1 values in a, found 2"),
        (lambda: wesd_matrix([[1.0, 2.0], [1.0]]), r"found 2 in spectra\[0\] and 1 in spectra\[1\]"),
        (lambda: wesd_matrix([]), "at least one"),
        (lambda: shapedna_distance_matrix([[1.0]], covariance=[[1.0]]), "only with metric"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ArrayError, match=message):
        call()
