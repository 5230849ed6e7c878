"""From verdicts to the visual score."""

from __future__ import annotations

from collections.abc import Sequence

from ..schemas.outcomes import Judgement
from ..schemas.records import TrainAnnotation


def visual_score(
    judgement: Judgement, annotations: Sequence[TrainAnnotation], contradiction_penalty: float
) -> float | None:
    """The share of the annotations asked that the completion reflects, by weight.

    Args:
        judgement: of the completion.
        annotations: those that were asked; what the judge did not answer counts as not reflected.
        contradiction_penalty: hits that one contradicted annotation takes back, 0 or above.

    Returns:
        A score in 0..1. None where the completion is not scored: nothing was asked, or the judge's
        service failed. 0 where this completion made the judge fail while it served others.

    Source: Perception-R1 (arXiv 2506.07218), hits / m. Its code divides by the verdicts that came
        back and counts a contradiction as absent; here m is what was asked, and a contradicted
        annotation takes `contradiction_penalty` hits back, so that listing every value earns
        nothing. With a penalty of 0 it is the paper's.

    Example:
        >>> from pr1.schemas.outcomes import Verdict
        >>> asked = [TrainAnnotation(id=n, statement="AB = 5", kind="length") for n in (1, 2)]
        >>> seen = [Verdict(annotation_id=1, verdict="reflected")]
        >>> visual_score(Judgement(completion_id="c", verdicts=seen, judge="rules"), asked, 1.0)
        0.5
    """
    if not annotations:
        return None
    if judgement.failure is not None:
        return None if judgement.failure.cause == "service" else 0.0
    worth = {"reflected": 1.0, "absent": 0.0, "contradicted": -contradiction_penalty}
    verdicts = {verdict.annotation_id: verdict.verdict for verdict in judgement.verdicts or []}
    # Scaled by the largest weight, so that no sum of weights overflows.
    largest = max(annotation.weight for annotation in annotations)
    weights = [annotation.weight / largest for annotation in annotations]
    hits = sum(
        weight * worth[verdicts.get(annotation.id, "absent")]
        for weight, annotation in zip(weights, annotations, strict=True)
    )
    return min(1.0, max(0.0, hits / sum(weights)))
