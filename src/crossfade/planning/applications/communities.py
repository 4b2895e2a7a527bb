"""Servers that talk with each other more than with others: communities of the graph, by the method of Louvain.

Source: Blondel, Guillaume, Lambiotte, Lefebvre, "Fast unfolding of communities in large networks", 2008;
networkx.community.louvain_communities. ADR 21 says why networkx.
"""

from collections.abc import Iterable, Mapping

_SEED = 20_080_304  # any would do; a fixed one makes the same graph give the same communities


def communities(weights: Mapping[tuple[str, str], float], nodes: Iterable[str]) -> list[list[str]]:
    """Groups of at least two of `nodes` that talk with each other; each sorted, and sorted by its first.

    Nodes are numbered in order of name and edges added in order: neither the order in which they were read nor the
    hash of their names changes the result.
    """
    import networkx as nx  # noqa: PLC0415 - a third of a second that no other command needs

    names = sorted(nodes)
    number = {name: place for place, name in enumerate(names)}
    graph = nx.Graph()
    graph.add_nodes_from(range(len(names)))
    for (first, second), weight in sorted(weights.items()):
        if first in number and second in number:
            graph.add_edge(number[first], number[second], weight=weight)
    graph.remove_nodes_from([node for node, degree in list(graph.degree()) if degree == 0])
    found = nx.community.louvain_communities(graph, weight="weight", seed=_SEED) if graph else []
    return sorted(sorted(names[node] for node in group) for group in found if len(group) > 1)
