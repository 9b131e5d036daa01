"""Stand-in for the module `parser`, which Python 3.10 removed and PyDSTool 0.91 imports.

``expr(text).tolist()`` returns the concrete syntax tree as nested lists, read by lib2to3 (part of
Python up to 3.12).
"""

from __future__ import annotations

import io
from lib2to3 import pygram
from lib2to3.pgen2 import grammar, parse, token, tokenize
from typing import Any


class STType(list):
    """A tree as a list of its kind and its children."""

    def tolist(self) -> list[Any]:
        """Return plain nested lists."""
        return [item.tolist() if isinstance(item, STType) else item for item in self]


def _node(rules: Any, node: Any) -> STType:
    kind, value, _, children = node
    return STType([kind, value] if children is None else [kind, *children])


def expr(text: str) -> STType:
    """Return the tree of an expression."""
    rules = pygram.python_grammar_no_print_statement
    reader = parse.Parser(rules, _node)
    reader.setup(start=rules.symbol2number["eval_input"])
    lines = io.StringIO(text.strip() + "\n").readline
    for kind, value, start, *_ in tokenize.generate_tokens(lines):
        if kind in (tokenize.COMMENT, tokenize.NL):
            continue
        exact = grammar.opmap[value] if kind == token.OP else kind
        if reader.addtoken(exact, value, ("", start)):
            break
    return STType(reader.rootnode)
