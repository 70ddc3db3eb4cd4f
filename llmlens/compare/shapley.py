"""Fair shares of a difference: the average over all orders in which what changed could have changed."""

from __future__ import annotations

from itertools import product
from math import factorial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]


def shapley(value: Callable[[tuple[bool, ...]], Floats], n: int) -> Floats:
    """Split `value(all) - value(none)` among `n` factors; a row a factor, and the rows sum to the difference.

    `value` takes, for each factor, whether it has changed already. A factor's share is what it adds when it changes,
    averaged over all orders: no order is preferred, and nothing is left over. Shapley (1953), A value for n-person
    games; of decompositions, Shorrocks (2013), Decomposition procedures for distributional analysis, J. Econ.
    Inequality 11, 99-126. Takes 2^n values.
    """
    values = {changed: value(changed) for changed in product((False, True), repeat=n)}
    shares = np.zeros((n, *values[(False,) * n].shape))
    for changed, before in values.items():
        orders = factorial(sum(changed)) * factorial(n - sum(changed) - 1) / factorial(n) if not all(changed) else 0.0
        for factor in (place for place in range(n) if not changed[place]):
            after = values[(*changed[:factor], True, *changed[factor + 1 :])]
            shares[factor] += orders * (after - before)
    return shares
