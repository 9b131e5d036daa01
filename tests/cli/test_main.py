"""The command line answers fast, and every misuse ends with one message and code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contcrit import __version__
from contcrit.cli import main

PITCHFORK = """
[problem]
potential = "x**4/4 - p*x**2/2"
unknowns = ["x"]
parameters = ["p"]

[start]
x = 0.0
"""
NETWORK = ["linear-network", "--set", "R=[[0,-1],[1,0]]"]
LAM = ["--parameter", "lam", "--span", "0.1", "1"]
P = ["--parameter", "p", "--span", "-1", "2"]


def run_module(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, env=environment
    )


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from contcrit.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as stop:\n    assert stop.code == 0\n"
        "heavy = {'numpy', 'scipy', 'sympy', 'pandas', 'matplotlib', 'rich', 'h5py', 'numba'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = run_module("-c", script)
    assert done.stderr.strip() == "[]"
    for command in ("models", "trace", "diagram", "classify", "study"):
        assert command in done.stdout


def test_module_runs() -> None:
    done = run_module("-m", "contcrit", "--version")
    assert (done.returncode, done.stdout) == (0, f"contcrit {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        # the command line itself
        ([], "required"),
        (["walk"], "invalid choice"),
        (["trace", *NETWORK, *LAM], "--out"),
        (["trace", *NETWORK, "--parameter", "lam", "--span", "0", "--out", "OUT"], "--span"),
        (["trace", *NETWORK, "--parameter", "lam", "--span", "a", "b", "--out", "OUT"], "float"),
        (["trace", "PITCHFORK", *P, "--out", "OUT", "--direction", "up"], "--direction"),
        # models, files and names
        (["trace", "no-model", *LAM, "--out", "OUT"], "not the name of a model"),
        (["trace", "none.toml", *P, "--out", "OUT"], "No such file"),
        (["trace", "FOLDER/", *P, "--out", "OUT"], "directory"),
        (["trace", "PITCHFORK", "--parameter", "q", "--span", "0", "1", "--out", "OUT"], "q"),
        (["trace", "PITCHFORK", *P, "--set", "q=1", "--out", "OUT"], "q"),
        (["trace", "PITCHFORK", *P, "--start", "y=1", "--out", "OUT"], "y=1"),
        (["trace", "PITCHFORK", *P, "--start", "other", "--out", "OUT"], "other"),
        (["trace", "PITCHFORK", *P, "--setting", "steps=1", "--out", "OUT"], "steps"),
        (["trace", "PITCHFORK", *P, "--setting", "theta=2", "--out", "OUT"], "theta"),
        (["trace", "PITCHFORK", *P, "--y", "none", "--out", "OUT"], "none"),
        (["trace", "PITCHFORK", *P, "--name", "..", "--out", "OUT"], "--name"),
        (["trace", "PITCHFORK", *P, "--example", "--out", "OUT"], "--example"),
        (["trace", "linear-network", *LAM, "--out", "OUT"], "R"),
        # spans
        (["trace", "PITCHFORK", "--parameter", "p", "--span", "2", "1", "--out", "OUT"], "lower"),
        (["trace", "PITCHFORK", "--parameter", "p", "--span", "1", "1", "--out", "OUT"], "lower"),
        (["trace", "PITCHFORK", "--parameter", "p", "--span", "nan", "1", "--out", "OUT"], "fin"),
        (["trace", "PITCHFORK", "--parameter", "p", "--span", "-inf", "1", "--out", "OUT"], "fin"),
        # --set
        (["trace", "PITCHFORK", *P, "--set", "p", "--out", "OUT"], "name=value"),
        (["trace", "PITCHFORK", *P, "--set", "=1", "--out", "OUT"], "name=value"),
        (["trace", "PITCHFORK", *P, "--set", "p=", "--out", "OUT"], "name=value"),
        (["trace", "PITCHFORK", *P, "--set", "p=[[1,2", "--out", "OUT"], "malformed"),
        (["trace", "PITCHFORK", *P, "--set", "p=print()", "--out", "OUT"], "malformed"),
        (["trace", "PITCHFORK", *P, "--set", "p={}", "--out", "OUT"], "malformed"),
        (["trace", "PITCHFORK", *P, "--set", "p=" + "[" * 5000, "--out", "OUT"], "malformed"),
        (["trace", "PITCHFORK", *P, "--set", "p=1", "p=2", "--out", "OUT"], "twice"),
        (["trace", "PITCHFORK", *P, "--set", "p=NaN", "--out", "OUT"], "finite"),
        (["trace", "PITCHFORK", *P, "--set", "p=1e999", "--out", "OUT"], "finite"),
        (["trace", "PITCHFORK", *P, "--set", "p=word", "--out", "OUT"], "number"),
        (["trace", "PITCHFORK", *P, "--set", "p=[1]", "--out", "OUT"], "number"),
        (["trace", "PITCHFORK", *P, "--set", "p=5", "--out", "OUT"], "span"),
        (["trace", "linear-network", "--set", "R=[[1,2],[3]]", *LAM, "--out", "OUT"], "equal"),
        (["trace", "linear-network", "--set", "R=[[1,NaN],[0,1]]", *LAM, "--out", "OUT"], "fin"),
        (["trace", "linear-network", "--set", "R=[]", *LAM, "--out", "OUT"], "R"),
        (["trace", "linear-network", "--set", "R=word", *LAM, "--out", "OUT"], "R"),
        # the domain of the linear network
        (["trace", "linear-network", "--set", "R=[[1,2,3],[4,5,6]]", *LAM, "--out", "OUT"], "R"),
        (["trace", "linear-network", "--set", "R=[[-1,0],[0,-2]]", *LAM, "--out", "OUT"], "R"),
        (["trace", *NETWORK, "Sigma0=[[1,0],[0,0]]", *LAM, "--out", "OUT"], "Sigma0"),
        (["trace", *NETWORK, "T=-1", *LAM, "--out", "OUT"], "T"),
        (["trace", *NETWORK, "--parameter", "lam", "--span", "-1", "1", "--out", "OUT"], "lam"),
        (["classify", *NETWORK, "--values", "lam=-1"], "lam"),
        (["classify", "PITCHFORK", "--values", "p=NaN"], "finite"),
        (["classify", "PITCHFORK"], "p"),
        (["classify", "PITCHFORK", "--at", "x=[1,2]", "--values", "p=1"], "x"),
        # files
        (["trace", "PITCHFORK", *P, "--out", "PITCHFORK/out"], "Cannot write"),
        (["trace", "MALFORMED", *P, "--out", "OUT"], "is not TOML"),
        (["trace", "BINARY", *P, "--out", "OUT"], "is not TOML"),
        (["trace", "EMPTY", *P, "--out", "OUT"], "unknowns"),
        (["trace", "BLANK", *P, "--out", "OUT"], "[problem]"),
        (["trace", "CALLING", *P, "--out", "OUT"], "__import__"),
        (["trace", "BADVALUE", *P, "--out", "OUT"], "number"),
        (["trace", "NANSTART", *P, "--out", "OUT"], "finite"),
        (["trace", "NOSTART", *P, "--out", "OUT"], "no start"),
        # studies
        (["study", "--all"], "studies"),
        (["study", "--studies", "FOLDER", "--list", "--out"], "--out"),
        (["study", "--studies", "FOLDER"], "names"),
        (["study", "--studies", "FOLDER", "--all"], "--out"),
        (["study", "none", "--studies", "FOLDER", "--out", "OUT"], "none"),
    ],
)
def test_bad_input_ends_with_one_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    files = {
        "PITCHFORK": PITCHFORK,
        "MALFORMED": "[problem\n",
        "BINARY": "",
        "EMPTY": '[problem]\nresidual = []\nunknowns = []\nparameters = ["p"]\n',
        "BLANK": "",
        "CALLING": PITCHFORK.replace("x**4/4", "__import__('os').getcwd()"),
        "BADVALUE": PITCHFORK + '[values]\np = "one"\n',
        "NANSTART": PITCHFORK.replace("x = 0.0", "x = nan"),
        "NOSTART": PITCHFORK.replace("[start]\nx = 0.0", ""),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "BINARY.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "FOLDER").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in files:
        arguments = [
            f"{name}.toml{item.removeprefix(name)}" if item.split("/")[0] == name else item
            for item in arguments
        ]
    assert main(arguments) == 2
    output = capsys.readouterr()
    message = [line for line in output.err.splitlines() if "serves as a guess" not in line]
    assert len(message) == 1, output.err
    assert message[0].startswith("contcrit: ")
    assert words in message[0]
    assert "Traceback" not in message[0]
    assert output.out == ""
    if words != "none" or "--y" not in arguments:
        # Nothing computed, nothing left behind. (A wrong column shows once there is a result.)
        assert not list(tmp_path.glob("OUT/*"))


def test_an_interruption_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import contcrit.files

    (tmp_path / "pitchfork.toml").write_text(PITCHFORK)

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    # At the worst moment: the data are on disk, under their temporary name.
    monkeypatch.setattr(contcrit.files.os, "replace", interrupt)
    out = tmp_path / "out"
    assert main(["trace", str(tmp_path / "pitchfork.toml"), *P, "--out", str(out)]) == 130
    assert list(out.iterdir()) == []
    assert "interrupted" in capsys.readouterr().err
