"""The options of the app, and the types of their values."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from spectralbrain._version import __version__
from spectralbrain.bids.discovery import LAYOUTS
from spectralbrain.bids.parameters import (
    BOUNDARIES,
    DESCRIPTORS,
    LAPLACIANS,
    MASSES,
    MEDIAL_WALLS,
    NORMALIZATIONS,
    Parameters,
)
from spectralbrain.cli import exits
from spectralbrain.cli.resources import HelpResources

DESCRIPTION = """\
Spectral shape descriptors of brain surfaces.

INPUT is the output of fMRIPrep, sMRIPrep or HippUnfold, a SUBJECTS_DIR of FreeSurfer or FastSurfer, a raw
BIDS dataset (its surfaces named with -d), or a plain folder of surfaces. It is only read. What was found is
printed before anything runs (--dry-run stops there).
"""
EPILOG = """\
exit codes: 0 all well, 1 some participant failed, 64 usage, 65 bad data, 66 no input, 70 our own fault

examples:
  spectralbrain /data/fmriprep /data/spectralbrain participant --participant-label 01 02 --nprocs 8
  spectralbrain $SUBJECTS_DIR out participant --structures cortex Thalamus --modes 200
  spectralbrain /data/fmriprep /data/spectralbrain group
"""
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", re.IGNORECASE)
_UNIT_GB = {"K": 1e-6, "M": 1e-3, "G": 1.0, "T": 1e3, "": 1e-3}


class Parser(argparse.ArgumentParser):
    """An argument parser that leaves with 64, the usage code of sysexits.h."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit."""
        self.print_usage(sys.stderr)
        self.exit(exits.USAGE, f"{self.prog}: error: {message}\n")


def positive(text: str) -> int:
    """Parse a positive integer."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, found {text!r}")
    return value


def modes(text: str) -> int:
    """Parse a number of modes: one constant and at least one more."""
    value = positive(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"expected at least 2, found {text!r}")
    return value


def memory(text: str) -> float:
    """Parse an amount of memory (MB unless it has a unit) and return GB.

    Examples
    --------
    >>> memory("8GB"), memory("2000")
    (8.0, 2.0)
    """
    found = _MEMORY.fullmatch(text.strip())
    amount = float(found[1]) * _UNIT_GB[found[2].upper()] if found else 0.0
    if amount <= 0:
        raise argparse.ArgumentTypeError(f"expected an amount such as 8GB or 8000 (MB), found {text!r}")
    return amount


def existing_folder(text: str) -> Path:
    """Parse the path of a folder that exists."""
    path = Path(text)
    if not path.is_dir():
        what = "a file" if path.exists() else "nothing"
        raise argparse.ArgumentTypeError(f"expected a folder, found {what} at {text!r}")
    return path.absolute()


def existing_file(text: str) -> Path:
    """Parse the path of a file that exists."""
    path = Path(text)
    if path.is_dir() or not path.exists():  # a pipe will do
        what = "a folder" if path.is_dir() else "nothing"
        raise argparse.ArgumentTypeError(f"expected a file, found {what} at {text!r}")
    return path.absolute()


def dataset(text: str) -> tuple[str, Path]:
    """Parse ``NAME=PATH``, or ``PATH`` named by its last part."""
    name, equals, path = text.partition("=")
    folder = existing_folder(path if equals else text)
    name = name if equals else folder.resolve().name
    if not re.fullmatch(r"[0-9A-Za-z_-]+", name):
        raise argparse.ArgumentTypeError(f"expected NAME=PATH with a plain name, found {text!r}")
    return name, folder


def flags_of(names: Iterable[str]) -> str:
    """Return options as they are written on the command line, by their names in the namespace.

    Examples
    --------
    >>> flags_of(["derivatives", "mem_gb"])
    '--derivatives, --mem'
    """
    flags = {a.dest: a.option_strings for a in build_parser()._actions}
    return ", ".join(next(f for f in flags[name] if f.startswith("--")) for name in names)


def build_parser() -> Parser:
    """Return the parser of ``spectralbrain``."""
    default = Parameters()
    parser = Parser(
        "spectralbrain",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_positionals(parser)
    _add_selection(parser)
    _add_analysis(parser, default)
    _add_running(parser)
    return parser


def _add_positionals(parser: Parser) -> None:
    add = parser.add_argument
    # The folder is checked later: one that does not exist is exit code 66, not a usage error.
    add(
        "input_dir",
        metavar="INPUT",
        type=Path,
        help="derivatives, SUBJECTS_DIR, BIDS root or folder of surfaces",
    )
    add("output_dir", metavar="OUTPUT", type=Path, help="folder of the results; made if it does not exist")
    add("analysis_level", choices=("participant", "group"), help="which level to process")
    add("--version", action="version", version=f"spectralbrain {__version__}")
    add("--help-resources", action=HelpResources, help="print what memory and time a surface needs, and exit")
    add("-v", "--verbose", action="count", default=0, help="more messages: -v what each step does, -vv debug")


def _add_selection(parser: Parser) -> None:
    add = parser.add_argument_group("what to process").add_argument
    add(
        "--participant-label",
        "--participant_label",
        nargs="+",
        metavar="LABEL",
        help="participants, with or without sub-, or a text file with one per line",
    )
    add(
        "--session-label",
        "--session_label",
        nargs="+",
        metavar="LABEL",
        help="sessions, with or without ses-, or a text file",
    )
    add(
        "-d",
        "--derivatives",
        "--datasets",
        nargs="+",
        type=dataset,
        action="extend",
        default=[],
        metavar="NAME=PATH",
        help="further datasets: surfaces, masks and parcellations",
    )
    add(
        "--bids-filter-file",
        type=existing_file,
        metavar="FILE",
        help='JSON: {"surface": {"session": "pre", "run": null}}; also mask, parcellation',
    )
    add("--input-layout", choices=LAYOUTS, help="do not detect what made INPUT")
    add(
        "--mapping-file",
        type=existing_file,
        metavar="FILE",
        help="TSV with the columns source_id, participant_id and if need be session_id, "
        "for folder names that are not BIDS",
    )
    add(
        "--longitudinal",
        choices=("auto", "only", "ignore"),
        default="auto",
        help="FreeSurfer's .long. runs: preferred where there are some, only those, or none (%(default)s)",
    )
    add(
        "--surfaces",
        nargs="+",
        default=[],
        metavar="NAME",
        help="midthickness (default; from white and pial where absent), white, pial, inner, outer ...",
    )
    add(
        "--structures",
        nargs="+",
        default=[],
        metavar="NAME",
        help="cortex, hippocampus, dentate, aseg or single ones of it such as Thalamus "
        "(default: those that come as surfaces)",
    )
    add(
        "--parcellation",
        nargs="+",
        default=["auto"],
        metavar="NAME",
        help="parcellations by name, auto (the usual one where found, default) or none",
    )
    add(
        "--space",
        default="",
        metavar="NAME",
        help="surfaces in this space instead of the participant's own, e.g. fsLR",
    )
    add("--density", default="", metavar="NAME", help="surfaces of this density, e.g. 32k, 8k")
    add("--dry-run", action="store_true", help="print what was found and stop")
    add(
        "--skip-bids-validation",
        "--skip_bids_validation",
        action="store_true",
        help="do not look whether BIDS inputs have a valid dataset_description.json",
    )


def _add_analysis(parser: Parser, default: Parameters) -> None:
    add = parser.add_argument_group("what to compute").add_argument
    add(
        "--modes",
        type=modes,
        default=default.modes,
        metavar="K",
        help="eigenpairs of each surface (%(default)s)",
    )
    add(
        "--descriptors",
        nargs="+",
        default=list(default.descriptors),
        choices=DESCRIPTORS,
        metavar="NAME",
        help=f"of {', '.join(DESCRIPTORS)} ({' '.join(default.descriptors)})",
    )
    add(
        "--scales",
        type=positive,
        default=default.scales,
        metavar="T",
        help="times of the HKS, energies of the WKS (%(default)s)",
    )
    add(
        "--hks-times",
        type=existing_file,
        metavar="FILE",
        help="text file with the HKS times t/A, one per line, instead of the fixed grid",
    )
    add(
        "--wks-energies",
        type=existing_file,
        metavar="FILE",
        help="text file with the WKS energies log(lambda A), one per line",
    )
    add(
        "--normalization",
        choices=NORMALIZATIONS,
        default=default.normalization,
        help="of the ShapeDNA (%(default)s)",
    )
    add(
        "--laplacian",
        choices=LAPLACIANS,
        default=default.laplacian,
        help="discretisation; robust for poor meshes, quadratic for more digits (%(default)s)",
    )
    add("--mass", choices=MASSES, help="mass matrix (consistent; the robust Laplacian has lumped only)")
    add(
        "--boundary",
        choices=BOUNDARIES,
        default=default.boundary,
        help="condition on open borders (%(default)s)",
    )
    add(
        "--medial-wall",
        choices=MEDIAL_WALLS,
        default=default.medial_wall,
        help="masked or closed; auto masks where a cortex mask exists (%(default)s)",
    )
    add(
        "--region-modes",
        type=modes,
        default=default.region_modes,
        metavar="K",
        help="eigenpairs of each region of a parcellation (%(default)s)",
    )
    add(
        "--written-modes",
        type=positive,
        default=default.written_modes,
        metavar="N",
        help="eigenmodes written as maps (%(default)s)",
    )
    add("--write-meshes", action="store_true", help="write the analysed surfaces as well")
    add(
        "--outlier-threshold",
        type=float,
        default=3.5,
        metavar="Z",
        help="group level: robust z above which a value is named (%(default)s)",
    )
    add("--no-report", dest="report", action="store_false", help="write no HTML reports")


def _add_running(parser: Parser) -> None:
    add = parser.add_argument_group("how to run").add_argument
    add(
        "--nprocs",
        "--nthreads",
        "--n-cpus",
        "--n_cpus",
        dest="nprocs",
        type=positive,
        metavar="N",
        help="processors to use in all (default: what the machine, cgroup or Slurm job grants)",
    )
    add(
        "--omp-nthreads",
        type=positive,
        metavar="N",
        help="threads of one step (default: 1, or all with one participant)",
    )
    add(
        "--mem",
        "--mem-mb",
        "--mem_mb",
        dest="mem_gb",
        type=memory,
        metavar="SIZE",
        help="memory to use in all, e.g. 16GB; without unit MB (default: what is granted)",
    )
    add(
        "-w",
        "--work-dir",
        type=Path,
        default=Path("work"),
        metavar="DIR",
        help="intermediate files (%(default)s)",
    )
    add(
        "--clean-workdir",
        action="store_true",
        help="remove this run's intermediate files at the end if all went well",
    )
    add(
        "--nipype-plugin-file",
        "--use-plugin",
        type=existing_file,
        metavar="FILE",
        help="YAML (as fMRIPrep's), JSON or TOML with plugin and plugin_args: run the steps through a Nipype "
        "plugin such as SLURM",
    )
    add(
        "--config-file",
        type=existing_file,
        metavar="FILE",
        help="TOML with options, such as logs/config.toml; the command line wins",
    )
    add(
        "--replace",
        action="store_true",
        help="let other parameters than those of an earlier run in OUTPUT replace its results",
    )
    add("--stop-on-first-crash", action="store_true", help="stop everything at the first failure")
    add(
        "--reports-only", action="store_true", help="only write the reports again from results that are there"
    )
    add("--boilerplate-only", action="store_true", help="only write logs/CITATION.md and .bib")
    add(
        "--write-graph",
        action="store_true",
        help="draw each participant's workflow graph into logs/ (.dot; .svg where graphviz is installed)",
    )
