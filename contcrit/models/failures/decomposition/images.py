"""Images of straight lines, and tuples of them labelled by the product of their slopes' signs.

References
----------
S. Shalev-Shwartz, O. Shamir and S. Shammah, *Failures of gradient-based deep learning*, 2017,
section 3.1 and Figure 2.
"""

from __future__ import annotations

import numpy as np

from ....system import Array
from ...reading import whole_number

SIZE = 28
"""Pixels along each side of an image."""

LENGTHS = (5.0, SIZE - 5.0)
"""Shortest and longest line."""


def lines(count: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Draw images of lines with their labels.

    The angle is uniform on [0, pi], the length on [5, 23], the centre on [0, 27]^2; points of the
    line are rounded to pixels, and what lies outside of the image is lost.

    Parameters
    ----------
    count : int
        Number of images.
    generator : numpy.random.Generator
        Where they come from.

    Returns
    -------
    tuple of ndarray
        Images of bool, shape (count, 28, 28), with row y and column x; labels of int8, shape
        (count,): 1 where the angle is less than pi / 2, else -1.

    Examples
    --------
    >>> images, labels = lines(3, np.random.default_rng(0))
    >>> images.shape, sorted(set(labels.tolist()) | {-1, 1})
    ((3, 28, 28), [-1, 1])
    """
    count = whole_number("count", count, low=1)
    angle = generator.uniform(0.0, np.pi, count)
    length = generator.uniform(*LENGTHS, count)
    centre = generator.uniform(0.0, SIZE - 1.0, (count, 2))
    # Steps of at most half a pixel miss no more than corners that the line cuts.
    steps = np.linspace(-0.5, 0.5, 2 * int(LENGTHS[1]) + 1)
    along = length[:, None] * steps
    column = np.rint(centre[:, :1] + np.cos(angle)[:, None] * along).astype(int)
    row = np.rint(centre[:, 1:] + np.sin(angle)[:, None] * along).astype(int)
    inside = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
    images = np.zeros((count, SIZE, SIZE), dtype=bool)
    image = np.broadcast_to(np.arange(count)[:, None], column.shape)
    images[image[inside], row[inside], column[inside]] = True
    return images, np.where(angle < np.pi / 2.0, 1, -1).astype(np.int8)


def tuples(count: int, k: int, generator: np.random.Generator) -> tuple[Array, Array, Array]:
    """Draw tuples of k images, the labels of the images, and of the tuples.

    Returns
    -------
    tuple of ndarray
        Shapes (count, k, 28, 28), (count, k) and (count,); a tuple's label is the product.

    Examples
    --------
    >>> images, own, label = tuples(4, 3, np.random.default_rng(0))
    >>> images.shape, bool(np.all(np.prod(own, axis=1) == label))
    ((4, 3, 28, 28), True)
    """
    k = whole_number("k", k, low=1)
    images, labels = lines(whole_number("count", count, low=1) * k, generator)
    own = labels.reshape(count, k)
    return images.reshape(count, k, SIZE, SIZE), own, np.prod(own, axis=1).astype(np.int8)
