"""The command line: familiar flags, usage errors with 64 that name the flag, nothing ignored."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spectralbrain.cli.options import build_parser, memory
from spectralbrain.cli.parser import parse_args
from spectralbrain.cli.resources import resource_rows
from spectralbrain.cli.settings import Settings, build_settings
from spectralbrain.errors import BIDSError


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "in").mkdir()
    return [str(tmp_path / "in"), str(tmp_path / "out"), "participant", "-w", str(tmp_path / "work")]


def settings_of(arguments) -> Settings:
    return build_settings(parse_args(arguments))


def usage_error(capsys, arguments) -> str:
    with pytest.raises(SystemExit) as leaving:
        parse_args(arguments)
    assert leaving.value.code == 64
    return capsys.readouterr().err


def test_defaults(folders):
    settings = settings_of(folders)
    assert settings.level == "participant"
    assert settings.parameters.modes == 100
    assert settings.parameters.descriptors == ("shapedna", "hks", "wks")
    assert settings.query.participants == ()
    assert settings.query.wanted_surfaces == ("midthickness",)
    assert settings.report
    assert settings.input_dir.is_absolute()
    assert settings.work_dir.is_absolute()


@pytest.mark.parametrize("flag", ["--participant-label", "--participant_label"])
def test_participants_with_and_without_prefix(folders, flag):
    assert settings_of([*folders, flag, "sub-01", "02", "02"]).query.participants == ("01", "02")
    assert settings_of([*folders, "--session_label", "ses-pre"]).query.sessions == ("pre",)


def test_labels_from_a_file(folders, tmp_path):
    listing = tmp_path / "people.txt"
    listing.write_text("sub-01\n03\n\n")
    assert settings_of([*folders, "--participant-label", str(listing)]).query.participants == ("01", "03")


@pytest.mark.parametrize("flag", ["--nprocs", "--nthreads", "--n-cpus", "--n_cpus"])
def test_processors(folders, flag):
    assert settings_of([*folders, flag, "3"]).nprocs == 3


@pytest.mark.parametrize(("text", "gb"), [("8GB", 8), ("8g", 8), ("500", 0.5), ("2000M", 2), ("1T", 1000)])
def test_memory(folders, text, gb):
    assert memory(text) == pytest.approx(gb)
    assert settings_of([*folders, "--mem_mb", text]).mem_gb == pytest.approx(gb)


def test_derivatives_by_name_and_by_folder(folders, tmp_path):
    (tmp_path / "hippunfold").mkdir()
    path = tmp_path / "hippunfold"
    assert settings_of([*folders, "-d", f"hu={path}"]).datasets == {"hu": path}
    assert settings_of([*folders, "--derivatives", str(path)]).datasets == {"hippunfold": path}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--modes", "1"], "argument --modes: expected at least 2, found '1'"),
        (["--modes", "many"], "argument --modes: expected a positive integer, found 'many'"),
        (["--nprocs", "0"], "--nprocs"),
        (["--mem", "lots"], "expected an amount such as 8GB"),
        (["--descriptors", "hsk"], "argument --descriptors: invalid choice: 'hsk'"),
        (["--boundary", "robin"], "argument --boundary"),
        (["--laplacian", "graph"], "argument --laplacian"),
        (["--nprocs", "1", "--omp-nthreads", "2"], "argument --omp-nthreads: expected at most --nprocs (1)"),
        (["-d", "x=/nowhere"], "argument -d/--derivatives/--datasets: expected a folder, found nothing"),
        (["--bids-filter-file", "/nowhere"], "argument --bids-filter-file"),
        (["--reports-only", "--no-report"], "argument --reports-only: not allowed with --no-report"),
        (["--reports-only", "--dry-run"], "argument --reports-only: not allowed with --dry-run"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--mode", "30"], "unrecognized arguments: --mode"),
    ],
)
def test_usage_errors_name_the_flag(folders, capsys, more, words):
    assert words in usage_error(capsys, [*folders, *more])


def test_two_datasets_of_one_name(folders, capsys, tmp_path):
    (tmp_path / "a").mkdir()
    message = usage_error(capsys, [*folders, "-d", f"a={tmp_path / 'a'}", str(tmp_path / "a")])
    assert "the name 'a' is taken" in message


def test_level_is_checked(folders, capsys):
    assert "argument analysis_level" in usage_error(capsys, [*folders[:2], "session"])
    assert "required: INPUT, OUTPUT, analysis_level" in usage_error(capsys, [])


def test_input_is_never_written_into(tmp_path, capsys):
    source = tmp_path / "in"
    source.mkdir()
    assert "must be another folder than INPUT" in usage_error(capsys, [str(source), str(source), "group"])
    inside = [str(source), str(source / "out"), "group"]
    assert "must not lie inside INPUT" in usage_error(capsys, inside)
    work = [str(source), str(tmp_path / "out"), "group", "-w", str(source / "work")]
    assert "argument -w/--work-dir: must not lie inside INPUT" in usage_error(capsys, work)
    derivative = [str(source), str(source / "derivatives" / "sb"), "group", "-w", str(tmp_path / "w")]
    assert settings_of(derivative).output_dir == source / "derivatives" / "sb"


def test_a_link_to_the_input_is_the_input(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    arguments = [str(tmp_path / "in"), str(tmp_path / "link"), "group"]
    assert "another folder" in usage_error(capsys, arguments)


@pytest.mark.parametrize(
    ("flag", "text", "message"),
    [
        ("--bids-filter-file", "{", "--bids-filter-file: .* is not JSON"),
        ("--bids-filter-file", '{"bold": {}}', "found 'bold'"),
        ("--mapping-file", "a\tb\nx\ty\n", "line 2: expected source_id and participant_id"),
        ("--mapping-file", "source_id\tparticipant_id\na\t1\nb\t1\n", "one participant_id"),
        ("--hks-times", "3 2 1", "--hks-times: .* positive, increasing numbers"),
        ("--hks-times", "0 1", "positive, increasing"),
        ("--wks-energies", "one", "--wks-energies: .* one number per line"),
        ("--nipype-plugin-file", "x = 1", "expected the keys plugin"),
        ("--nipype-plugin-file", "][", "expected YAML"),
    ],
)
def test_bad_option_files_are_named(folders, tmp_path, flag, text, message):
    path = tmp_path / "option file"
    path.write_text(text)
    with pytest.raises(BIDSError, match=message):
        settings_of([*folders, flag, str(path)])


def test_option_files(folders, tmp_path):
    times, mapping, plugin = tmp_path / "times", tmp_path / "map.tsv", tmp_path / "plugin.toml"
    times.write_text("0.01\n0.1\n")
    mapping.write_text("source_id\tparticipant_id\tsession_id\nCON_1\tsub-07\tn/a\nCON_2\t08\tses-x\n")
    plugin.write_text('plugin = "SLURM"\n[plugin_args]\nsbatch_args = "-p main"\n')
    arguments = ["--hks-times", str(times), "--mapping-file", str(mapping), "--use-plugin", str(plugin)]
    settings = settings_of([*folders, *arguments])
    assert settings.parameters.hks_times == (0.01, 0.1)
    assert settings.query.mapping == {"CON_1": ("07", ""), "CON_2": ("08", "x")}
    assert settings.plugin == {"plugin": "SLURM", "plugin_args": {"sbatch_args": "-p main"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plugin.yml", "plugin: SLURM\nplugin_args:\n  sbatch_args: -p main\n"),
        ("plugin.json", '{"plugin": "SLURM", "plugin_args": {"sbatch_args": "-p main"}}'),
        ("plugin.toml", 'plugin = "SLURM"\n[plugin_args]\nsbatch_args = "-p main"\n'),
    ],
)
def test_a_plugin_file_may_be_yaml_json_or_toml(folders, tmp_path, name, text):
    if name.endswith(".yml"):
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    (tmp_path / name).write_text(text)
    settings = settings_of([*folders, "--use-plugin", str(tmp_path / name)])
    assert settings.plugin == {"plugin": "SLURM", "plugin_args": {"sbatch_args": "-p main"}}


def test_bad_yaml_and_no_yaml_are_named(folders, tmp_path, monkeypatch):
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    path = tmp_path / "plugin.yaml"
    path.write_text("plugin: [")
    with pytest.raises(
        BIDSError, match=r"plugin.yaml: expected YAML \(.yml\), JSON .* or TOML \(while parsing"
    ):
        settings_of([*folders, "--use-plugin", str(path)])
    path.write_text("plugin: Linear\nplugin_args: fast\n")
    with pytest.raises(BIDSError, match="expected plugin_args to hold names and values"):
        settings_of([*folders, "--use-plugin", str(path)])
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(BIDSError, match="YAML needs the package PyYAML"):
        settings_of([*folders, "--use-plugin", str(path)])


def test_help_resources_prints_the_table_of_the_manual(capsys):
    with pytest.raises(SystemExit) as leaving:
        parse_args(["--help-resources"])
    assert leaving.value.code == 0
    printed = capsys.readouterr().out
    manual = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")
    table = manual.partition("| vertices | modes |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table]
    assert len(rows) > 5
    assert resource_rows() == rows
    for row in rows:
        assert "  ".join(row[:1]) in printed
        assert all(cell in printed for cell in row)


def test_parcellation_words(folders):
    assert settings_of([*folders, "--parcellation", "none"]).query.parcellations is None
    assert settings_of([*folders, "--parcellation", "auto"]).query.parcellations == ()
    assert settings_of([*folders, "--parcellation", "aparc", "x"]).query.parcellations == ("aparc", "x")
    with pytest.raises(BIDSError, match="auto and none stand alone"):
        settings_of([*folders, "--parcellation", "none", "aparc"])


# -------------------------------------------------------------------------------- configuration file
def test_config_file_and_the_command_line_wins(folders, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(
        'modes = 30\nnprocs = 2\nstop_on_first_crash = true\n[parameters]\ndescriptors = ["hks"]\n'
        'mass = "lumped"\n'
        "hks_times = [0.1, 0.2]\n"
    )
    settings = settings_of([*folders, "--config-file", str(path), "--mass", "consistent"])
    parameters = settings.parameters
    assert (parameters.modes, parameters.mass, parameters.descriptors) == (30, "consistent", ("hks",))
    assert parameters.hks_times == (0.1, 0.2)
    assert settings.nprocs == 2
    assert settings.stop_on_first_crash


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", "has the unknown option 'colour'"),
        ("modes = ", "is not TOML"),
        ("modes = 1", "argument --modes: expected at least 2"),
        ('mass = "heavy"', "argument --mass: invalid choice"),
        ('report = "yes"', "report cannot be 'yes'"),
        ("modes = true", "modes cannot be True"),
    ],
)
def test_bad_config_files_are_usage_errors(folders, capsys, tmp_path, text, words):
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert words in usage_error(capsys, [*folders, "--config-file", str(path)])


def test_what_the_app_writes_is_a_config_file(folders, tmp_path):
    from spectralbrain.bids.parameters import Parameters
    from spectralbrain.workflows.dataset import format_config

    parameters = Parameters(modes=33, descriptors=("bks", "hks"), hks_times=(0.5, 1.0), boundary="dirichlet")
    path = tmp_path / "config.toml"
    path.write_text(format_config(parameters, {"surfaces": ["white"], "space": ""}))
    settings = settings_of([*folders, "--config-file", str(path)])
    assert settings.parameters == parameters
    assert settings.query.surfaces == ("white",)


# ------------------------------------------------------------------------------------ no dead flags
def test_every_flag_reaches_the_settings(folders):
    """A flag that is parsed must change the settings, or be one that argparse itself serves."""
    parser = build_parser()
    samples = {
        "session_label": ["--session-label", "pre"],
        "participant_label": ["--participant-label", "01"],
        "structures": ["--structures", "Thalamus"],
        "surfaces": ["--surfaces", "white"],
        "parcellation": ["--parcellation", "none"],
        "descriptors": ["--descriptors", "bks"],
        "mass": ["--mass", "lumped"],
    }
    base = settings_of(folders)
    files = ("bids_filter_file", "mapping_file", "hks_times", "wks_energies", "config_file", "derivatives")
    for action in parser._actions:
        if not action.option_strings or action.dest in (
            *("help", "version", "nipype_plugin_file", "help_resources"),
            *files,
        ):
            continue  # those are tested above
        flag = action.option_strings[0]
        if action.dest == "omp_nthreads":
            sample = ["--nprocs", "4", flag, "2"]
        elif action.nargs == 0:
            sample = [flag]
        elif action.choices:
            sample = [flag, next(c for c in action.choices if c != action.default)]
        else:
            number = isinstance(action.default, int | float) or action.dest in ("nprocs", "mem_gb")
            sample = [flag, "7" if number else "elsewhere"]
        assert settings_of([*folders, *samples.get(action.dest, sample)]) != base, flag


def test_documented_help_for_every_flag():
    actions = [a for a in build_parser()._actions if a.option_strings]
    assert all(a.help and a.help is not argparse.SUPPRESS for a in actions)


def test_help_is_fast_and_loads_nothing_heavy():
    script = "import sys; from spectralbrain.cli.main import run\n"
    script += "try:\n run(['--help'])\nexcept SystemExit: pass\n"
    script += "print(sorted({'numpy','nipype','scipy','nibabel'} & set(sys.modules)))"
    start = time.monotonic()
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds = time.monotonic() - start
    assert result.stdout.splitlines()[-1] == "[]"
    assert "exit codes: 0 all well" in result.stdout
    assert seconds < 5  # the figure is benchmarks/imports.py's; this only catches a disaster


def test_version(capsys):
    with pytest.raises(SystemExit) as leaving:
        parse_args(["--version"])
    assert leaving.value.code == 0
    from spectralbrain import __version__

    assert capsys.readouterr().out == f"spectralbrain {__version__}\n"


def test_the_mass_follows_the_laplacian(folders):
    assert settings_of(folders).parameters.mass == "consistent"
    assert settings_of([*folders, "--laplacian", "robust"]).parameters.mass == "lumped"
    with pytest.raises(BIDSError, match="--mass: expected lumped with --laplacian robust"):
        settings_of([*folders, "--laplacian", "robust", "--mass", "consistent"])
