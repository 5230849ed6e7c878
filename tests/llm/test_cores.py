"""How many cores count, by what the system's files say."""

import os

import pytest

from pr1.llm import cores


@pytest.mark.parametrize(
    ("siblings", "quota", "expected"),
    [
        (["0", "1", "2", "3"], None, 4),
        (["0-1", "0-1", "2-3", "2-3"], None, 2),
        (["0", "1", "2", "3"], "max 100000", 4),
        (["0", "1", "2", "3"], "200000 100000", 2),
        (["0", "1", "2", "3"], "150000 100000", 2),
        (["0", "1"], "10000 100000", 1),
        ([None, None], "odd", 2),
    ],
)
def test_usable_cores(tmp_path, monkeypatch, siblings, quota, expected):
    for cpu, text in enumerate(siblings):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        if text is not None:
            (topology / "thread_siblings_list").write_text(text + "\n")
    limit = tmp_path / "cpu.max"
    if quota is not None:
        limit.write_text(quota + "\n")
    monkeypatch.setattr(cores, "_CPUS", tmp_path)
    monkeypatch.setattr(cores, "_CGROUP_LIMIT", limit)
    allowed = set(range(len(siblings)))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: allowed, raising=False)
    assert cores.usable_cores() == expected
