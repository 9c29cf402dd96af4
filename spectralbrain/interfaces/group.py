"""Nodes of :mod:`spectralbrain.spectral.group`: tables over participants."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from spectralbrain.errors import ArrayError, FormatError
from spectralbrain.interfaces import _files
from spectralbrain.interfaces._results import GroupInputSpec, GroupInterface, TableInterface, TableOutputSpec
from spectralbrain.interfaces.base import (
    File,
    InputFile,
    InputMultiObject,
    SpectralInputSpec,
    out_file,
    traits,
)

NORMALIZATION = "lambda A, lambda V^(2/3) (closed surfaces) or lambda"
INDEX = "divide by the index n ('weyl') or n + 1 ('lapy'), or not at all (None)"


class GroupTable(GroupInterface, TableInterface):
    """A node whose rows are participants."""

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        return TableInterface._store(self, result, folder, arguments)


class CheckCompatibleInputSpec(GroupInputSpec):
    """Inputs of CheckCompatible."""

    in_files = InputMultiObject(
        InputFile("spectrum"), mandatory=True, handed_on=True, desc="eigenpairs, HDF5, one file per surface"
    )
    keys = traits.List(traits.Str, desc="the facts that must agree; all that matter if omitted")


class CheckCompatibleOutputSpec(TableOutputSpec):
    """Outputs of CheckCompatible."""

    out_files = traits.List(File(), desc="the input files, now known to be comparable")


class CheckCompatible(GroupInterface):
    """Fail if spectra were computed in different ways, naming what differs and in whom."""

    input_spec = CheckCompatibleInputSpec
    output_spec = CheckCompatibleOutputSpec
    function = "spectralbrain.spectral.group.check_compatible"

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"out_files": [os.fspath(Path(path).absolute()) for path in self.inputs.in_files]}


class ParticipantsTableInputSpec(GroupInputSpec):
    """Inputs of ParticipantsTable."""

    n_eigenvalues = traits.Range(low=0, desc="how many non-null eigenvalues become columns; all if omitted")
    out_file = out_file("participants.tsv", "name of the table")


class ParticipantsTable(GroupTable):
    """Tabulate area, volume, boundary, Euler number and spectrum of each participant."""

    input_spec = ParticipantsTableInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.group.participants_table"


class NormalizedInputSpec(GroupInputSpec):
    """The inputs of a node on normalised spectra."""

    normalization = traits.Enum("area", "volume", "none", usedefault=True, desc=NORMALIZATION)
    index = traits.Enum("weyl", "lapy", None, usedefault=True, desc=INDEX)
    k = traits.Range(low=1, desc="number of values; all if omitted")


class ShapeDNATableInputSpec(NormalizedInputSpec):
    """Inputs of ShapeDNATable."""

    out_file = out_file("shapedna.tsv", "name of the table")


class ShapeDNATable(GroupTable):
    """Tabulate the normalised spectrum of each participant."""

    input_spec = ShapeDNATableInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.group.shapedna_table"


class ShapeDNADeviationsInputSpec(NormalizedInputSpec):
    """Inputs of ShapeDNADeviations."""

    out_file = out_file("deviations.tsv", "name of the table: name, deviation")


class ShapeDNADeviations(GroupTable):
    """Tabulate how far each participant's spectrum lies from the group's median."""

    input_spec = ShapeDNADeviationsInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.group.shapedna_deviations"
    cites = ("reuter2006",)
    methods = "How far a spectrum lies from the group was measured from the median spectrum."

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        rows = [{"name": name, "deviation": value} for name, value in result.items()]
        return super()._store(rows, folder, arguments)


class DistanceMatrixInputSpec(GroupInputSpec):
    """Inputs of DistanceMatrix."""

    method = traits.Enum(
        "shapedna", "wesd", usedefault=True, desc="Euclidean distance of lambda A / n, or WESD in mm^2"
    )
    k = traits.Range(low=1, desc="how many eigenvalues enter; all if omitted")
    options = traits.Dict(
        key_trait=traits.Str, desc="options of the method: metric, normalization, index, or p"
    )
    out_file = out_file("distances.tsv", "name of the labelled table")


class DistanceMatrix(GroupInterface):
    """Return the distances between all participants; n/a where one has no spectrum."""

    input_spec = DistanceMatrixInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.group.distance_matrix"
    cites_if = {
        ("method", "shapedna"): ("reuter2006", "wachinger2015"),
        ("method", "wesd"): ("konukoglu2013",),
    }
    methods = "Participants were compared by the {method} distance of their spectra."

    def _collect(self, folder: Path) -> dict[str, Any]:
        found = super()._collect(folder)
        options = found.pop("options", {})
        return {**found, **options}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        matrix, names = result
        return {"out_file": _files.write_matrix(self._out_file(folder), matrix, names)}


class FindOutliersInputSpec(SpectralInputSpec):
    """Inputs of FindOutliers."""

    values_file = InputFile("table", mandatory=True, desc="table, TSV, one row per participant")
    values_column = traits.Str(mandatory=True, desc="column of the table that holds the values")
    names_column = traits.Str(desc="column of the table that holds the names; the first if omitted")
    measure = traits.Str(mandatory=True, desc="what the values are; it stands in each row")
    threshold = traits.Float(3.5, usedefault=True, desc="absolute robust z beyond which a row is an outlier")
    out_file = out_file("outliers.tsv", "name of the table")


class FindOutliersOutputSpec(TableOutputSpec):
    """Outputs of FindOutliers."""

    outliers = traits.List(traits.Str, desc="names of the outliers")


class FindOutliers(TableInterface):
    """Score the values of a table's column by the median and the median absolute deviation."""

    input_spec = FindOutliersInputSpec
    output_spec = FindOutliersOutputSpec
    function = "spectralbrain.spectral.group.find_outliers"
    cites = ("iglewicz1993",)
    methods = "Outliers were flagged by a robust z above {threshold} (median and median absolute deviation)."
    extras = {"values_column": "which column of values_file", "names_column": "which column of values_file"}

    def _collect(self, folder: Path) -> dict[str, Any]:
        from spectralbrain.bids.tables import parse_tsv

        path = self.inputs.values_file
        try:
            rows = parse_tsv(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise FormatError(f"{path}: expected a table, TSV in UTF-8: {error}") from error
        header = list(rows[0]) if rows else []
        wanted = self.inputs.values_column
        names = self.inputs.names_column if self._has("names_column") else next(iter(header), None)
        if wanted not in header or names not in header:
            raise ArrayError(f"values_column: expected a column among {', '.join(header)}, found {wanted!r}")
        values = {str(row[names]): _number(row[wanted], wanted) for row in rows}
        if len(values) != len(rows):
            raise ArrayError(f"names_column: expected a name once in {names!r}, found one in several rows")
        return {"values": values, "measure": self.inputs.measure, "threshold": self.inputs.threshold}

    def _store(self, result: Any, folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
        outliers = [row["name"] for row in result if row["outlier"]]
        return {**super()._store(result, folder, arguments), "outliers": outliers}


def _number(text: str | None, column: str) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise ArrayError(f"values_column: expected numbers in {column!r}, found {text!r}") from None


class LongitudinalDifferencesInputSpec(GroupInputSpec):
    """Inputs of LongitudinalDifferences."""

    k = traits.Range(low=1, desc="how many eigenvalues enter the distance; all if omitted")
    out_file = out_file("differences.tsv", "name of the table, one row per pair of sessions")


class LongitudinalDifferences(GroupTable):
    """Tabulate within-participant differences; `entities` tell participant_id and session_id."""

    input_spec = LongitudinalDifferencesInputSpec
    output_spec = TableOutputSpec
    function = "spectralbrain.spectral.group.longitudinal_differences"
    cites = ("wachinger2015",)
    methods = "Sessions of a participant were compared by area, volume and ShapeDNA distance."

    def _collect(self, folder: Path) -> dict[str, Any]:
        from spectralbrain.spectral.group import pair_sessions

        found = super()._collect(folder)
        entries = found.pop("entries")
        pairs = pair_sessions(entries)
        if not pairs:
            raise ArrayError("entities: expected two sessions of a participant, found none")
        return {**found, "pairs": pairs}
