"""What a search begins with."""

from __future__ import annotations

from edgekit.search.samplers import STARTUP
from edgekit.search.space import OFF, Dimension, Space
from edgekit.search.starts import hypercube, starts

SPACE = Space(
    (
        Dimension("remove.macs", (OFF, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)),
        Dimension("cluster.clusters", (OFF, 32, 16)),
        Dimension("prune.layer first", (-0.2, 0.0, 0.2), begin=1),
        Dimension("quantize.scheme", ("int8",), ordered=False),
    )
)


def test_those_that_model_begin_all_over_the_space() -> None:
    first, *spread = starts(SPACE, "tpe", 0)
    assert first == SPACE.mildest
    assert len(spread) == STARTUP - 1
    for sampler in ("random", "nsga2", "netadapt"):
        assert starts(SPACE, sampler, 0) == (SPACE.mildest,)


def test_each_part_of_each_dimension_is_met() -> None:
    for seed in range(5):
        points = hypercube(SPACE, seed, 7)
        assert sorted(map(str, (point["remove.macs"] for point in points))) == sorted(
            map(str, SPACE.dimensions[0].values)
        )
        found = [point["cluster.clusters"] for point in points]
        assert sorted(found.count(value) for value in (OFF, 32, 16)) == [2, 2, 3]
        assert {point["quantize.scheme"] for point in points} == {"int8"}
    wide = [point["remove.macs"] for point in hypercube(SPACE, 0, 21)]
    assert [wide.count(value) for value in SPACE.dimensions[0].values] == [3] * 7


def test_a_seed_gives_the_same_points() -> None:
    assert hypercube(SPACE, 4, 7) == hypercube(SPACE, 4, 7)
    assert hypercube(SPACE, 4, 7) != hypercube(SPACE, 5, 7)
