"""Which neurons are neighbours, and how one function is made of them that has these kinks.

Two neighbours meet in an edge, z_i = z_j. Its sign says how the function bends there: +1 up, as
max(z_i, z_j), and -1 down, as min(z_i, z_j). Edges of one sign that hang together form a *group*,
over which the function is the maximum or the minimum of all members. Groups joined in shared
neurons give

    yhat = sum over groups of max or min  -  sum over neurons of (groups it is in - 1) z_i,

which is continuous in the weights, whatever they are, and equals z_i wherever neuron i owns x in
the sense of the paper. It exists exactly if groups and neurons form a tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...errors import SpecificationError

TABLE_1: dict[int, tuple[int, ...]] = {
    1: (2, 5, 4),
    2: (3, 6, 5, 1),
    3: (7, 6, 2),
    4: (1, 5, 8),
    5: (2, 6, 9, 8, 4, 1),
    6: (3, 7, 10, 9, 5, 2),
    7: (10, 6, 3),
    8: (4, 5, 9),
    9: (8, 5, 6, 10),
    10: (9, 6, 7),
}
"""Table 1 of the paper: every neuron with its neighbours."""

TABLE_1_EDGES = tuple(sorted((i, j) for i, near in TABLE_1.items() for j in near if i < j))
"""Its edges, each once."""


@dataclass(frozen=True)
class Group:
    """Neurons that edges of one sign hold together.

    Parameters
    ----------
    sign : int
        +1: the maximum of the members; -1: their minimum.
    members : tuple of int
        Ascending.
    """

    sign: int
    members: tuple[int, ...]


@dataclass(frozen=True)
class NeuronGraph:
    """Neurons with their neighbours, and a sign for every edge.

    Parameters
    ----------
    neurons : int
        Their number I.
    edges : tuple of (int, int)
        Pairs of neighbours, i < j, from 0.
    signs : tuple of int
        For each edge +1 where the function bends up, -1 where it bends down.

    Raises
    ------
    SpecificationError
        If an edge or sign is no such thing, an edge is given twice, or neurons do not hang
        together.

    Examples
    --------
    >>> graph = NeuronGraph.chain((-1, -1, 1))
    >>> [(group.sign, group.members) for group in graph.groups]
    [(-1, (0, 1, 2)), (1, (2, 3))]
    >>> graph.multiplicities
    (1, 1, 2, 1)
    """

    neurons: int
    edges: tuple[tuple[int, int], ...] = ()
    signs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.neurons < 1:
            raise SpecificationError("neurons", self.neurons, "must be positive.", "Take 1 or more")
        for edge in self.edges:
            if not 0 <= edge[0] < edge[1] < self.neurons:
                raise SpecificationError(
                    "edges",
                    edge,
                    f"needs pairs i < j of neurons below {self.neurons}.",
                    "Number neurons from 0, the smaller one first.",
                )
        if len(set(self.edges)) < len(self.edges):
            raise SpecificationError("edges", self.edges, "names an edge twice.", "Once each.")
        if len(self.signs) != len(self.edges) or not set(self.signs) <= {-1, 1}:
            raise SpecificationError(
                "signs",
                self.signs,
                f"needs +1 or -1 for each of the {len(self.edges)} edges.",
                "+1 where the function bends up, -1 where it bends down.",
            )
        if len(_connected(range(self.neurons), self.edges)) > 1:
            raise SpecificationError(
                "edges", self.edges, "must connect all neurons.", "Add the missing neighbours."
            )

    @classmethod
    def chain(cls, signs: Sequence[int]) -> NeuronGraph:
        """Return ordered neurons on a line: one edge between each and the next."""
        edges = tuple((i, i + 1) for i in range(len(signs)))
        return cls(len(signs) + 1, edges, tuple(int(s) for s in signs))

    @classmethod
    def from_table(cls, table: Mapping[int, Iterable[int]], sign: int = 1) -> NeuronGraph:
        """Return the graph of a table of neighbours, all edges of one sign.

        Raises
        ------
        SpecificationError
            If one neuron names another that does not name it.

        Examples
        --------
        >>> len(NeuronGraph.from_table(TABLE_1).edges)
        19
        """
        lost = asymmetries(table)
        if lost:
            raise SpecificationError(
                "table", lost, "holds neighbours that do not name each other.", "Complete them."
            )
        number = {neuron: place for place, neuron in enumerate(sorted(table))}
        edges = sorted((number[i], number[j]) for i, near in table.items() for j in near if i < j)
        return cls(len(table), tuple(edges), (sign,) * len(edges))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups; one neuron alone is a group of its own."""
        found: list[Group] = []
        for sign in (1, -1):
            edges = [edge for edge, s in zip(self.edges, self.signs, strict=True) if s == sign]
            touched = sorted({i for edge in edges for i in edge})
            found += [Group(sign, part) for part in _connected(touched, edges)]
        if not found:
            found = [Group(1, (0,))]
        return tuple(sorted(found, key=lambda group: group.members))

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Number of groups that each neuron is in."""
        return tuple(sum(i in group.members for group in self.groups) for i in range(self.neurons))

    @property
    def representable(self) -> bool:
        """Whether groups and neurons form a tree, so that the function exists."""
        return sum(self.multiplicities) == self.neurons + len(self.groups) - 1

    @property
    def corners(self) -> tuple[tuple[int, int, int], ...]:
        """Triples of neurons that are neighbours of each other: corners in the plane."""
        near = set(self.edges)
        return tuple(
            (i, j, k)
            for i, j in self.edges
            for k in range(j + 1, self.neurons)
            if (j, k) in near and (i, k) in near
        )

    def sign(self, i: int, j: int) -> int:
        """Return the sign of the edge between two neighbours."""
        return self.signs[self.edges.index((min(i, j), max(i, j)))]

    def neighbours(self, i: int) -> tuple[int, ...]:
        """Return the neighbours of a neuron, ascending."""
        return tuple(sorted({a + b - i for a, b in self.edges if i in (a, b)}))

    def describe(self) -> dict[str, Any]:
        """Return the constants of `build` that give this graph."""
        return {
            "neurons": self.neurons,
            "edges": [list(edge) for edge in self.edges],
            "signs": list(self.signs),
        }


def asymmetries(table: Mapping[int, Iterable[int]]) -> list[tuple[int, int]]:
    """Return the pairs (i, j) of a table where i names j, and j does not name i.

    Examples
    --------
    >>> asymmetries({1: (2,), 2: ()})
    [(1, 2)]
    """
    named = {i: set(near) for i, near in table.items()}
    return [(i, j) for i, near in named.items() for j in sorted(near) if i not in named.get(j, ())]


def _connected(members: Iterable[int], edges: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return the connected components, each ascending."""
    component = {i: {i} for i in members}
    for i, j in edges:
        if component[i] is not component[j]:
            joined = component[i] | component[j]
            for k in joined:
                component[k] = joined
    parts = {id(part): part for part in component.values()}
    return sorted(tuple(sorted(part)) for part in parts.values())
