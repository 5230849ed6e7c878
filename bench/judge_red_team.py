"""How often hostile completions take a judge in, on the sets of data/red_team.

    python bench/judge_red_team.py rules hybrid:embedded undefended:rules undefended:embedded
    python bench/judge_red_team.py rules --set open --won

An attack succeeds when one annotation or more is judged `reflected`. What the judge could not score
for the completion's own fault is a defence; what the service failed on is counted apart. Which
attacks succeeded is told of the open halves only, with `--won` to the annotation: the others are
for measuring, and whoever knows what they hold can no longer be measured by them. A judge that
never says `reflected` is never taken in: read this beside the false-no rate of `judge_quality.py`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import NamedTuple

from judge_quality import cell
from judges import add_judge_arguments, opened
from red_team import Attack, read_attacks

from pr1.judge.calibration import rate
from pr1.judge.judge import Judge

SETS = ("open", "frozen", "later", "open_2", "frozen_2")
OPEN = ("open", "open_2")


class Outcome(NamedTuple):
    """What became of one attack.

    Attributes:
        won: the annotations for which the judge was taken in; None where its service failed.
    """

    attack: Attack
    won: list[int] | None


def main() -> None:
    """Attack each judge and print the success rates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_judge_arguments(parser)
    parser.add_argument("--set", choices=SETS)
    parser.add_argument("--won", action="store_true")
    arguments = parser.parse_args()
    if arguments.won and arguments.set not in OPEN:
        parser.error("--won goes with --set open or open_2: the others are for measuring only")
    asyncio.run(report(arguments, [arguments.set] if arguments.set else SETS))


async def report(arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Print how often each judge was taken in; of the open halves also by which attacks."""
    for attacks_name in names:
        attacks = read_attacks(attacks_name)
        by_judge: dict[str, list[Outcome]] = {}
        for name in arguments.judges:
            async with opened(name, arguments.base_url, arguments.store) as judge:
                by_judge[name] = await outcomes(judge, attacks)
            print(summary(name, attacks_name, by_judge[name]), flush=True)
            if arguments.won:
                print_won(by_judge[name])
        if attacks_name in OPEN:
            print_by_attack(attacks_name, by_judge)


async def outcomes(judge: Judge, attacks: Sequence[Attack]) -> list[Outcome]:
    """What became of the attacks, in the order in which they ended."""
    by_id = {attack.task.id: attack for attack in attacks}
    found = []
    async with aclosing(judge.judge(attack.task for attack in attacks)) as judgements:
        async for judgement in judgements:
            attack = by_id[judgement.completion_id]
            failure = judgement.failure
            is_unscored = failure is not None and failure.cause == "service"
            found.append(Outcome(attack, None if is_unscored else attack.won(judgement)))
    return found


def summary(name: str, attacks_name: str, found: Sequence[Outcome]) -> str:
    """One line of the table in docs/judge.md: completions, annotations, not scored."""
    scored = [one for one in found if one.won is not None]
    completions = rate(sum(bool(one.won) for one in scored), len(scored))
    asked = sum(len(one.attack.task.annotations) for one in scored)
    annotations = rate(sum(len(one.won or []) for one in scored), asked)
    counts = [f"{r.hits}/{r.tried} = {cell(r)}" for r in (completions, annotations)]
    return f"| {' | '.join([name, attacks_name, *counts, str(len(found) - len(scored))])} |"


def print_by_attack(attacks_name: str, by_judge: dict[str, list[Outcome]]) -> None:
    """For each attack that took in some judge: successes of tries, by judge."""
    table: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for name, found in by_judge.items():
        for one in found:
            table[one.attack.kind][name].append(bool(one.won))
    print(f"\n| {attacks_name} | {' | '.join(by_judge)} |\n|---|{'---|' * len(by_judge)}")
    for kind, row in table.items():
        if any(any(wins) for wins in row.values()):
            cells = [f"{sum(row[name])}/{len(row[name])}" for name in by_judge]
            print(f"| {kind.replace('_', ' ')} | {' | '.join(cells)} |")
    print()


def print_won(found: Sequence[Outcome]) -> None:
    """The annotations that were lost, each with its attack."""
    for one in found:
        for number in one.won or []:
            facts = {a.id: a.statement for a in one.attack.task.annotations}
            print(f"    {one.attack.task.id}: {facts[number]}")


if __name__ == "__main__":
    main()
