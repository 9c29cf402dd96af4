"""Heat maps of matrices; clustering and embedding of distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from spectralbrain.errors import ArrayError
from spectralbrain.reports.extras import drawing_module
from spectralbrain.reports.style import ACCENT, SOFT, WARN, Figure, svg_figure
from spectralbrain.runtime import BoolArray, ConnectomeMatrix, FloatArray, IntArray, as_array

MatrixKind: TypeAlias = Literal["distance", "similarity", "correlation"]
_MOST_LABELS = 60


@dataclass(frozen=True)
class LabelledMatrix:
    """A square matrix, what its rows are and what its entries mean.

    Attributes
    ----------
    values : (R, R) array
        NaN where nothing could be computed.
    labels : tuple of str
        One for each row.
    title, units, caption : str
        For the figure.
    kind : {'distance', 'similarity', 'correlation'}
        Decides the colours.
    """

    values: FloatArray
    labels: tuple[str, ...]
    title: str = "Matrix"
    units: str = ""
    caption: str = ""
    kind: MatrixKind = "distance"

    def __post_init__(self) -> None:
        values = as_array(self.values, ConnectomeMatrix, name=self.title)
        object.__setattr__(self, "values", values)
        if len(self.labels) != len(values):
            raise ArrayError(f"{self.title}: expected {len(values)} labels, found {len(self.labels)}")
        if len(values) == 0:
            raise ArrayError(f"{self.title}: expected at least one row, found none")


@dataclass(frozen=True)
class Clustering:
    """Hierarchical clustering of the complete rows of a distance matrix.

    Attributes
    ----------
    tree : (n - 1, 4) array
        SciPy's linkage, average linkage with optimal leaf order.
    order : (n,) array of int
        Rows in the order of the leaves, numbered as in the whole matrix.
    used : (S,) array of bool
        Which rows had all their distances.
    """

    tree: FloatArray
    order: IntArray
    used: BoolArray


def cluster_distances(distances: FloatArray) -> Clustering:
    """Cluster a distance matrix (average linkage, optimal leaf order).

    Parameters
    ----------
    distances : (S, S) array
        Symmetric, zero diagonal; a shape whose distances are missing is left out.

    Returns
    -------
    Clustering

    Raises
    ------
    ArrayError
        If the matrix is not a distance matrix, or fewer than two rows are complete.

    Examples
    --------
    >>> points = np.array([0.0, 10.0, 1.0])
    >>> clustering = cluster_distances(np.abs(points[:, None] - points))
    >>> int(clustering.order[1]) != 1  # the far one stands at an end
    True
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    used = complete_rows(distances)
    if used.sum() < 2:
        raise ArrayError(f"distances: expected at least two complete rows, found {int(used.sum())}")
    complete = distances[np.ix_(used, used)]
    scale = float(np.abs(complete).max()) or 1.0
    if np.abs(complete - complete.T).max() > 1e-9 * scale or np.abs(np.diag(complete)).max() > 1e-9 * scale:
        raise ArrayError("distances: expected a symmetric matrix with zero diagonal, found another")
    if complete.min() < 0:
        raise ArrayError(f"distances: expected none below zero, found {complete.min()}")
    condensed = squareform((complete + complete.T) / 2, checks=False)
    tree = hierarchy.linkage(condensed, method="average", optimal_ordering=len(complete) <= 1000)
    return Clustering(tree, np.flatnonzero(used)[hierarchy.leaves_list(tree)], used)


def complete_rows(distances: FloatArray) -> BoolArray:
    """Return which rows can be kept so that no distance among them is missing, (S,) array of bool.

    Rows with most missing entries are dropped first.
    """
    used = np.ones(len(distances), dtype=bool)
    missing = ~np.isfinite(distances)
    while (holes := missing[:, used].sum(axis=1) * used).any():
        used[holes.argmax()] = False
    return used


def embed_distances(distances: FloatArray, n_dimensions: int = 2) -> tuple[FloatArray, FloatArray]:
    """Place shapes in a plane so that their distances are kept (classical multidimensional scaling).

    Torgerson, Psychometrika 17, 401-419, 1952. Deterministic: the largest coordinate of each axis
    is positive.

    Parameters
    ----------
    distances : (S, S) array
        Without missing values.
    n_dimensions : int
        Number of axes.

    Returns
    -------
    coordinates : (S, n_dimensions) array
        In the unit of the distances.
    explained : (n_dimensions,) array
        Share of the positive eigenvalues that each axis carries.

    Examples
    --------
    >>> points = np.array([0.0, 3.0, 4.0])
    >>> coordinates, explained = embed_distances(np.abs(points[:, None] - points))
    >>> bool(np.isclose(abs(coordinates[0, 0] - coordinates[2, 0]), 4.0)), float(explained[0].round(6))
    (True, 1.0)
    """
    squared = np.asarray(distances, dtype=float) ** 2
    means = squared.mean(axis=0)
    gram = -0.5 * (squared - means - means[:, None] + squared.mean())
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    coordinates = np.zeros((len(squared), n_dimensions))
    explained = np.zeros(n_dimensions)
    positive = values[values > 0].sum()
    for axis in range(min(n_dimensions, len(values))):
        if positive > 0 and values[axis] > 1e-12 * values[0]:
            vector = vectors[:, axis]
            vector = vector * np.sign(vector[np.abs(vector).argmax()])
            coordinates[:, axis] = vector * np.sqrt(values[axis])
            explained[axis] = values[axis] / positive
    return coordinates, explained


def plot_matrix(matrix: LabelledMatrix, *, slug: str = "matrix") -> Figure:
    """Draw a matrix as heat map."""
    n = len(matrix.labels)

    def draw(figure: Any) -> None:
        _draw_heat_map(figure, figure.subplots(), matrix.values, matrix)

    return svg_figure(
        draw,
        _square_size(n, matrix.labels),
        margins=_margins(matrix.labels),
        slug=slug,
        title=matrix.title,
        caption=(
            (f"{matrix.caption} " if matrix.caption else "")
            + f"{n} × {n}; each square is the {matrix.kind} of its row and its column."
            + _missing_words(matrix.values)
        ),
        alt=f"Heat map: {matrix.title}, {n} by {n}. " + _range_words(matrix),
    )


def plot_clustered(
    matrix: LabelledMatrix, clustering: Clustering, *, outliers: Sequence[str] = (), slug: str = "distances"
) -> Figure:
    """Draw a distance matrix in the order of its clustering, with the dendrogram on top."""
    hierarchy: Any = drawing_module("scipy.cluster.hierarchy")
    order = clustering.order
    labels = tuple(matrix.labels[i] for i in order)
    ordered = LabelledMatrix(
        matrix.values[np.ix_(order, order)], labels, matrix.title, matrix.units, matrix.caption, matrix.kind
    )
    n = len(labels)
    width, height = _square_size(n, labels)

    def draw(figure: Any) -> None:
        top, bottom = figure.subplots(2, 1, height_ratios=(1, 4.2))
        hierarchy.dendrogram(
            clustering.tree, ax=top, no_labels=True, color_threshold=0, above_threshold_color=SOFT
        )
        top.grid(False)
        top.set_xlim(0, 10 * n)
        top.spines["bottom"].set_visible(False)
        top.set_ylabel("distance\nat joining", fontsize=9)
        _draw_heat_map(figure, bottom, ordered.values, ordered, marked=set(outliers))

    left_out = [label for label, used in zip(matrix.labels, clustering.used, strict=True) if not used]
    return svg_figure(
        draw,
        (width, height + 110),
        slug=slug,
        title=matrix.title,
        caption=(
            f"{matrix.caption} Rows and columns are sorted so that similar shapes stand side by side; the "
            "tree on top (average linkage) shows in which order they join: the lower the bridge, the more "
            "alike. Names in red are "
            "outliers." + (f" Left out, distances missing: {', '.join(left_out)}." if left_out else "")
        ).strip(),
        alt=f"Heat map of {matrix.title} with dendrogram, {n} participants, "
        f"in the order {', '.join(labels[:40])}. {_range_words(ordered)}",
    )


def plot_embedding(
    matrix: LabelledMatrix, used: BoolArray, *, outliers: Sequence[str] = (), slug: str = "map"
) -> Figure:
    """Draw shapes as points whose distances on paper are close to the distances of the matrix."""
    index = np.flatnonzero(used)
    labels = [matrix.labels[i] for i in index]
    coordinates, explained = embed_distances(matrix.values[np.ix_(index, index)])
    marked = [label in set(outliers) for label in labels]

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        colors = [WARN if m else ACCENT for m in marked]
        axis.scatter(coordinates[:, 0], coordinates[:, 1], c=colors, s=46, edgecolors="white", linewidths=0.8)
        for label, (x, y), m in _labelled(labels, coordinates, marked):
            color = WARN if m else SOFT
            axis.annotate(label, (x, y), xytext=(6, 5), textcoords="offset points", fontsize=9, color=color)
        unit = f" ({matrix.units})" if matrix.units else ""
        axis.set_xlabel(f"first axis{unit}, {100 * explained[0]:.0f} %")
        axis.set_ylabel(f"second axis{unit}, {100 * explained[1]:.0f} %")
        axis.set_aspect("equal", adjustable="datalim")
        axis.margins(0.14)

    return svg_figure(
        draw,
        (720, 560),
        slug=slug,
        title="Who resembles whom (multidimensional scaling)",
        caption=(
            "Each point is a participant; points close together have similar shapes. The axes have no "
            f"meaning of their own; together they keep {100 * explained.sum():.0f} % of the structure in "
            "the distances. Red: outliers."
        ),
        alt=f"Scatter plot of {len(labels)} participants by multidimensional scaling of {matrix.title}; "
        + (
            f"outliers: {', '.join(la for la, m in zip(labels, marked, strict=True) if m)}."
            if any(marked)
            else "no outlier."
        ),
    )


def _labelled(
    labels: Sequence[str], coordinates: FloatArray, marked: Sequence[bool]
) -> list[tuple[str, FloatArray, bool]]:
    """Return which points get a name: all outliers, and whoever has room beside those."""
    reach = float(np.ptp(coordinates, axis=0).max()) or 1.0
    room = np.array([0.11, 0.035]) * reach
    chosen: list[tuple[str, FloatArray, bool]] = []
    for label, point, m in sorted(zip(labels, coordinates, marked, strict=True), key=lambda p: not p[2]):
        if m or not any((np.abs(point - other) < room).all() for _, other, _ in chosen):
            chosen.append((label, point, m))
    return chosen


def _draw_heat_map(
    figure: Any, axis: Any, values: FloatArray, matrix: LabelledMatrix, marked: set[str] | None = None
) -> None:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    cmap = "viridis"
    if matrix.kind == "correlation" or low < 0 < high:
        high = max(abs(low), abs(high)) or 1.0
        low, cmap = -high, "RdBu_r"
    if low == high:
        low, high = low - 0.5, high + 0.5
    colors = drawing_module("matplotlib").colormaps[cmap].with_extremes(bad="#d0d0d0")
    image = axis.imshow(
        np.ma.masked_invalid(values), cmap=colors, vmin=low, vmax=high, interpolation="nearest", aspect="auto"
    )
    axis.grid(False)
    n = len(matrix.labels)
    if n <= _MOST_LABELS:
        size = 9 if n <= 30 else 7
        axis.set_xticks(range(n), labels=matrix.labels, rotation=90, fontsize=size)
        axis.set_yticks(range(n), labels=matrix.labels, fontsize=size)
        for tick in (*axis.get_xticklabels(), *axis.get_yticklabels()):
            if marked and tick.get_text() in marked:
                tick.set_color(WARN)
                tick.set_weight("bold")
    else:
        axis.set(xlabel="row of the table", ylabel="row of the table")
    # without a format, a power of ten above the bar would lie on the matrix
    bar = figure.colorbar(image, ax=axis, shrink=0.75, aspect=24, pad=0.02, format="%.3g")
    units = f" ({matrix.units})" if matrix.units not in ("", "1") else ""
    bar.set_label(f"{matrix.kind}{units}")
    bar.outline.set_edgecolor(SOFT)


def _square_size(n: int, labels: Sequence[str]) -> tuple[int, int]:
    longest = max((len(label) for label in labels), default=1) if n <= _MOST_LABELS else 0
    side = int(np.clip(26 * n, 300, 640)) + 6 * min(longest, 40)
    return side + 165, side


def _margins(labels: Sequence[str]) -> tuple[int, int, int, int]:
    """Return the room around a heat map: names at the left and below, the colour bar at the right."""
    if len(labels) > _MOST_LABELS:
        return 70, 65, 54, 14
    width = 7.6 if len(labels) <= 30 else 6.0  # of a letter, in pixels
    room = 24 + int(width * max(len(label) for label in labels))
    return room, 65, room, 14


def _missing_words(values: FloatArray) -> str:
    missing = int((~np.isfinite(values)).sum())
    return f" Grey: {missing} of {values.size} entries are missing (n/a)." if missing else ""


def _range_words(matrix: LabelledMatrix) -> str:
    off = matrix.values[~np.eye(len(matrix.values), dtype=bool)]
    known = off[np.isfinite(off)]
    if not known.size:
        return "No entry off the diagonal is known."
    unit = f" {matrix.units}" if matrix.units else ""
    return (
        f"Off the diagonal from {known.min():.3g} to {known.max():.3g}{unit}, median {np.median(known):.3g}."
    )
