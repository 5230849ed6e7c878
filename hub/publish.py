"""From a folder to the hub, or to another folder that holds exactly what the hub would get.

Everything that needs no network is done first: what travels is gathered, its sources' terms are
looked up, its texts are scanned. Then a person decides. Then the first byte is sent.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from ..outputs.folder import CARD
from ..schemas.errors import RunStopped, UsageError
from .contents import Publication, gathered
from .records import Layout, Plan, PushResult, SentFile
from .scan import scan
from .sending import send
from .target import Target, check_target
from .terms import check_sources, source_uses

OnPlan = Callable[[Plan], None]


def ignore_plan(plan: Plan) -> None:
    """Show nobody what is about to be sent."""


def push(
    folder: Path,
    repo_id: str,
    *,
    layout: Layout = "pr1",
    private: bool = True,
    revision: str | None = None,
    create_pr: bool = False,
    allow_sources: Collection[str] = (),
    allow_paths: bool = False,
    on_plan: OnPlan = ignore_plan,
    confirm: Callable[[], bool] = lambda: True,
    dry_run: bool = False,
) -> PushResult:
    """The folder's place on the hub, after its files were sent there; a second time, nothing is.

    Args:
        folder: the finished folder of a stage, or of `pr1 train`.
        repo_id: `owner/name`; made when it does not exist.
        layout: `perception-r1` writes a training set as that paper's authors do.
        private: make a private repository, and refuse an existing public one.
        revision: the branch to push to, made when it does not exist.
        create_pr: propose the change to the repository's owner.
        allow_sources: sources that are published though their terms forbid it.
        allow_paths: publish texts that name folders of a machine.
        on_plan: told what was found, before anything of it is refused.
        confirm: asked before the first byte is sent.
        dry_run: send nothing and ask nothing of the hub or of `confirm`; needs no token.

    Raises:
        UsageError: the folder cannot be published as it is, or the hub refuses it.
        ServiceDown: the hub cannot be reached or failed. Remedy: run the command again.
        RunStopped: `confirm` said no.
    """
    target = Target(repo_id, "dataset", private, revision, create_pr)
    check_target(target)
    with gathered(folder, layout) as publication:
        target = target._replace(kind=publication.kind)
        plan = _plan(publication, target)
        on_plan(plan)
        _check(plan, allow_sources, allow_paths=allow_paths)
        if dry_run:
            return PushResult(plan=plan, url=target.url, is_sent=False)
        if not confirm():
            raise RunStopped("Nothing was sent.")
        message = _message(publication)
        sent = send(target, publication.files, publication.replaced, message)
    return PushResult(
        plan=plan,
        url=target.url,
        is_sent=sent.is_new,
        commit=sent.commit,
        pull_request=sent.pull_request,
    )


def write(
    folder: Path,
    to: Path,
    *,
    layout: Layout = "pr1",
    allow_sources: Collection[str] = (),
    allow_paths: bool = False,
    on_plan: OnPlan = ignore_plan,
) -> Plan:
    """What was written to `to`: byte for byte what `push` would send. Needs no network.

    Raises:
        UsageError: the folder cannot be published as it is, or `to` holds something.
        RunStopped: the disk is full, or nobody may write there.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"--to {to}: something is there already. Name a new folder, or empty it.")
    with gathered(folder, layout) as publication:
        plan = _plan(publication, None)
        on_plan(plan)
        _check(plan, allow_sources, allow_paths=allow_paths)
        try:
            _copy(publication.files, to)
        except OSError as error:
            raise RunStopped(
                f"--to {to}: cannot be written ({error.strerror or error}). Make room, or name "
                "another folder."
            ) from error
    return plan


def _copy(files: Mapping[str, Path], to: Path) -> None:
    """The files in `to`, which comes into being when it is complete."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=to.parent, prefix=".pr1-to-") as made:
        whole = Path(made) / to.name
        for name, path in files.items():
            place = whole / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        if to.exists():
            to.rmdir()
        whole.replace(to)


def _plan(publication: Publication, target: Target | None) -> Plan:
    return Plan(
        kind=publication.kind,
        made_by=f"pr1 {publication.manifest.stage}",
        folder=str(publication.folder),
        repo_id=target.repo_id if target else None,
        url=target.url if target else None,
        private=target.private if target else True,
        revision=target.revision if target else None,
        create_pr=target.create_pr if target else False,
        rows=publication.rows,
        files=[SentFile(path=n, size=p.stat().st_size) for n, p in publication.files.items()],
        left=publication.left,
        license=_license(publication.files[CARD]),
        sources=source_uses(publication),
        findings=scan(publication.files),
    )


def _check(plan: Plan, allow_sources: Collection[str], *, allow_paths: bool) -> None:
    """Returns when nothing was found that stops a push; for a secret there is no way around.

    Raises:
        UsageError: a source's terms forbid it, or a text holds a secret or a local path.
    """
    check_sources(plan.sources, allow_sources)
    found = plan.findings
    if found.secrets:
        raise UsageError(
            f"{_first(plan, found.secrets)} Nothing was sent. Withdraw it where it was issued, "
            f"take it out of what {plan.folder} was made from, and make the folder again."
        )
    if found.local_paths and not allow_paths:
        raise UsageError(
            f"{_first(plan, found.local_paths)} Nothing was sent. Take it out, or, where it may be "
            "read by all, give --allow-paths."
        )


def _first(plan: Plan, count: int) -> str:
    one = plan.findings.shown[0]
    more = f", and {count - 1:,} more" if count > 1 else ""
    return f"{one.file}, {one.place}: holds {one.what} ({one.excerpt}){more}."


def _license(card: Path) -> list[str]:
    """The identifiers in the card's front matter, which a person may have edited."""
    parts = card.read_text(encoding="utf-8").split("---\n", 2)
    try:
        fields = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else {}
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"{card}: its front matter is no YAML ({reason}). Mend the lines between the two '---'."
        ) from error
    fields = fields if isinstance(fields, dict) else {}
    stated, called = fields.get("license", "unknown"), fields.get("license_name")
    identifiers = stated if isinstance(stated, list) else [stated]
    return [f"other ({called})" if it == "other" and called else str(it) for it in identifiers]


def _message(publication: Publication) -> str:
    manifest = publication.manifest
    if publication.kind == "model":
        return f"The model of a pr1 training run, {manifest.identity_hash[:8]}"
    return f"{publication.rows} rows of pr1 {manifest.stage}"
