"""Pushing to a hub on this machine, with the real client."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from fake_hub import TOKEN, Branch, FakeHub, Repository
from huggingface_hub import DatasetCard
from published_sets import train_row, train_set, trained_model

from pr1.hub import PushResult, push, write
from pr1.schemas.errors import RunStopped, ServiceDown, UsageError

# The client's older upload protocol, which is the one that a loopback server can answer.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "lab/geometry"
PUBLISHED = ["README.md", "data/train-00000-of-00001.parquet", "manifest.json"]
MODEL = [
    "README.md",
    "chat_template.jinja",
    "config.json",
    "curves/evaluation.png",
    "manifest.json",
    "model.safetensors",
    "tokenizer.json",
]


def without_digests(paths: Iterable[str]) -> list[str]:
    """The paths in order, shards without the digest in their names."""
    return sorted(re.sub(r"-[0-9a-f]{8}\.parquet$", ".parquet", path) for path in paths)


def planned(result: PushResult) -> list[str]:
    return without_digests(file.path for file in result.plan.files)


def assert_no_secret_travelled(hub: FakeHub) -> None:
    everything = b"".join([*hub.bodies, *hub.objects.values()])
    assert b"secret-" not in everything
    for before, inside in ((b"", slice(9)), (b"x", slice(2, 10)), (b"xx", slice(3, 12))):
        assert base64.b64encode(before + b"secret-")[inside] not in everything
    assert TOKEN.encode() not in everything


def test_only_the_card_the_rows_and_the_manifest_travel(hub: FakeHub, tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    result = push(folder, REPO)
    repository = hub.repositories[REPO]
    assert without_digests(repository.files) == PUBLISHED
    for name, content in repository.files.items():
        assert content == (folder / name).read_bytes()
    assert repository.private is True
    assert repository.kind == "dataset"
    assert result.is_sent
    assert result.url == f"{hub.endpoint}/datasets/{REPO}"
    assert result.commit == f"{hub.endpoint}/datasets/{REPO}/commit/{1:040}"
    assert sum(f.size for f in result.plan.files) == sum(map(len, repository.files.values()))
    assert {".pr1/", "data/other.csv", "dropped.jsonl", "notes.txt"} <= set(result.plan.left)
    assert_no_secret_travelled(hub)


def test_of_a_model_its_own_files_and_its_curves_travel(hub: FakeHub, tmp_path: Path) -> None:
    result = push(trained_model(tmp_path / "RUN"), REPO)
    repository = hub.repositories[REPO]
    assert repository.kind == "model"
    assert sorted(repository.files) == MODEL
    assert repository.files["model.safetensors"] == b"weights"
    assert result.url == f"{hub.endpoint}/{REPO}"
    assert {"checkpoints/", "completions/", "evaluation/", "model/optimizer.pt"} <= set(
        result.plan.left
    )
    assert_no_secret_travelled(hub)


def test_what_was_pushed_is_what_to_writes(hub: FakeHub, tmp_path: Path) -> None:
    for name, folder in {
        "set": train_set(tmp_path / "OUT"),
        "model": trained_model(tmp_path / "RUN"),
    }.items():
        push(folder, f"lab/{name}")
        write(folder, tmp_path / name)
        written = {
            path.relative_to(tmp_path / name).as_posix(): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        assert written == hub.repositories[f"lab/{name}"].files


def test_the_paths_sent_are_those_of_the_dry_run(hub: FakeHub, tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    dry = push(folder, REPO, dry_run=True)
    assert hub.requests == []
    assert (dry.is_sent, dry.commit, dry.plan.private) == (False, None, True)
    assert planned(dry) == PUBLISHED
    assert dry.plan == push(folder, REPO).plan
    assert hub.commits == 1


@pytest.mark.parametrize("make", [train_set, trained_model])
def test_a_second_push_sends_nothing_and_says_so(hub: FakeHub, tmp_path: Path, make: Any) -> None:
    folder = make(tmp_path / "OUT")
    first = push(folder, REPO)
    hub.requests.clear()
    second = push(folder, REPO)
    assert hub.commits == 1
    assert hub.asked("/commit/") == hub.asked("/preupload/") == hub.asked("lfs") == 0
    assert (second.is_sent, second.commit) == (False, first.commit)


def test_pushing_a_changed_set_replaces_its_shards(hub: FakeHub, tmp_path: Path) -> None:
    push(train_set(tmp_path / "OUT"), REPO)
    hub.repositories[REPO].files["data/extra.txt"] = b"the owner's"
    changed = train_set(tmp_path / "OUT", train_row(5))
    assert push(changed, REPO).is_sent
    assert without_digests(hub.repositories[REPO].files) == sorted([*PUBLISHED, "data/extra.txt"])
    assert hub.commits == 2


def test_pushing_a_changed_model_replaces_its_weights(hub: FakeHub, tmp_path: Path) -> None:
    folder = trained_model(tmp_path / "RUN")
    push(folder, REPO)
    (folder / "model/model.safetensors").rename(folder / "model/model-00001-of-00001.safetensors")
    push(folder, REPO)
    weights = [name for name in hub.repositories[REPO].files if name.endswith(".safetensors")]
    assert weights == ["model-00001-of-00001.safetensors"]


def test_a_public_repository_is_not_filled_by_default(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories[REPO] = Repository("dataset", private=False)
    folder = train_set(tmp_path / "OUT")
    with pytest.raises(UsageError, match=r"exists and is public.*--public"):
        push(folder, REPO)
    assert hub.repositories[REPO].files == {}
    push(folder, REPO, private=False)
    assert without_digests(hub.repositories[REPO].files) == PUBLISHED


def test_public_is_made_public(hub: FakeHub, tmp_path: Path) -> None:
    push(train_set(tmp_path / "OUT"), REPO, private=False)
    assert hub.repositories[REPO].private is False


def test_a_branch_is_made_and_the_main_one_left_alone(hub: FakeHub, tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    push(folder, REPO, revision="v2/beta")
    branches = hub.repositories[REPO].branches
    assert without_digests(branches["v2/beta"].files) == PUBLISHED
    assert branches["main"].files == {}
    assert not push(folder, REPO, revision="v2/beta").is_sent
    assert push(folder, REPO).is_sent


def test_a_pull_request_is_opened_once(hub: FakeHub, tmp_path: Path) -> None:
    theirs = "others/set"
    hub.repositories[theirs] = Repository("dataset", private=False)
    folder = train_set(tmp_path / "OUT")
    first = push(folder, theirs, private=False, create_pr=True)
    assert first.pull_request == f"{hub.endpoint}/datasets/{theirs}/discussions/1"
    assert first.is_sent
    assert hub.repositories[theirs].files == {}
    assert without_digests(hub.repositories[theirs].branches["refs/pr/1"].files) == PUBLISHED
    second = push(folder, theirs, private=False, create_pr=True)
    assert (second.is_sent, second.pull_request) == (False, first.pull_request)
    assert hub.asked("/api/repos/create") == 0
    push(train_set(tmp_path / "OUT", train_row(9)), theirs, private=False, create_pr=True)
    assert len(hub.repositories[theirs].pull_requests) == 2


def test_nothing_can_be_proposed_to_what_is_not_there(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no dataset lab/geometry.*without --create-pr"):
        push(train_set(tmp_path / "OUT"), REPO, create_pr=True)


def test_a_proposal_to_a_branch_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave out --revision"):
        push(tmp_path / "none", REPO, create_pr=True, revision="v2")


def test_what_is_not_confirmed_is_not_sent(hub: FakeHub, tmp_path: Path) -> None:
    plans: list[Any] = []
    with pytest.raises(RunStopped, match="Nothing was sent"):
        push(train_set(tmp_path / "OUT"), REPO, on_plan=plans.append, confirm=lambda: False)
    assert hub.requests == []
    assert plans[0].repo_id == REPO


def test_without_a_token_nothing_is_asked(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    folder = train_set(tmp_path / "OUT")
    assert not push(folder, REPO, dry_run=True).is_sent
    with pytest.raises(UsageError, match=r"hf auth login.*HF_TOKEN"):
        push(folder, REPO)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("part", "status", "error", "message"),
    [
        ("/api/repos/create", 401, UsageError, "does not accept the token"),
        ("/api/repos/create", 403, UsageError, "may not write to lab/geometry"),
        ("/api/repos/create", 400, UsageError, r"refused lab/geometry \(400\)"),
        ("/api/datasets/lab/geometry", 500, ServiceDown, r"could not take lab/geometry \(500\)"),
        ("/preupload/", 403, UsageError, "may not write to lab/geometry"),
        ("/preupload/", 413, UsageError, r"refused lab/geometry \(413\)"),
        ("/preupload/", 429, ServiceDown, r"could not take lab/geometry \(429\)"),
        ("/info/lfs/", 502, ServiceDown, r"could not take lab/geometry \(502\)"),
        ("/lfs/", 403, UsageError, "may not write to lab/geometry"),
        ("/lfs/", 503, ServiceDown, r"could not take lab/geometry \(503\)"),
        ("/commit/", 403, UsageError, "may not write to lab/geometry"),
        ("/commit/", 409, ServiceDown, "Somebody else changed lab/geometry"),
        ("/commit/", 412, ServiceDown, "Somebody else changed lab/geometry"),
        ("/commit/", 429, ServiceDown, r"could not take lab/geometry \(429\)"),
        ("/commit/", 500, ServiceDown, r"could not take lab/geometry \(500\)"),
    ],
)
def test_what_the_hub_refuses_is_explained(
    hub: FakeHub, tmp_path: Path, part: str, status: int, error: type[Exception], message: str
) -> None:
    hub.fail(part, status)
    with pytest.raises(error, match=message) as caught:
        push(train_set(tmp_path / "OUT"), REPO)
    assert all(it.files == {} for it in hub.repositories.values())
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_token_is_the_users_to_mend(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "W2" * 17)
    with pytest.raises(UsageError, match="does not accept the token") as caught:
        push(train_set(tmp_path / "OUT"), REPO)
    assert "W2W2" not in str(caught.value)


def test_a_repository_that_is_not_ours(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["others/set"] = Repository("dataset", private=True)
    with pytest.raises(UsageError, match=r"may not write to others/set.*--create-pr"):
        push(train_set(tmp_path / "OUT"), "others/set")
    assert hub.repositories["others/set"].files == {}


def test_a_hiccup_is_got_over(hub: FakeHub, tmp_path: Path) -> None:
    hub.fail("/preupload/", 503, times=2)
    hub.cut("/lfs/", times=2)
    assert push(train_set(tmp_path / "OUT"), REPO).is_sent
    assert without_digests(hub.repositories[REPO].files) == PUBLISHED


def test_an_upload_that_was_cut_goes_on(hub: FakeHub, tmp_path: Path) -> None:
    folder = trained_model(tmp_path / "RUN")
    (folder / "model/more.safetensors").write_text("more weights")
    first, second = folder / "curves/evaluation.png", folder / "model/more.safetensors"
    hub.cut(f"/lfs/{hashlib.sha256(second.read_bytes()).hexdigest()}")
    with pytest.raises(ServiceDown, match="run the command again; what arrived is not sent twice"):
        push(folder, REPO)
    assert hub.repositories[REPO].files == {}
    arrived = hashlib.sha256(first.read_bytes()).hexdigest()
    assert arrived in hub.objects
    hub.mend()
    hub.requests.clear()
    assert push(folder, REPO).is_sent
    assert hub.asked(f"/lfs/{arrived}") == 0
    assert hub.repositories[REPO].files["more.safetensors"] == b"more weights"


def test_two_pushes_at_once_do_not_mix(hub: FakeHub, tmp_path: Path) -> None:
    def meanwhile(repository: Repository) -> None:
        repository.branches["main"] = Branch({"README.md": b"theirs"}, "9" * 40)

    hub.before_commit = meanwhile
    with pytest.raises(ServiceDown, match="Somebody else changed lab/geometry"):
        push(train_set(tmp_path / "OUT"), REPO)
    assert hub.repositories[REPO].files == {"README.md": b"theirs"}


def test_a_rejected_card_is_explained_before_anything_is_uploaded(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.rejects_card = '"license" must be one of [mit]'
    with pytest.raises(UsageError, match=r'rejects the card \("license" must be one of') as error:
        push(train_set(tmp_path / "OUT"), REPO)
    assert "\n" not in str(error.value)
    assert hub.objects == {}
    assert hub.repositories[REPO].files == {}


def test_what_the_hub_finds_odd_is_said(
    hub: FakeHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub.warns_of_card = "an odd tag"
    assert push(train_set(tmp_path / "OUT"), REPO).is_sent
    assert "an odd tag" in caplog.text


def test_what_a_gitignore_keeps_out_is_said(hub: FakeHub, tmp_path: Path) -> None:
    hub.ignored = ("data/",)
    with pytest.raises(UsageError, match=r"left out data/train-.*\.gitignore of lab/geometry"):
        push(train_set(tmp_path / "OUT"), REPO)


def test_a_client_that_is_told_to_stay_offline_says_so(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ServiceDown, match="HF_HUB_OFFLINE"):
        push(train_set(tmp_path / "OUT"), REPO)
    assert hub.requests == []


def test_no_connection_is_a_service_that_is_down(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ServiceDown, match="Check the connection"):
        push(train_set(tmp_path / "OUT"), REPO)


@pytest.mark.parametrize(
    "repo_id",
    [
        "",
        "geometry",
        "a/b/c",
        "lab/geo metry",
        "lab/.geo",
        "datasets/lab/x",
        "lab/x--y",
        "../x",
        "https://huggingface.co/datasets/lab/x",
        "lab/" + "x" * 97,
        "lab/x\n",
    ],
)
def test_a_bad_repository_id_is_refused_first(tmp_path: Path, repo_id: str) -> None:
    with pytest.raises(UsageError, match="owner/name"):
        push(tmp_path / "none", repo_id, dry_run=True)


def dry(folder: Path) -> PushResult:
    return push(folder, REPO, dry_run=True)


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        dry(tmp_path / "none")
    with pytest.raises(UsageError, match="no pr1 command made it"):
        dry(tmp_path)
    folder = train_set(tmp_path / "OUT")
    (folder / "manifest.json").rename(folder / "aside.json")
    (folder / ".pr1" / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="is unfinished"):
        dry(folder)
    (folder / "aside.json").rename(folder / "manifest.json")
    (rows,) = (folder / "data").glob("train-*.parquet")
    rows.rename(folder / "data" / "aside")
    with pytest.raises(UsageError, match="does not hold the 2 rows"):
        dry(folder)
    rows.write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="cannot be read"):
        dry(folder)
    rows.unlink()
    (folder / "data" / "aside").rename(rows)
    (folder / "README.md").write_text("---\nlicense: [\n---\n")
    with pytest.raises(UsageError, match="front matter is no YAML"):
        dry(folder)
    (folder / "README.md").unlink()
    with pytest.raises(UsageError, match=r"has lost its README\.md"):
        dry(folder)


def test_a_model_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = trained_model(tmp_path / "RUN")
    (folder / "model/model.safetensors").rename(folder / "model/pytorch_model.bin")
    with pytest.raises(UsageError, match=r"no weights as \.safetensors"):
        dry(folder)
    (folder / "model/config.json").unlink()
    with pytest.raises(UsageError, match=r"no config\.json"):
        dry(folder)


def test_to_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunStopped, match="cannot be written"):
        write(train_set(tmp_path / "OUT"), tmp_path / "file" / "to")


def test_a_models_card_that_a_person_wrote_is_sent_as_it_is(hub: FakeHub, tmp_path: Path) -> None:
    folder = trained_model(tmp_path / "RUN")
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: ours\n---\n# Ours\n")
    result = push(folder, REPO)
    assert hub.repositories[REPO].files["README.md"].endswith(b"# Ours\n")
    assert result.plan.license == ["other (ours)"]


def test_nothing_is_overwritten_by_to(tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    with pytest.raises(UsageError, match="something is there already"):
        write(folder, folder)
    (tmp_path / "empty").mkdir()
    write(folder, tmp_path / "empty")
    assert DatasetCard.load(tmp_path / "empty" / "README.md").data.license == "mit"
