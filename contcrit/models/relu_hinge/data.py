"""The constants of one hinge problem, as numbers: the loss at any parameter values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecificationError
from ...system import Array
from ..reading import real_array, real_number
from .criterion import (
    Criterion,
    binary,
    multiclass,
    one_versus_all,
    read_data,
    read_labels,
    read_weights,
    signed_labels,
)
from .network import HingeNetwork
from .penalised import PenalisedNetwork

Loss = HingeNetwork | PenalisedNetwork


@dataclass(frozen=True, eq=False)
class HingeData:
    """Checked constants; `build` of the model says what they are."""

    X: Array
    y: Array
    classes: int
    widths: tuple[int, ...]
    loss: str
    weights: Array
    output_bias: bool
    alpha: float
    gamma: float
    fixed_output: Array | None
    class_weight: bool
    moving: tuple[int, Array] | None
    bases: tuple[Array | None, ...]

    @property
    def defaults(self) -> dict[str, float]:
        """Values of the parameters as they were given."""
        found = {"alpha": self.alpha}
        if self.class_weight:
            found["mu"] = float(np.sum(self.weights[self.y == -1]) / np.sum(self.weights))
        if self.moving is not None:
            found["t"] = 0.0
        return found

    def network(self, values: Mapping[str, float] | None = None) -> Loss:
        """Return the loss at parameter values; those not given are the defaults."""
        named = {**self.defaults, **(values or {})}
        X = self.X
        if self.moving is not None:
            X = X.copy()
            X[self.moving[0]] += named["t"] * self.moving[1]
        if self.loss != "penalised":
            return self._network(X, self._criterion(named), named["alpha"])
        replicates = tuple(
            self._network(
                X,
                binary(signed_labels(self.y, r), self.weights[:, r]),
                named["alpha"],
                None if self.fixed_output is None else self.fixed_output[r : r + 1],
            )
            for r in range(self.classes)
        )
        return PenalisedNetwork(replicates, self.gamma)

    def datum_weights(self, named: Mapping[str, Any]) -> list[Any]:
        """Return the weight of each datum of a binary problem, symbols allowed for mu."""
        if not self.class_weight:
            return list(self.weights)
        share = {-1: named["mu"], 1: 1 - named["mu"]}
        sums = {side: float(np.sum(self.weights[self.y == side])) for side in (-1, 1)}
        return [
            w / sums[int(label)] * share[int(label)]
            for w, label in zip(self.weights, self.y, strict=True)
        ]

    def _criterion(self, named: Mapping[str, float]) -> Criterion:
        if self.loss == "binary":
            return binary(self.y, np.array(self.datum_weights(named), dtype=float))
        if self.loss == "multiclass":
            return multiclass(self.y, self.classes, self.weights)
        return one_versus_all(self.y, self.classes, self.weights)

    def _network(
        self, X: Array, criterion: Criterion, alpha: float, fixed: Array | None = None
    ) -> HingeNetwork:
        return HingeNetwork(
            X,
            self.widths,
            criterion,
            alpha,
            output_bias=self.output_bias,
            fixed_output=self.fixed_output if fixed is None else fixed,
            bases=self.bases,
        )


def read_constants(
    X: Any,
    y: Any,
    hidden: Any = 1,
    loss: str = "binary",
    output_bias: bool = True,
    alpha: float = 0.0,
    mu: Any = None,
    gamma: float = 1.0,
    output_weights: Any = None,
    class_weight: bool = False,
    moving: Any = None,
    bases: Any = None,
) -> HingeData:
    """Return the checked constants of a problem, which `relu_hinge.build` describes.

    Raises
    ------
    SpecificationError
        If a constant breaks a rule.
    """
    data = read_data(X)
    labels, classes = read_labels(y, len(data), loss)
    widths = _read_widths(hidden)
    slopes = "must lie between 0 (ReLU) and 1 (linear)."
    alpha = real_number("alpha", alpha, low=0.0, high=1.0, rule=slopes)
    gamma = real_number("gamma", gamma, low=0.0, open_low=True, rule="must be positive.")
    weights = read_weights(mu, labels, classes, loss)
    if class_weight and (loss != "binary" or len(set(labels.tolist())) < 2):
        raise SpecificationError(
            "class_weight", class_weight, "needs the binary loss and both labels.", "Leave it out."
        )
    layers = _read_bases(bases, widths, data.shape[1])
    return HingeData(
        data,
        labels,
        classes,
        widths,
        loss,
        weights,
        bool(output_bias),
        alpha,
        gamma,
        _read_output(output_weights, loss, classes, widths[-1] if widths else data.shape[1]),
        bool(class_weight),
        _read_moving(moving, data),
        layers,
    )


def _read_widths(hidden: Any) -> tuple[int, ...]:
    given = tuple(hidden) if isinstance(hidden, Sequence) else (hidden,)
    if not all(
        isinstance(k, (int, np.integer)) and not isinstance(k, bool) and k > 0 for k in given
    ):
        raise SpecificationError(
            "hidden", hidden, "must be one or more positive whole numbers.", "hidden=2, or (3, 2)."
        )
    return tuple(int(k) for k in given)


def _read_output(value: Any, loss: str, classes: int, inputs: int) -> Array | None:
    if value is None:
        return None
    rows = 1 if loss == "binary" else classes
    given = real_array("output_weights", value)
    if given.shape == (inputs,) and rows == 1:
        given = given[None, :]
    if given.shape != (rows, inputs) or not np.all(np.isfinite(given)):
        raise SpecificationError(
            "output_weights",
            np.shape(value),
            f"needs finite numbers of shape ({rows}, {inputs}), or ({inputs},) for one output.",
            "Give +1 or -1 for each unit.",
        )
    return given


def _read_moving(value: Any, X: Array) -> tuple[int, Array] | None:
    if value is None:
        return None
    try:
        datum, direction = value
        moved = (int(datum), np.asarray(direction, dtype=float).reshape(X.shape[1]))
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "moving", value, "needs a datum's number and a direction.", "moving=(0, [1.0, 0.0])."
        ) from error
    if not 0 <= moved[0] < len(X):
        raise SpecificationError("moving", value, f"needs a datum below {len(X)}.", "Count from 0.")
    return moved


def _read_bases(value: Any, widths: tuple[int, ...], inputs: int) -> tuple[Array | None, ...]:
    if value is None:
        return (None,) * len(widths)
    layers = list(value) if isinstance(value, Sequence) else []
    if len(layers) != len(widths):
        raise SpecificationError(
            "bases", value, f"needs one entry for each of {len(widths)} layers.", "Add None."
        )
    found: list[Array | None] = []
    for basis, width in zip(layers, widths, strict=True):
        array = None if basis is None else real_array("bases", basis)
        if array is not None and array.shape[1:] != (width, inputs):
            raise SpecificationError(
                "bases",
                array.shape,
                f"needs shape (p, {width}, {inputs}) here.",
                "relu_hinge.network.convolution makes such a basis.",
            )
        found.append(array)
        inputs = width
    return tuple(found)
