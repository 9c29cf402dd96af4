"""Numbers of SpectralBrain 0.1.0, computed by it on four points and five made-up modes.

Where its definition is the published one ours agree; where not, the docstring says how they differ.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import spectralbrain as sb

VALUES = np.array([0.0, 0.5, 0.8, 1.3, 2.0])
VECTORS = np.cos(np.outer(np.arange(1, 5), np.arange(1, 6)) * 0.7)
VECTORS[:, 0] = 0.5
TIMES, ENERGIES, SOURCES = np.array([0.3, 2.0]), np.array([-0.4, 0.3]), np.array([0, 2])
A, B = np.array([0.5, 0.8, 1.3]), np.array([0.6, 0.9, 1.1])
REGIONS = {"a": np.array([[0.0, 1], [2, 3], [1, 1]]), "b": np.array([[1.0, 2], [4, 0]])}

PEER = {
    "shapedna": [2.0, 3.2, 5.2, 8.0],
    "hks": [
        [1.5577128909905649, 0.39408562488634924],
        [1.9223709888706904, 0.6802098371444713],
        [1.5499628778529557, 0.564431830364653],
        [1.0180039071823213, 0.5291272714346653],
    ],
    "wks": [
        [0.2562885086414499, 0.7365179115864477],
        [0.5453483728203171, 0.5242943233724027],
        [0.597313703622668, 0.4051077120884063],
        [0.36698844626414995, 0.0934939891880362],
    ],
    "gps": [
        [0.24036983864732678, -0.5644351040306249, -0.8263836598536861, -0.6621748738708122],
        [-1.3325036129445387, -0.5481282616113426, 0.6802162732483156, 0.5330893963979759],
        [-0.6933335026401911, 1.1178759394217803, -0.45544627842819196, -0.33625538649058523],
        [1.096815783902999, -0.5805823652746409, 0.17804704377056643, 0.0966878142353438],
    ],
    "bks": [1.2583421824548462, 4.424698247030762, 2.739577352264404, 2.856414040083513],
    "bates": [
        [
            1.5577128909905649,
            0.8651139720775678,
            0.20513387310144512,
            0.39408562488634924,
            0.04271838455364286,
            0.0017848424949544726,
        ],
        [
            1.9223709888706904,
            1.37511402612864,
            0.46424383868642227,
            0.6802098371444713,
            0.14453030240006617,
            0.010291963607025867,
        ],
        [
            1.549962877852956,
            0.8149587799075049,
            0.19489198032350918,
            0.564431830364653,
            0.10355369754313884,
            0.0066918848639376674,
        ],
        [
            1.0180039071823213,
            0.32996012894357635,
            0.03888983416161625,
            0.5291272714346653,
            0.08276853809716866,
            0.003287970043175116,
        ],
    ],
    "biharmonic": [
        [0.0, 2.721866247881361, 2.3324387727035316, 1.5910134690707354],
        [2.3324387727035316, 2.3783437714992175, 0.0, 3.227637297554249],
    ],
    "commute": [
        [0.0, 2.484491264230231, 1.9864013767731807, 1.5226667425846594],
        [1.9864013767731807, 2.2868314783959143, 0.0, 2.5842114242508423],
    ],
    "diffusion": [
        [1.4901161193847656e-08, 1.2482871698303006, 1.0784292439467777, 0.7625243540841841],
        [1.0784292439467777, 1.2048852519000288, 0.0, 1.3808156149665207],
    ],
    "shared_times": [4.605170185988092, 9.210340371976182, 18.420680743952364],
    "wesd": 0.4446637703480866,
    "euclidean": 0.24494897427831774,
    "cosine": 0.011292672393613201,
    "mahalanobis": 0.3872983346207416,
    "conformal": [[1.0319335000703582, 0.2135336767391937], [0.13345854796199605, 0.4455793020149197]],
    "connectome_wasserstein": 1.25,
    "connectome_euclidean": 1.6414763002993509,
    "connectome_cosine": 0.20383780587689737,
    "connectome_correlation": 2.0,
}

OURS = {
    "shapedna": lambda d: sb.compute_shapedna(d, normalize="area"),
    "hks": lambda d: sb.compute_hks(d, t_values=TIMES),
    "wks": lambda d: sb.compute_wks(d, e_values=ENERGIES, sigma=0.4, normalize=False),
    "gps": sb.compute_gps,
    "bks": sb.compute_bks,
    "bates": lambda d: sb.compute_bates_signatures(d, t_values=TIMES, order=3),
    "biharmonic": lambda d: sb.biharmonic_distance(d, indices=SOURCES),
    "commute": lambda d: sb.commute_time_distance(d, indices=SOURCES),
    "diffusion": lambda d: sb.diffusion_distance(d, 0.6, indices=SOURCES),
    "shared_times": lambda d: sb.shared_hks_times([d], 3),
    "wesd": lambda d: sb.wesd(A, B, p=1.5, normalize=False),
    "euclidean": lambda d: sb.shapedna_distance(A, B),
    "cosine": lambda d: sb.shapedna_distance(A, B, metric="cosine"),
    "mahalanobis": lambda d: sb.shapedna_distance(A, B, metric="mahalanobis", cov_inv=np.diag([1.0, 2, 3])),
    # theirs is the transpose, here without the row and column of the null mode
    "conformal": lambda d: sb.shape_difference(
        np.cos(np.outer(np.arange(3), np.arange(3)) + 0.5), d, d, kind="conformal"
    ),
    **{
        f"connectome_{method}": lambda d, method=method: sb.build_geometric_connectome(
            REGIONS, method=method
        )[0][0, 1]
        for method in ("wasserstein", "euclidean", "cosine", "correlation")
    },
}


@pytest.fixture(scope="module")
def modes():
    mesh = sb.BrainMesh(np.eye(4)[:, :3], [[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 3]])
    facts = {"n_null_modes": 1, "surface_area": 4.0, "boundary": "closed", "n_components": 1}
    return sb.SpectralDecomposition(VALUES.copy(), VECTORS.copy(), sp.eye_array(4, format="csr"), mesh, facts)


@pytest.mark.parametrize("name", PEER)
def test_numbers_agree_with_the_peer(modes, name):
    assert np.allclose(OURS[name](modes), PEER[name], rtol=1e-12, atol=2e-8)


DOCUMENTED = ["shapedna", "hks", "si_hks", "wks", "gps", "bates_signatures", "bks", "functional_map"]


@pytest.mark.parametrize(
    "function",
    [
        *(getattr(sb, f"compute_{name}") for name in DOCUMENTED),
        *(sb.biharmonic_distance, sb.commute_time_distance, sb.diffusion_distance),
        *(sb.wesd, sb.wesd_matrix, sb.shapedna_distance, sb.shared_hks_times, sb.build_geometric_connectome),
        *(sb.parcellate, sb.shape_difference, sb.compute_wavelets),
    ],
)
def test_docstrings_say_how_ours_and_theirs_relate(function):
    assert "SpectralBrain 0.1.0" in function.__doc__
    assert function.__doc__.count("Notes\n") == 1
