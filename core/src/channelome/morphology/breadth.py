"""The order in which solvers go through the nodes of a tree."""

import numpy as np


def from_the_middle(parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nodes breadth first from the middle of the longest way through the tree, and of each of them, in that order, its parent.

    Seen from there the leaves are as near as can be, and more nodes are at the same depth: these do not wait for one another.

    Args:
        parent: shape (m,), -1 for one of them.
    """
    beside: list[list[int]] = [[] for _ in parent]
    for node, above in enumerate(parent.tolist()):
        if above >= 0:
            beside[node].append(above)
            beside[above].append(node)
    end = _walked(beside, 0)[0][-1]
    order, above = _walked(beside, end)
    way = [order[-1]]
    while way[-1] != end:
        way.append(above[way[-1]])
    order, above = _walked(beside, way[len(way) // 2])
    node = np.array(order)
    return node, np.array(above)[node]


def _walked(beside: list[list[int]], root: int) -> tuple[list[int], list[int]]:
    """The nodes breadth first from one of them, and the parent of each node."""
    order, above = [root], [-1] * len(beside)
    for node in order:
        for other in beside[node]:
            if other != above[node]:
                above[other] = node
                order.append(other)
    return order, above
