"""The checks of one annotated problem by itself: is its answer verified, are its pictures usable?

Each returns why the problem is dropped, or None.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ..images import check_image, load_image, perceptual_hash
from ..schemas.config import FilterConfig
from ..schemas.errors import InputError
from ..schemas.records import REVIEWER, AnnotatedProblem, ProblemImage, VisualAnnotation

# The extractor of annotations that a published set brought along (`--format perception-r1`). Their
# "trajectory" is the list of facts itself, which has no answer that could be right or wrong.
READY = "perception-r1"


class Drop(NamedTuple):
    """Why a problem is left out: `reason` for the count, `detail` for a person."""

    reason: str
    detail: str


def unverified(problem: AnnotatedProblem) -> Drop | None:
    """`no_correct_trajectory`: no trajectory reaches the reference answer.

    A trajectory that could not be compared does not count as correct. Where the reference was taken
    from the trajectory itself (`answer_origin` is `self`) being right proves nothing, so there only
    a problem whose trajectories are all wrong is dropped. Annotations that came ready made are
    taken at their publisher's word.
    """
    if any(annotation.extractor == READY for annotation in problem.annotations):
        return None
    verdicts = Counter(trajectory.is_correct for trajectory in problem.trajectories)
    is_verified = verdicts[True] > 0
    if is_verified or (problem.answer_origin == "self" and verdicts[None] > 0):
        return None
    return Drop("no_correct_trajectory", f"{verdicts[False]} wrong, {verdicts[None]} not compared")


def usable_annotations(problem: AnnotatedProblem) -> list[VisualAnnotation]:
    """The annotations that the reward may ask for.

    Left out are those that

    - are the answer itself (`equals_answer`): the accuracy reward pays for them;
    - the question states, too (`in_question`): a policy that repeats the question has seen nothing;
    - only wrong trajectories state (they are there after `annotate --keep-wrong`): a misread
      picture is a likely reason for a wrong answer. An annotation quotes one trajectory and counts
      all that state it, so one that quotes a wrong trajectory stays when more trajectories state it
      than are wrong, and so does one that a person wrote or rewrote.
    """
    doubted = {
        trajectory.id
        for trajectory in problem.trajectories
        if trajectory.is_correct is False
        or (trajectory.is_correct is None and problem.answer_origin == "given")
    }
    return [
        annotation
        for annotation in problem.annotations
        if not (annotation.equals_answer or annotation.in_question)
        and (
            annotation.extractor in (READY, REVIEWER)
            or annotation.trajectory_id not in doubted
            or annotation.support > len(doubted)
        )
    ]


def too_few(
    problem: AnnotatedProblem, usable: Sequence[VisualAnnotation], least: int
) -> Drop | None:
    """`too_few_annotations`: fewer usable annotations than asked for."""
    if len(usable) >= least:
        return None
    return Drop(
        "too_few_annotations",
        f"{len(usable)} usable of {len(problem.annotations)}, at least {least} asked for",
    )


def picture_hashes(images: Sequence[ProblemImage], config: FilterConfig) -> list[int] | Drop:
    """The pictures' perceptual hashes, or why the problem is dropped.

    `no_image`, `unreadable_image`, `image_too_small`, `image_too_large`. Every picture is decoded
    whole, so that no cut-off file reaches the training set.
    """
    if not images:
        return Drop("no_image", "the problem has no picture")
    hashes = []
    for number, image in enumerate(images, 1):
        where = f"picture {number}"
        try:
            # The bound is checked here and not by `check_image`, which would make it an error.
            size = check_image(image.bytes, where, max_pixels=sys.maxsize)
            shown = f"{where} has {size.width} x {size.height} pixels"
            if size.pixels < config.min_pixels:
                return Drop("image_too_small", f"{shown}, at least {config.min_pixels} asked for")
            if size.pixels > config.max_pixels:
                return Drop("image_too_large", f"{shown}, at most {config.max_pixels} allowed")
            loaded = load_image(image.bytes, where, max_pixels=config.max_pixels)
        except InputError as error:
            is_bomb = error.code == "oversized_image"
            return Drop("image_too_large" if is_bomb else "unreadable_image", error.message)
        hashes.append(perceptual_hash(loaded))
    return hashes
