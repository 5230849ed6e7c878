"""The collector's threshold is raised while a block runs, and as it was behind it."""

import gc

from pr1.garbage import OBJECTS_UNTIL_COLLECTION, rare_collections


def test_the_threshold_comes_back():
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == (OBJECTS_UNTIL_COLLECTION, *before[1:])
    assert gc.get_threshold() == before
