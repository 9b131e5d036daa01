"""The command line: ``contcrit models | trace | diagram | classify | claims | study``.

Exit codes: 0 done; 1 numerical failure (what was found is saved) or a study that disagrees;
2 bad input, with one message on standard error; 130 interrupted. Heavy modules are imported by the
commands that need them, so that ``contcrit --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..errors import ContcritError

DONE, NUMERICAL_FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

_ASSIGNMENT = "NAME=VALUE"
_NEGATIVE_NUMBER = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)


class _UsageError(Exception):
    """The command line itself is malformed."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as those of the commands are."""

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}. See {self.prog} --help.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        The exit code.

    Examples
    --------
    >>> from contcrit.cli import main
    >>> main(["trace", "--span", "0"])
    2
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    # argparse takes -1e-3 and -inf for options; a leading space makes them values.
    given = [f" {token}" if _NEGATIVE_NUMBER.match(token) else token for token in given]
    try:
        options = _parser().parse_args(given)
        return int(options.command(options))
    except (ContcritError, _UsageError) as error:
        # Matrices are shown over several lines; a message is one.
        print("contcrit:", " ".join(str(error).split()), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("contcrit: interrupted; no file was left half-written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left; what Python flushes at exit must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NUMERICAL_FAILURE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="contcrit",
        description="Trace the critical points of learning problems, and say what they are.",
        epilog="Exit codes: 0 done, 1 numerical failure with the partial result saved, "
        "2 bad input.",
    )
    parser.add_argument("--version", action="version", version=f"contcrit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    models = commands.add_parser("models", help="list the models")
    models.set_defaults(command=_models)

    trace = commands.add_parser("trace", help="trace the branches through start points")
    _add_target(trace)
    _add_continuation(trace)
    trace.add_argument(
        "--direction",
        choices=("both", "forward", "backward"),
        default="both",
        help="which way from the start (default both)",
    )
    trace.add_argument(
        "--diagram", action="store_true", help="switch branches too, as `contcrit diagram` does"
    )
    trace.set_defaults(command=_trace)

    diagram = commands.add_parser("diagram", help="trace, and switch at every branch point")
    _add_target(diagram)
    _add_continuation(diagram)
    diagram.set_defaults(command=_trace, diagram=True, direction="both")

    classify = commands.add_parser("classify", help="say what a critical point is")
    _add_target(classify)
    classify.add_argument(
        "--at",
        nargs="+",
        action="extend",
        metavar=_ASSIGNMENT,
        help="the point: unknowns or blocks, or the label of a start (default: all starts)",
    )
    classify.add_argument(
        "--values", nargs="+", action="extend", metavar=_ASSIGNMENT, help="parameter values"
    )
    _add_settings(classify)
    classify.set_defaults(command=_classify)

    claims = commands.add_parser("claims", help="check what the models' papers claim")
    claims.add_argument("models", nargs="*", metavar="MODEL", help="models (default: all)")
    claims.add_argument(
        "--trials", type=int, metavar="N", help="instances a claim (default: its own number)"
    )
    claims.add_argument("--seed", type=int, default=0, help="of the random instances (default 0)")
    claims.add_argument("--out", type=Path, metavar="DIR", help="folder of claims.csv")
    claims.set_defaults(command=_claims)

    study = commands.add_parser("study", help="recompute a paper's claims and compare")
    study.add_argument(
        "names", nargs="*", metavar="NAME", help="a study (paper/study), or a paper's folder"
    )
    study.add_argument("--all", action="store_true", help="run every study")
    study.add_argument("--list", action="store_true", help="list the studies and stop")
    study.add_argument("--out", type=Path, metavar="DIR", help="folder of the results")
    study.add_argument(
        "--studies",
        type=Path,
        default=Path("studies"),
        metavar="DIR",
        help="folder of the studies (default ./studies)",
    )
    study.set_defaults(command=_study)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="MODEL|FILE.toml", help="a model, or a problem file")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        dest="assignments",
        metavar=_ASSIGNMENT,
        help="constants of the model (R=[[0,-1],[1,0]]) and parameter values",
    )
    parser.add_argument(
        "--example", action="store_true", help="begin with the constants of the model's example"
    )


def _add_continuation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parameter", required=True, metavar="P", help="the parameter to vary")
    parser.add_argument(
        "--span", required=True, nargs=2, type=float, metavar=("LO", "HI"), help="where to stop"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder of the results"
    )
    parser.add_argument(
        "--start",
        nargs="+",
        action="extend",
        metavar=_ASSIGNMENT,
        help="unknowns or blocks, or labels of starts (default: all starts)",
    )
    _add_settings(parser)
    parser.add_argument("--y", metavar="COLUMN", help="what the figure shows")
    parser.add_argument(
        "--log", choices=("x", "y", "xy"), default="", help="logarithmic axes of the figure"
    )
    parser.add_argument("--name", help="name of the files (default: that of the model or file)")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        choices=("default", "fast", "careful"),
        default="default",
        help="settings to begin with",
    )
    parser.add_argument(
        "--setting",
        nargs="+",
        action="extend",
        default=[],
        metavar=_ASSIGNMENT,
        help="single settings, such as step_maximum=0.05 or time_limit=10",
    )


def _models(options: Any) -> int:
    from .commands import show_models

    return show_models()


def _trace(options: Any) -> int:
    from .commands import trace

    return trace(options)


def _classify(options: Any) -> int:
    from .commands import classify

    return classify(options)


def _claims(options: Any) -> int:
    from .claims import claims

    return claims(options)


def _study(options: Any) -> int:
    from .studies import study

    return study(options)
