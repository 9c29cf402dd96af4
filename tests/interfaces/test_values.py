"""Each node gives what its function gives, in a file that the next node reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nipype.interfaces.base import isdefined

import spectralbrain as sb
import spectralbrain.interfaces as nodes
from spectralbrain.geometry.solids import sphere
from spectralbrain.interfaces import _files

N_TIMES = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nodes dossier é")


@pytest.fixture(scope="module")
def mesh() -> sb.BrainMesh:
    ball = sphere(3, radius=50.0)
    return sb.BrainMesh(ball.vertices * [1.0, 1.1, 1.3], ball.faces)


@pytest.fixture(scope="module")
def mesh_file(folder: Path, mesh: sb.BrainMesh) -> str:
    return os.fspath(sb.save_mesh(folder / "surface.ply", mesh.vertices, mesh.faces))


@pytest.fixture(scope="module")
def mask(mesh: sb.BrainMesh) -> np.ndarray:
    return mesh.vertices[:, 2] > -50.0


@pytest.fixture(scope="module")
def made(folder: Path, mesh_file: str, mask: np.ndarray) -> Any:
    """The decomposition node, masked, run once for all tests of this module."""
    node = nodes.Decompose(
        mesh_file=mesh_file, k=20, mask=mask, metadata={"subject": "01", "hemisphere": "L"}
    )
    os.chdir(folder)
    return node.run(cwd=str(folder)).outputs


@pytest.fixture(scope="module")
def found(made: Any) -> sb.SpectralDecomposition:
    return sb.SpectralDecomposition.load(made.out_file)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(name: str, **inputs: Any) -> Any:
    outputs = getattr(nodes, name)(**inputs).run().outputs
    assert outputs.status == "ok"
    assert outputs.reason == ""
    return outputs


def array(outputs: Any) -> np.ndarray:
    return _files.read_array(outputs.out_file, outputs.key)


def test_decompose(made: Any, found: sb.SpectralDecomposition, mesh: sb.BrainMesh, mask: np.ndarray) -> None:
    expected = sb.decompose(mesh, 20, mask=mask)
    np.testing.assert_array_equal(found.eigenvalues, expected.eigenvalues)
    np.testing.assert_array_equal(found.eigenvectors, expected.eigenvectors)
    assert (made.n_vertices, made.n_modes, made.n_null_modes) == (mesh.n_vertices, 20, 1)
    assert made.surface_area == expected.surface_area
    assert made.verified is True
    assert made.max_residual < 1e-8
    assert found.metadata["subject"] == "01"
    assert found.metadata["hemisphere"] == "L"
    assert Path(made.out_file).is_absolute()


def test_decompose_reads_its_mask_from_a_file_as_well(mesh_file: str, mask: np.ndarray, made: Any) -> None:
    sb.save_gifti_func("mask.shape.gii", mask.astype(float))
    again = run("Decompose", mesh_file=mesh_file, k=20, mask_file="mask.shape.gii")
    assert again.surface_area == made.surface_area
    sb.save_hdf5("masks.h5", descriptors={"keep": mask, "other": ~mask})
    again = run("Decompose", mesh_file=mesh_file, k=20, mask_file="masks.h5", mask_key="keep")
    assert again.surface_area == made.surface_area


@pytest.mark.parametrize(
    ("node", "function", "options"),
    [
        ("ComputeShapeDNA", "compute_shapedna", {"index": "weyl"}),
        ("ComputeHKS", "compute_hks", {"n_times": N_TIMES, "normalization": "area"}),
        ("ComputeSIHKS", "compute_si_hks", {"n_frequencies": 4}),
        ("ComputeWKS", "compute_wks", {"n_energies": 5, "energy": "area"}),
        ("ComputeGPS", "compute_gps", {"k": 7}),
        ("ComputeBKS", "compute_bks", {}),
        ("ComputeBatesSignatures", "compute_bates_signatures", {"n_times": 2, "order": 3}),
        ("ComputeWavelets", "compute_wavelets", {"n_scales": 3, "kernel": "abspline"}),
        ("VertexAreas", "vertex_areas", {}),
    ],
)
def test_descriptors(
    made: Any, found: sb.SpectralDecomposition, node: str, function: str, options: dict[str, Any]
) -> None:
    outputs = run(node, decomposition_file=made.out_file, **options)
    np.testing.assert_array_equal(array(outputs), getattr(sb, function)(found, **options))
    metadata = sb.load_hdf5(outputs.out_file)["metadata"]
    assert metadata["subject"] == "01"
    assert metadata["surface_area"] == found.surface_area


def test_the_grid_travels_with_the_descriptor(made: Any, found: sb.SpectralDecomposition) -> None:
    first = run("ComputeHKS", decomposition_file=made.out_file, n_times=N_TIMES)
    times = _files.read_array(first.out_file, "metadata/hks_times")
    assert times.shape == (N_TIMES,)
    np.testing.assert_array_equal(sb.compute_hks(found, times, time="raw"), array(first))
    again = run(
        "ComputeHKS",
        decomposition_file=made.out_file,
        times_file=first.out_file,
        times_key="metadata/hks_times",
        out_file="again.h5",
    )
    np.testing.assert_array_equal(array(again), array(first))


def test_shapedna_is_a_table_too(made: Any, found: sb.SpectralDecomposition) -> None:
    outputs = run("ComputeShapeDNA", decomposition_file=made.out_file)
    lines = Path(outputs.table_file).read_text().splitlines()
    assert lines[0] == "index\tshapedna"
    values = [float(line.split("\t")[1]) for line in lines[1:]]
    np.testing.assert_array_equal(values, sb.compute_shapedna(found))


def test_traces_and_wavelengths(made: Any, found: sb.SpectralDecomposition) -> None:
    for node, function in (("HeatTrace", sb.heat_trace), ("WaveTrace", sb.wave_trace)):
        np.testing.assert_array_equal(array(run(node, spectrum_file=made.out_file)), function(found))
    lines = Path(run("ModeWavelengths", spectrum_file=made.out_file).out_file).read_text().splitlines()
    assert lines[1] == "0\tn/a"
    assert float(lines[2].split("\t")[1]) == sb.mode_wavelengths(found)[1]


def test_maps_on_modes(made: Any, found: sb.SpectralDecomposition, mesh: sb.BrainMesh) -> None:
    values = mesh.vertices[:, 0] ** 2
    common = {"decomposition_file": made.out_file, "values": values}
    coefficients = run("DecomposeMap", **common)
    np.testing.assert_array_equal(array(coefficients), sb.decompose_map(found, values))
    rebuilt = run("ReconstructMap", decomposition_file=made.out_file, coefficients_file=coefficients.out_file)
    np.testing.assert_array_equal(array(rebuilt), sb.reconstruct_map(found, sb.decompose_map(found, values)))
    filtered = array(run("FilterMap", longer_than=90.0, **common))
    np.testing.assert_array_equal(filtered, sb.filter_map(found, values, longer_than=90.0))
    surrogates = array(run("Eigenstrap", n_surrogates=3, seed=5, **common))
    np.testing.assert_array_equal(surrogates, sb.eigenstrap(found, values, n_surrogates=3, seed=5))
    errors = Path(run("ReconstructionError", n_modes=[1, 10], **common).out_file).read_text().splitlines()
    assert [line.split("\t")[0] for line in errors] == ["n_modes", "1", "10"]
    assert run("AreaMean", **common).means == [float(sb.area_mean(found, values))]
    histogram = Path(run("AreaHistogram", bins=4, **common).out_file).read_text().splitlines()[1:]
    assert sum(float(line.split("\t")[2]) for line in histogram) == pytest.approx(1)
    transformed = array(run("WaveletTransform", n_scales=2, **common))
    np.testing.assert_array_equal(transformed, sb.wavelet_transform(found, values, n_scales=2))


def test_distances_on_the_surface(made: Any, found: sb.SpectralDecomposition, mask: np.ndarray) -> None:
    points = np.flatnonzero(mask)[:3].tolist()
    common = {"decomposition_file": made.out_file, "sources": points[:1], "targets": points}
    for node, function in (
        ("CommuteTimeDistance", sb.commute_time_distance),
        ("BiharmonicDistance", sb.biharmonic_distance),
    ):
        np.testing.assert_array_equal(array(run(node, **common)), function(found, points[:1], points))
    diffusion = array(run("DiffusionDistance", t=0.1, time="area", **common))
    np.testing.assert_array_equal(
        diffusion, sb.diffusion_distance(found, 0.1, points[:1], points, time="area")
    )


@pytest.fixture(scope="module")
def other(folder: Path, mesh: sb.BrainMesh, mask: np.ndarray) -> str:
    stretched = sb.BrainMesh(mesh.vertices * [1.2, 1, 1], mesh.faces)
    return os.fspath(stretched.decompose(20, mask=mask).save(folder / "other.h5"))


def test_distances_between_surfaces(made: Any, found: sb.SpectralDecomposition, other: str) -> None:
    second = sb.SpectralDecomposition.load(other)
    pair = {"a_file": made.out_file, "b_file": other}
    expected = sb.shapedna_distance(found, second, metric="cosine")
    outputs = run("ShapeDNADistance", metric="cosine", **pair)
    assert outputs.distance == float(expected) > 0
    assert outputs.k == expected.k == 19
    assert Path(outputs.out_file).read_text().split("\t")[0] == "distance"
    assert run("WESD", **pair).distance == float(sb.wesd(found, second))
    for node, function in (
        ("ShapeDNADistanceMatrix", sb.shapedna_distance_matrix),
        ("WESDMatrix", sb.wesd_matrix),
    ):
        outputs = run(node, in_files=[made.out_file, other], names=["a", "b"])
        matrix, labels = sb.load_connectome(outputs.out_file)
        assert labels == ["a", "b"]
        np.testing.assert_array_equal(matrix, function([found, second]))


def test_asymmetry(made: Any, found: sb.SpectralDecomposition, other: str, mesh_file: str) -> None:
    expected = sb.spectral_asymmetry(found, sb.SpectralDecomposition.load(other))
    outputs = run("SpectralAsymmetry", left_file=made.out_file, right_file=other)
    for name in ("distance", "area_index", "k"):
        assert getattr(outputs, name) == getattr(expected, name)
    assert expected.volume_index is None, "not both are closed"
    assert not isdefined(outputs.volume_index)
    whole = run("Decompose", mesh_file=mesh_file, k=6, out_file="whole.h5").out_file
    assert run("SpectralAsymmetry", left_file=whole, right_file=whole).volume_index == 0.0
    table = run(
        "AsymmetryTable", left_files=[made.out_file], right_files=[other], ids=[17], names={17: "Hippocampus"}
    )
    header, row = (line.split("\t") for line in Path(table.out_file).read_text().splitlines())
    found_row = dict(zip(header, row, strict=True))
    assert found_row["region"] == "Hippocampus"
    assert float(found_row["distance"]) == expected.distance


def test_grids(made: Any, found: sb.SpectralDecomposition, other: str) -> None:
    np.testing.assert_array_equal(array(run("HKSTimes", n_times=5, k=20)), sb.hks_times(5, k=20))
    energies, sigma = sb.wks_energies(5, k=20)
    outputs = run("WKSEnergies", n_energies=5, k=20)
    np.testing.assert_array_equal(array(outputs), energies)
    assert outputs.sigma == sigma
    spectra = [found, sb.SpectralDecomposition.load(other)]
    shared = run("SharedHKSTimes", in_files=[made.out_file, other], n_times=6)
    np.testing.assert_array_equal(array(shared), sb.shared_hks_times(spectra, 6))
    shared = run("SharedWKSEnergies", in_files=[made.out_file, other], n_energies=30)
    np.testing.assert_array_equal(array(shared), sb.shared_wks_energies(spectra, 30)[0])
    cohort = run("ComputeWKS", decomposition_file=other, energies_file=shared.out_file, sigma=shared.sigma)
    assert array(cohort).shape == (found.mesh.n_vertices, 30)


def test_group_tables(made: Any, other: str, tmp_path: Path) -> None:
    status = tmp_path / "third_status.tsv"
    status.write_text("status\treason\tinterface\tinputs\nfailed\tthe mesh is torn\tDecompose\tmesh_file=x\n")
    group = {"in_files": [made.out_file, other, str(status)], "names": ["a", "b", "c"]}
    rows = Path(run("ParticipantsTable", **group).out_file).read_text().splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == ["a", "b", "c"]
    assert "the mesh is torn" in rows[3]
    matrix, labels = sb.load_connectome(run("DistanceMatrix", **group).out_file)
    assert labels == ["a", "b", "c"]
    assert np.isnan(matrix[2]).all()
    assert matrix[0, 1] > 0
    assert "the mesh is torn" in Path(run("ShapeDNATable", **group).out_file).read_text()
    deviations = run("ShapeDNADeviations", **group)
    outliers = run(
        "FindOutliers", values_file=deviations.out_file, values_column="deviation", measure="shape"
    )
    assert outliers.outliers == []
    assert "only 2 values" in Path(outliers.out_file).read_text()
    entities = [
        {"participant_id": "sub-01", "session_id": "ses-1"},
        {"participant_id": "sub-01", "session_id": "ses-2"},
    ]
    pair = {"in_files": [made.out_file, other], "entities": entities}
    assert len(Path(run("LongitudinalDifferences", **pair).out_file).read_text().splitlines()) == 2
    assert run("CheckCompatible", **pair).out_files == [made.out_file, other]


def test_regions_and_connectome(made: Any, mesh: sb.BrainMesh, mesh_file: str, found: Any) -> None:
    labels = np.digitize(mesh.vertices[:, 1], [-20, 20]) + 1
    names = {1: "back", 2: "middle", 3: "front"}
    hks = run("ComputeHKS", decomposition_file=made.out_file, n_times=2)
    areas = run("VertexAreas", decomposition_file=made.out_file)
    outputs = run(
        "BuildGeometricConnectome",
        descriptors_file=hks.out_file,
        labels=labels,
        weights_file=areas.out_file,
        names=names,
        method="energy",
    )
    expected = sb.build_geometric_connectome(
        array(hks), labels, weights=sb.vertex_areas(found), names=names, method="energy"
    )
    matrix, rows = sb.load_connectome(outputs.out_file)
    np.testing.assert_array_equal(matrix, expected.matrix)
    assert rows == outputs.labels == ["back", "middle", "front"]
    assert "back" in Path(outputs.coverage_file).read_text()
    table = Path(run("Parcellate", mesh_file=mesh_file, labels=labels, names=names).out_file).read_text()
    assert [line.split("\t")[1] for line in table.splitlines()] == ["region", "back", "middle", "front"]
    spectra = run("ComputeRegionSpectra", mesh_file=mesh_file, labels=labels, names=names, k=6)
    again = run("RegionTable", spectra_file=spectra.out_file, out_file="again.tsv")
    assert Path(again.out_file).read_bytes() == Path(spectra.table_file).read_bytes()
    matrix, rows = sb.load_connectome(run("RegionDistanceMatrix", spectra_file=spectra.out_file).out_file)
    direct = sb.region_distance_matrix(sb.compute_region_spectra(mesh, labels, 6, names=names))
    np.testing.assert_array_equal(matrix, direct)


def test_meshes(mesh_file: str, mesh: sb.BrainMesh, mask: np.ndarray) -> None:
    assert run("LoadMesh", in_file=mesh_file, out_file="copy.vtp").n_vertices == mesh.n_vertices
    np.testing.assert_array_equal(sb.load_mesh("copy.vtp").vertices, mesh.vertices)
    assert run("Load", in_file=mesh_file).kind == "mesh"
    gifti = run("SaveMesh", mesh_file=mesh_file, out_file="copy.surf.gii")
    assert run("LoadGiftiSurface", in_file=gifti.out_file).n_faces == mesh.n_faces
    geometry = run("SaveMesh", vertices=mesh.vertices, faces=mesh.faces, out_file="lh.white")
    assert run("LoadFreeSurferSurface", in_file=geometry.out_file).n_faces == mesh.n_faces
    cut = run("MaskMesh", mesh_file=mesh_file, mask=mask)
    index = _files.read_array(cut.index_file)
    np.testing.assert_array_equal(index, np.flatnonzero(mask))
    assert cut.n_kept == cut.n_vertices == mask.sum()
    white, pial = mesh.vertices * 0.9, mesh.vertices * 1.1
    sb.save_mesh("white.ply", white, mesh.faces)
    sb.save_mesh("pial.ply", pial, mesh.faces)
    run("Midthickness", white_file="white.ply", pial_file="pial.ply", out_file="mid.ply")
    np.testing.assert_allclose(sb.load_mesh("mid.ply").vertices, mesh.vertices)
    quality = run("MeshQuality", mesh_file=mesh_file)
    assert quality.problems == []
    assert json.loads(Path(quality.out_file).read_text())["n_vertices"] == mesh.n_vertices
    assert run("MeshQuality", mesh_file=mesh_file, mask=mask).quality["n_boundary_loops"] == 1


def test_repairs_are_reported(mesh: sb.BrainMesh) -> None:
    faces = np.vstack([mesh.faces, mesh.faces[:3], [[0, 0, 1]]])
    faces[5] = faces[5, ::-1]
    sb.save_mesh("broken.ply", mesh.vertices, faces)
    assert run("MeshQuality", mesh_file="broken.ply").problems
    steps = ["drop_degenerate_faces", "drop_duplicate_faces", "orient_faces"]
    outputs = run("RepairMesh", mesh_file="broken.ply", steps=steps)
    assert outputs.counts == {"drop_degenerate_faces": 1, "drop_duplicate_faces": 3, "orient_faces": 1}
    assert run("MeshQuality", mesh_file=outputs.out_file).problems == []


def test_exports_take_items_of_caches(made: Any, found: sb.SpectralDecomposition) -> None:
    hks = run("ComputeHKS", decomposition_file=made.out_file, n_times=3)
    wks = run("ComputeWKS", decomposition_file=made.out_file, n_energies=3)
    merged = run("SaveHDF5", in_files=[made.out_file, hks.out_file, wks.out_file], metadata={"note": "x"})
    content = sb.load_hdf5(merged.out_file)
    assert set(content["descriptors"]) == {"hks", "wks"}
    assert content["metadata"]["note"] == "x"
    np.testing.assert_array_equal(content["eigenvectors"], found.eigenvectors)
    assert sb.SpectralDecomposition.load(merged.out_file).surface_area == found.surface_area
    run("SaveGiftiFunc", scalars_file=merged.out_file, scalars_key="descriptors/hks", structure="CortexLeft")
    image = nib.load("maps.shape.gii")
    assert image.meta["AnatomicalStructurePrimary"] == "CortexLeft"
    assert image.darrays[0].meta["Name"].startswith("hks_t=")
    run(
        "SaveGiftiFunc",
        scalars_file=made.out_file,
        scalars_key="eigenvectors",
        columns=[2, 0],
        out_file="m.func.gii",
    )
    np.testing.assert_allclose(
        sb.load_gifti_func("m.func.gii")[found.domain], found.eigenvectors[found.domain][:, [2, 0]], rtol=1e-6
    )
    archive = run("SaveNpz", arrays_file=merged.out_file, arrays_keys=["descriptors/wks", "eigenvalues"])
    assert set(sb.load_npz(archive.out_file)) == {"wks", "eigenvalues"}
    assert run("LoadNpz", in_file=archive.out_file).names == ["eigenvalues", "wks"]
    listed = run("LoadHDF5", in_file=merged.out_file, key="eigenvalues", out_file="values.npz")
    assert "descriptors/hks" in listed.names
    assert listed.metadata["subject"] == "01"
    np.testing.assert_array_equal(sb.load_npz(listed.out_file)["eigenvalues"], found.eigenvalues)
    maps = run("LoadGiftiFunc", in_file="maps.shape.gii")
    assert (maps.n_vertices, maps.n_maps) == (found.mesh.n_vertices, 3)
    assert run("LoadScalars", in_file="maps.shape.gii").n_maps == 3


def test_matrices_go_round(tmp_path: Path) -> None:
    matrix = np.array([[0.0, 1.5], [1.5, 0.0]])
    outputs = run("SaveConnectome", matrix=matrix, labels=["a", "b"], sidecar={"Units": "mm^2"})
    assert json.loads(Path(outputs.sidecar_file).read_text())["Units"] == "mm^2"
    read = run("LoadConnectome", in_file=outputs.out_file)
    assert read.labels == ["a", "b"]
    np.testing.assert_array_equal(array(read), matrix)
    copy = run("SaveConnectome", matrix_file=outputs.out_file, out_file="copy.tsv")
    assert Path(copy.out_file).read_bytes() == Path(outputs.out_file).read_bytes()


def test_labels_and_masks() -> None:
    keys = np.array([0, 1, 1, 2], dtype=np.int32)
    table = nib.gifti.GiftiLabelTable()
    for key, name in {0: "???", 1: "insula", 2: "cuneus"}.items():
        label = nib.gifti.GiftiLabel(key)
        label.label = name
        table.labels.append(label)
    data = nib.gifti.GiftiDataArray(keys, intent="NIFTI_INTENT_LABEL", datatype="NIFTI_TYPE_INT32")
    nib.save(nib.gifti.GiftiImage(darrays=[data], labeltable=table), "x.label.gii")
    labels = run("LoadLabels", in_file="x.label.gii")
    assert labels.names == ["???", "insula", "cuneus"]
    assert labels.n_vertices == 4
    assert run("LoadMask", in_file="x.label.gii", n_vertices=4).n_kept == 3
    assert run("Load", in_file="x.label.gii").kind == "labels"


def test_structures_of_a_label_volume() -> None:
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    labels = np.zeros((14, 14, 14), dtype=np.int16)
    labels[3:10, 4:10, 4:10] = 17
    nib.save(nib.Nifti1Image(labels, np.diag([2.0, 2.0, 2.0, 1.0])), "aseg.nii.gz")
    assert run("LoadLabelVolume", in_file="aseg.nii.gz").labels == [17]
    outputs = run("LabelSurface", volume_file="aseg.nii.gz", labels="Left-Hippocampus")
    assert abs(outputs.volume_change) < 0.01
    assert json.loads(Path(outputs.report_file).read_text())["n_voxels"] == 7 * 6 * 6
    same = run("LabelSurface", volume_file="aseg.nii.gz", labels=[17], out_file="same.ply")
    assert Path(same.out_file).read_bytes() == Path(outputs.out_file).read_bytes()


def test_finer_and_smoother_surfaces() -> None:
    mesh = sb.sphere(2, radius=10.0)
    sb.save_mesh("sphere.ply", mesh.vertices, mesh.faces)
    fine = run("RefineSurface", mesh_file="sphere.ply", out_file="fine.ply")
    assert sb.load_mesh(fine.out_file).n_faces == 4 * mesh.n_faces
    smooth = run("SmoothSurface", mesh_file="sphere.ply", iterations=4, out_file="smooth.ply")
    report = json.loads(Path(smooth.report_file).read_text())
    assert report == sb.smooth_surface(mesh, 4).report
    assert sb.load_mesh(smooth.out_file).n_vertices == mesh.n_vertices


def test_correspondence(made: Any, other: str, found: sb.SpectralDecomposition) -> None:
    second = sb.SpectralDecomposition.load(other)
    aligned = run("AlignModes", moving_file=other, reference_file=made.out_file, k=5)
    expected = sb.align_modes(second, found, k=5)
    np.testing.assert_array_equal(_files.read_array(aligned.out_file, "eigenvectors"), expected.eigenvectors)
    assert len(aligned.similarity) == 5
    pair = {"source_file": made.out_file, "target_file": other}
    points = np.arange(found.mesh.n_vertices)
    first = run("ComputeFunctionalMap", correspondence=points, k=6, **pair)
    direct = sb.compute_functional_map(found, second, correspondence=points, k=6)
    np.testing.assert_array_equal(array(first), direct)
    refined = run("ZoomOut", initial_file=first.out_file, k_final=8, **pair)
    assert _files.read_array(refined.out_file, "matrix").shape == (8, 8)
    difference = run("ShapeDifference", matrix_file=refined.out_file, matrix_key="matrix", **pair)
    assert array(difference).shape == (8, 8)
