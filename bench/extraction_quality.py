"""How well visual annotations are extracted: rules, the embedded model, and the two united.

    python bench/extraction_quality.py gold data/gold/held_out.jsonl
    python bench/extraction_quality.py real bench/labels/real_headline.jsonl TRAJECTORIES.jsonl
    python bench/extraction_quality.py own bench/labels/own_dev.yaml --half first

Prints precision, recall and F1 with 95% bootstrap intervals over trajectories, by the rule of
`matching.py`; for the union also by source and, for recall, by kind. `--errors` lists what was
missed and what was found in vain; `--half` takes one half of a file, so that one can tune on the
first and see on the second whether a change carries over. The model's answers are kept in
`--store`, so that a second run asks for nothing; without `--model embedded` only the rules are
scored.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import defaultdict
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple

from labelled import Labelled, is_first_half, read_gold, read_own, read_real
from matching import Span, Stated, matches
from pydantic import BaseModel
from scores import Tally, scores, summary

from pr1.annotate.extraction.model import extraction_request, proposals_of
from pr1.annotate.extraction.proposal import Proposal
from pr1.annotate.extraction.rules import propose_by_rules
from pr1.annotate.validation.merge import merge_facts
from pr1.annotate.validation.validate import validate
from pr1.llm.engine import Engine
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.notation import to_plain
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.records import Trajectory, VisualAnnotation

SEED = 0


def main() -> None:
    """Score the extractors on one file of labels and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("which", choices=["gold", "real", "own"])
    parser.add_argument("labels", type=Path)
    parser.add_argument("trajectories", type=Path, nargs="?")
    parser.add_argument("--model", default="rules")
    parser.add_argument("--store", type=Path, default=Path("extraction_quality.sqlite"))
    parser.add_argument("--half", choices=["first", "second"])
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()
    if arguments.which == "gold":
        labelled = read_gold(arguments.labels)
    elif arguments.which == "own":
        labelled = read_own(arguments.labels)
    else:
        labelled = read_real(arguments.labels, arguments.trajectories)
    if arguments.half:
        is_first = arguments.half == "first"
        labelled = [one for one in labelled if is_first_half(one) is is_first]
    print(f"{arguments.labels.name}: {len(labelled)} trajectories")
    by_rules = [list(propose_by_rules(to_plain(one.text))) for one in labelled]
    report("rules", score(labelled, by_rules), with_errors=arguments.errors)
    if arguments.model == "rules":
        return
    answers = asyncio.run(ask(labelled, ModelConfig(name=arguments.model), arguments.store))
    by_model = [proposals_of(answer, arguments.model) if answer else [] for answer in answers]
    report(f"{arguments.model} alone", score(labelled, by_model), with_errors=False)
    united = [[*a, *b] for a, b in zip(by_rules, by_model, strict=True)]
    report("united", score(labelled, united), with_errors=arguments.errors)


async def ask(
    labelled: list[Labelled], model: ModelConfig, store_path: Path
) -> list[BaseModel | None]:
    """The model's answer for each trajectory; None where it gave no usable one."""
    answers: list[BaseModel | None] = [None] * len(labelled)
    execution = Execution(concurrency=4)
    client = open_client(model, execution)
    try:
        with ResponseStore(store_path) as store:
            requests = (extraction_request(to_plain(one.text), SEED) for one in labelled)
            async with aclosing(Engine(client, store, execution).run(requests)) as results:
                async for result in results:
                    answers[result.index] = result.parsed
                    if result.error:
                        print(f"{labelled[result.index].id}: {result.error}")
    finally:
        await client.aclose()
    return answers


def annotations_of(one: Labelled, proposals: list[Proposal]) -> list[VisualAnnotation]:
    """The annotations that validation and merging make of the proposals."""
    trajectory = Trajectory(id=one.id, problem_id=one.problem.id, text=one.text)
    stated = validate(proposals, trajectory, to_plain(one.text), one.problem)
    annotations, _ = merge_facts([stated], min_support=1)
    return annotations


class Hits(NamedTuple):
    """How the annotations of one trajectory meet its labels.

    Attributes:
        fact_of: place of a found annotation -> place of the fact that it hits.
    """

    one: Labelled
    found: list[VisualAnnotation]
    fact_of: dict[int, int]

    @property
    def tally(self) -> Tally:
        """All annotations and facts."""
        return Tally(len(self.fact_of), len(self.found), len(self.one.facts))

    @property
    def fresh_tally(self) -> Tally:
        """Those that the question does not state."""
        hits = sum(not self.one.facts[j].in_question for j in self.fact_of.values())
        found = sum(not annotation.in_question for annotation in self.found)
        return Tally(hits, found, sum(not fact.in_question for fact in self.one.facts))


def score(labelled: list[Labelled], proposed: list[list[Proposal]]) -> list[Hits]:
    """What became of the proposals for each trajectory."""
    scored = []
    for one, proposals in zip(labelled, proposed, strict=True):
        found = annotations_of(one, proposals)
        stated = [Stated(a.statement, (Span(a.start, a.end),)) for a in found]
        pairs = matches(stated, [fact.stated for fact in one.facts], one.text)
        scored.append(Hits(one, found, dict(pairs)))
    return scored


def report(name: str, scored: list[Hits], *, with_errors: bool) -> None:
    """Print the scores of one extractor."""
    by_source: dict[str, list[Tally]] = defaultdict(list)
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for hits in scored:
        by_source[hits.one.source].append(hits.tally)
        for place, fact in enumerate(hits.one.facts):
            by_kind[fact.kind].append(place in hits.fact_of.values())
        if with_errors:
            print_errors(hits)
    print(f"{name:15} {summary([hits.tally for hits in scored])}")
    print(f"  not in the question: {summary([hits.fresh_tally for hits in scored])}")
    for source, tallies in sorted(by_source.items()):
        labelled = sum(tally.labelled for tally in tallies)
        print(f"    {source:32} F1 {scores(tallies).f1:.3f} of {labelled} facts")
    recalls = (f"{kind} {sum(hits)}/{len(hits)}" for kind, hits in sorted(by_kind.items()))
    print(f"    recall by kind: {', '.join(recalls)}")


def print_errors(hits: Hits) -> None:
    """List what was missed and what was found in vain."""
    for place, fact in enumerate(hits.one.facts):
        if place not in hits.fact_of.values():
            print(f"  missed  {hits.one.id}: {fact.stated.statement}")
    for place, annotation in enumerate(hits.found):
        if place not in hits.fact_of:
            print(f"  in vain {hits.one.id}: {annotation.statement}")


if __name__ == "__main__":
    main()
