"""Servers that talk with each other more than with others: communities of the graph, by the method of Louvain.

Source: Blondel, Guillaume, Lambiotte, Lefebvre, "Fast unfolding of communities in large networks", 2008;
networkx.community.louvain_communities. ADR 21 says why networkx.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_SEED = 20_080_304  # any would do; a fixed one makes the same graph give the same communities
THIN = 0.1  # of what a community says: when no more than that runs between its parts, they are apart

Graph = Any  # networkx has no types


def communities(weights: Mapping[tuple[str, str], float], nodes: Iterable[str]) -> list[list[str]]:
    """Groups of at least two of `nodes` that talk with each other; each sorted, and sorted by its first.

    Nodes are numbered in order of name and edges added in order: neither the order in which they were read nor the
    hash of their names changes the result. In large graphs the method takes small communities together (Fortunato,
    Barthélemy, "Resolution limit in community detection", 2007); each is therefore divided again, as long as hardly
    anything runs between its parts, and where nothing does.
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
    found: list[list[int]] = []
    left = _parts(graph)
    while left:
        group = _subgraph(graph, left.pop())
        parts = _parts(group)
        if len(parts) > 1 and _between(group, parts) <= THIN:
            left += parts
        else:
            found += [list(part) for part in nx.connected_components(group)]
    return sorted(sorted(names[node] for node in group) for group in found if len(group) > 1)


def _parts(graph: Graph) -> list[set[int]]:
    import networkx as nx  # noqa: PLC0415 - as above

    return list(nx.community.louvain_communities(graph, weight="weight", seed=_SEED)) if graph else []


def _subgraph(graph: Graph, nodes: set[int]) -> Graph:
    """A copy with nodes and edges in order: the order of a view is that of a set."""
    import networkx as nx  # noqa: PLC0415 - as above

    copied = nx.Graph()
    copied.add_nodes_from(sorted(nodes))
    copied.add_weighted_edges_from(
        (node, other, data["weight"])
        for node in sorted(nodes)
        for other, data in sorted(graph[node].items())
        if node < other and other in nodes
    )
    return copied


def _between(graph: Graph, parts: list[set[int]]) -> float:
    part = {node: place for place, nodes in enumerate(parts) for node in nodes}
    weights = [(part[one] != part[other], weight) for one, other, weight in graph.edges(data="weight")]
    return float(sum(weight for apart, weight in weights if apart) / sum(weight for _, weight in weights))
