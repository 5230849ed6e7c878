"""Pictures made comparable: near copies are found by their perceptual hashes.

Hashes of unrelated pictures differ in about 32 of 64 bits, those of a scaled, recompressed or
re-encoded copy in at most 4. Two hashes that differ in at most 4 bits agree in at least one of five
pieces, so an index over the pieces finds every near copy without comparing all pairs.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

NEAR_BITS = 4
_PIECES = 5
_BITS_PER_PIECE = 13


class NearPicture(NamedTuple):
    """A picture of the index that is a near copy.

    Attributes:
        place: where the picture stands, as `PictureIndex.add` was told.
        bits: in how many of 64 bits the hashes differ.
    """

    place: str
    bits: int


def are_near(first: int, second: int) -> bool:
    """Whether two perceptual hashes are those of near copies."""
    return (first ^ second).bit_count() <= NEAR_BITS


def pieces(picture: int) -> list[int]:
    """The five pieces of a hash, each with its place, so that they can be keys of one index."""
    mask = (1 << _BITS_PER_PIECE) - 1
    return [
        (piece << _BITS_PER_PIECE) | (picture >> (piece * _BITS_PER_PIECE)) & mask
        for piece in range(_PIECES)
    ]


class PictureIndex:
    """Pictures that can be searched for near copies. A picture of one colour is never found."""

    def __init__(self) -> None:
        self._places: dict[int, str] = {}
        self._by_piece: defaultdict[int, list[int]] = defaultdict(list)

    def add(self, picture: int, place: str) -> None:
        """Remember one picture by its perceptual hash."""
        if picture and picture not in self._places:
            self._places[picture] = place
            for piece in pieces(picture):
                self._by_piece[piece].append(picture)

    def find(self, picture: int) -> NearPicture | None:
        """The nearest near copy, or None."""
        found = {other for piece in pieces(picture) for other in self._by_piece.get(piece, ())}
        near = [other for other in found if are_near(other, picture)]
        if not near:
            return None
        bits, other = min(((other ^ picture).bit_count(), other) for other in near)
        return NearPicture(self._places[other], bits)
