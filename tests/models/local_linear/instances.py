"""Random small networks for the tests of local linear neurons."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from contcrit.models.local_linear.data import LocalLinear
from contcrit.models.local_linear.graph import NeuronGraph

WHOLE = st.integers(-3, 3).map(float)
REAL = st.floats(-3.0, 3.0).map(lambda v: round(v, 3))
"""Points closer to a kink than 1e-10 count as on it: where it repels, either side is right."""


@st.composite
def networks(draw, most_data=5, most_neurons=3, units=("local", "relu"), inputs=(0, 1, 2)):
    """Return a network: repeated and collinear inputs are common."""
    count, n = draw(st.integers(1, most_data)), draw(st.sampled_from(inputs))
    entry = draw(st.sampled_from([WHOLE, REAL]))
    x = np.array(draw(st.lists(entry, min_size=count * n, max_size=count * n))).reshape(count, n)
    y = np.array(draw(st.lists(entry, min_size=count, max_size=count)))
    neurons = draw(st.integers(1, most_neurons))
    signs = draw(st.lists(st.sampled_from([-1, 1]), min_size=neurons - 1, max_size=neurons - 1))
    return LocalLinear(x, y, NeuronGraph.chain(signs), draw(st.sampled_from(units)))


def weights(data, seed, size=2.0):
    """Return random weights of a network."""
    return np.random.default_rng(seed).normal(size=data.shape) * size


SEEDS = st.integers(0, 2**32 - 1)
