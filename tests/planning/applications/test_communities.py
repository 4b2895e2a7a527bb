"""Communities of servers that nothing but their traffic ties together."""

from itertools import combinations
from random import Random

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.planning.applications.communities import communities

Weights = dict[tuple[str, str], float]


def ring_of_cliques(count: int, size: int) -> Weights:
    """The textbook case in which small communities are taken together (Fortunato and Barthélemy, 2007)."""
    names = [[f"c{place:02}n{n}" for n in range(size)] for place in range(count)]
    weights = {pair: 1.0 for clique in names for pair in combinations(clique, 2)}
    for clique, following in zip(names, [*names[1:], names[0]], strict=True):
        first, second = sorted((clique[0], following[1]))
        weights[first, second] = 1.0
    return weights


def test_small_communities_of_a_large_graph_stay_apart() -> None:
    weights = ring_of_cliques(40, 5)
    found = communities(weights, {name for pair in weights for name in pair})
    assert [len(group) for group in found] == [5] * 40
    assert all(len({name[:3] for name in group}) == 1 for group in found)
    graph = nx.Graph()
    graph.add_weighted_edges_from((one, other, weight) for (one, other), weight in weights.items())
    assert len(nx.community.louvain_communities(graph, seed=1)) < 40  # what the method gives by itself


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda pair: pair[0] < pair[1]),
        st.floats(0.1, 100),
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_groups_are_apart_connected_and_the_same_in_whatever_order(
    edges: dict[tuple[int, int], float], chance: Random
) -> None:
    weights = {(f"s{one:02}", f"s{other:02}"): weight for (one, other), weight in edges.items()}
    nodes = {f"s{n:02}" for n in range(15)}
    found = communities(weights, nodes)
    members = [name for group in found for name in group]
    assert len(members) == len(set(members))
    assert all(len(group) > 1 for group in found)
    graph = nx.Graph(list(weights))
    assert all(nx.is_connected(graph.subgraph(group)) for group in found)
    turned = list(weights.items())
    chance.shuffle(turned)
    assert communities(dict(turned), sorted(nodes, reverse=True)) == found
