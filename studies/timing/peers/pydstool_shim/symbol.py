"""Stand-in for the module `symbol`, which Python 3.10 removed: names of lib2to3's grammar."""

from __future__ import annotations

from lib2to3 import pygram

sym_name = dict(pygram.python_grammar_no_print_statement.number2symbol)
