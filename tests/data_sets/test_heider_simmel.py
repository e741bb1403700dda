"""The published facts of the two Heider-Simmel data sets, on the real files; and faults in files of that form."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import bgs
from bgs._errors import DataError
from bgs.datasets import Dataset, audit_dataset, load_dataset
from bgs.datasets.download import available_clips, card_folder, fetch
from bgs.datasets.heider_simmel import VERBS, clip_id, read_trials, read_verbs
from bgs.datasets.links import require_linkable
from bgs.datasets.registry import HEIDER_SIMMEL_TRIPLETS, HEIDER_SIMMEL_VERBS, REGISTRY
from bgs.embeddings import Embeddings
from bgs.evaluation import transfer
from bgs.judgments import PairCounts, human_rdm
from bgs.judgments.rated import hellinger_rdm
from bgs.judgments.trial_audit import Audit
from bgs.stimuli import StimulusSet
from bgs.stimuli.clip_files import require_files
from bgs.views.audit import audit_view
from bgs.views.console import as_text


@pytest.fixture(scope="module")
def triplets(mirror: Path) -> Dataset:
    return load_dataset("heider-simmel-triplets", mirror=mirror)


@pytest.fixture(scope="module")
def verbs(mirror: Path) -> Dataset:
    return load_dataset("heider-simmel-verbs", mirror=mirror)


@pytest.fixture(scope="module")
def found(triplets: Dataset) -> Audit:
    return audit_dataset(triplets)


def shares(stimuli: StimulusSet) -> np.ndarray:
    return np.column_stack([stimuli.ratings[verb] for verb in VERBS])


def test_cards_list_every_clip_with_its_hash() -> None:
    few, many = HEIDER_SIMMEL_TRIPLETS.clips, HEIDER_SIMMEL_VERBS.clips
    assert (len(few), len(many)) == (54, 1156)
    assert (sum(clip.size for clip in few), sum(clip.size for clip in many)) == (5_897_860, 194_830_308)
    assert {len(clip.sha256) for clip in (*few, *many)} == {64}
    assert len({clip.path for clip in (*few, *many)}) == 1210
    assert len({clip_id(clip.path) for clip in many}) == 1156
    assert {clip_id(clip.path) for clip in few} < {clip_id(clip.path) for clip in many}
    assert len(HEIDER_SIMMEL_VERBS.hashes) == 2
    assert HEIDER_SIMMEL_VERBS.to_json()["n_clips"] == 1156
    for card in (HEIDER_SIMMEL_TRIPLETS, HEIDER_SIMMEL_VERBS):
        assert "none stated" in card.licence
        assert "arXiv:2509.20673" in card.citation
        assert "Roemmele" in card.citation
    assert all(card.obtain_clips for card in REGISTRY.values())


@pytest.mark.real
def test_trials(found: Audit, triplets: Dataset) -> None:
    trials = triplets.need_trials()
    assert (found.rows, found.judgments, len(found.participants)) == (26_325, 26_325, 585)
    assert {person.rows for person in found.participants} == {45}
    assert found.attention.shown == 0
    assert (found.copies.rows, found.doubles.rows) == (0, 0)
    assert len(set(trials.triplet_codes.tolist())) == 12_808
    assert len(triplets.stimuli) == 54
    assert triplets.stimuli.split is None


@pytest.mark.real
def test_every_pair_was_observed(found: Audit, triplets: Dataset) -> None:
    assert (found.coverage["all"].pairs, found.coverage["all"].observed) == (1_431, 1_431)
    shown = PairCounts.from_trials(triplets.need_trials()).shown[np.triu_indices(54, 1)]
    assert (shown.min(), shown.max(), np.median(shown)) == (20, 96, 55)


@pytest.mark.real
def test_the_right_clip_is_chosen_more_often(found: Audit) -> None:
    left, middle, right = (slot.value for slot in found.odd_by_slot)
    assert (round(left, 2), round(middle, 2), round(right, 2)) == (0.29, 0.32, 0.39)
    assert found.odd_by_slot[2].low > 1 / 3 > found.odd_by_slot[0].high


@pytest.mark.real
def test_the_audit_shows_the_position_bias(found: Audit, triplets: Dataset) -> None:
    text = " ".join(as_text(audit_view(triplets, found)).split())
    for expected in ("585, with 45 to 45 trials", "39.2% [38.7%", "median 21.91 s", "no checks were shown"):
        assert expected in text


@pytest.mark.real
def test_response_times_are_differences_of_a_clock(found: Audit, triplets: Dataset) -> None:
    assert found.rt is not None
    assert found.rt.known == 26_325
    assert found.rt.median == pytest.approx(21.9, abs=0.05)
    trials = triplets.need_trials()
    first = trials.where(trials.participant == "1")
    assert first.rt[:3] == pytest.approx([21.897, 39.827 - 21.897, 58.96 - 39.827])


@pytest.mark.real
def test_verbs(verbs: Dataset) -> None:
    stimuli = verbs.stimuli
    assert verbs.trials is None
    assert (len(stimuli), stimuli.train.sum(), stimuli.test.sum()) == (1156, 1102, 54)
    raters = stimuli.ratings["n_raters"]
    assert (raters.min(), raters.max(), raters.sum()) == (37, 48, 49_776)
    np.testing.assert_allclose(shares(stimuli).sum(axis=1), 1)
    votes = shares(stimuli) * raters[:, None]
    np.testing.assert_allclose(votes, votes.round(), atol=1e-9)
    assert set(stimuli.labels["intended"]) == set(VERBS)
    chosen, intended = (np.array(stimuli.labels[name]) for name in ("verb", "intended"))
    assert (chosen == "").sum() == 78
    assert (chosen == intended).mean() == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.real
def test_the_test_clips_of_the_verbs_are_those_of_the_triplets(verbs: Dataset, triplets: Dataset) -> None:
    test = verbs.stimuli.subset(np.flatnonzero(verbs.stimuli.test))
    assert test.ids == triplets.stimuli.ids
    np.testing.assert_array_equal(shares(test), shares(triplets.stimuli))
    assert set(Counter(triplets.stimuli.labels["intended"]).values()) == {2}


@pytest.mark.real
def test_verbs_predict_choices(triplets: Dataset) -> None:
    pairs = np.triu_indices(54, 1)
    human = human_rdm(PairCounts.from_trials(triplets.need_trials()))
    rho = spearmanr(hellinger_rdm(shares(triplets.stimuli))[pairs], human[pairs])[0]
    assert rho == pytest.approx(0.581, abs=0.001)


@pytest.mark.real
def test_no_id_says_what_a_clip_shows(verbs: Dataset, triplets: Dataset) -> None:
    for stimuli in (verbs.stimuli, triplets.stimuli):
        assert all(name[:2] == "hs" and name[2:].isdecimal() for name in stimuli.ids)
        assert stimuli.captions is None


@pytest.mark.real
def test_a_sentence_encoder_has_nothing_to_read(triplets: Dataset, tiny_text: Path) -> None:
    from bgs.backbones import load_backbone

    with pytest.raises(DataError, match="54 of 54 stimuli have no caption: hs1012, "):
        load_backbone(f"text:{tiny_text}").prepare(triplets.stimuli)


@pytest.mark.real
def test_training_on_clips_of_the_triplets_is_known(verbs: Dataset, triplets: Dataset) -> None:
    """Half of the 54 clips are other files in the other data set (another size): ids tell, not bytes."""
    stimuli = triplets.stimuli
    hashes = {clip_id(clip.path): clip.sha256 for clip in HEIDER_SIMMEL_TRIPLETS.clips}
    trained = {clip_id(clip.path): clip.sha256 for clip in HEIDER_SIMMEL_VERBS.clips}
    assert sum(hashes[name] == trained[name] for name in stimuli.ids) == 27
    model = Embeddings(np.random.default_rng(0).normal(size=(54, 8)), stimuli.ids, "noise")

    def measure(ids: list[str]) -> list[str]:
        found = transfer(
            model, stimuli, VERBS, trained_on=ids, video_hashes=hashes,
            trained_hashes=[trained[name] for name in ids], resamples=100, permutations=0, most_triplets=1000,
        )  # fmt: skip
        overlap: list[str] = found.provenance["overlap"]
        return overlap

    ids = verbs.stimuli.ids
    assert measure([ids[i] for i in np.flatnonzero(verbs.stimuli.train)]) == []
    with pytest.raises(DataError, match="54 clips were used in training: hs1012, hs1051, hs1104 and 51 more"):
        measure(list(ids))


@pytest.mark.real
def test_training_from_verbs_leaves_the_54_clips_alone(verbs: Dataset) -> None:
    from bgs.runs.study import load_study
    from bgs.training import TrainingConfig

    ratings = {"columns": list(VERBS), "trials": 2000}
    config = TrainingConfig.model_validate({"model": "tiny-videomae", "data": verbs.name, "ratings": ratings})
    study = load_study(config, dataset=verbs)
    train, validation = study.to_train(config)
    used = np.concatenate([train, validation])
    assert sorted(used) == np.flatnonzero(verbs.stimuli.train).tolist()
    geometry = study.geometry(train)
    expected = hellinger_rdm(shares(verbs.stimuli)[geometry.positions])
    np.testing.assert_allclose(geometry.rdm, expected, atol=1e-12)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "rho", "accuracy"),
    [("motion:energy", 0.302, 0.409), ("pixels:grey", 0.358, 0.409), ("tiny-videomae", 0.224, 0.385)],
)
def test_frozen_encoders(triplets: Dataset, model: str, rho: float, accuracy: float) -> None:
    """As computed independently: centred, all 54 clips."""
    embeddings = bgs.load_model(model, device="cpu").embed(triplets)
    found = bgs.evaluate(embeddings, triplets, protocol="all", permutations=0)["all"].metrics
    assert found["rsa_spearman"].value == pytest.approx(rho, abs=0.01)
    assert found["odd_one_out_3afc"].value == pytest.approx(accuracy, abs=0.01)


@pytest.mark.real
def test_clips_of_a_mirror_are_at_hand(triplets: Dataset) -> None:
    require_files(triplets.stimuli)
    assert triplets.stimuli.videos is not None
    assert all(
        path is not None and clip_id(path.name) == name
        for name, path in zip(triplets.stimuli.ids, triplets.stimuli.videos, strict=True)
    )


@pytest.mark.real
def test_missing_clips_are_an_error_that_names_the_command(verbs: Dataset, mirror: Path) -> None:
    from bgs.backbones import load_backbone

    if verbs.stimuli.videos is None:
        for stimuli in (verbs.stimuli, verbs.stimuli.subset(np.arange(3))):
            message = (
                r"the clips are not on this machine .`bgs data fetch heider-simmel-verbs` downloads them"
            )
            with pytest.raises(DataError, match=message):
                load_backbone("motion:energy").prepare(stimuli)
    partly = replace(verbs.stimuli, videos=(None,) * len(verbs.stimuli))
    with pytest.raises(
        DataError, match=r"1156 of 1156 clips cannot be read: .*`bgs data fetch heider-simmel-verbs`"
    ):
        require_files(partly)


@pytest.mark.real
def test_a_mirror_without_the_clips(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables can be had without clips; asking for clips that the mirror lacks names the command that downloads them."""
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    table = HEIDER_SIMMEL_VERBS.files[0].path
    copy = tmp_path / "mirror" / HEIDER_SIMMEL_VERBS.folder / table
    copy.parent.mkdir(parents=True)
    copy.write_bytes((mirror / HEIDER_SIMMEL_VERBS.folder / table).read_bytes())
    assert load_dataset("heider-simmel-verbs", mirror=tmp_path / "mirror").stimuli.videos is None
    with pytest.raises(
        DataError, match=r"844_leave\.mp4: not in the mirror.*`bgs data fetch heider-simmel-verbs`, without"
    ):
        fetch(HEIDER_SIMMEL_VERBS, tmp_path / "mirror", clips=True)  # fmt: skip


@pytest.mark.real
def test_a_changed_clip_in_the_cache_is_an_error(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGS_CACHE", str(tmp_path))
    here = available_clips(HEIDER_SIMMEL_TRIPLETS, mirror)
    assert len(here) == 54
    next(iter(here.values())).write_bytes(b"changed")
    with pytest.raises(DataError, match=r"wrong SHA-256; .*`bgs data fetch heider-simmel-triplets`"):
        available_clips(HEIDER_SIMMEL_TRIPLETS, mirror)


def test_published_clips_are_not_linked() -> None:
    with pytest.raises(DataError, match=r"published, not linked .`bgs data fetch heider-simmel-verbs`"):
        require_linkable(HEIDER_SIMMEL_VERBS)
    require_linkable(REGISTRY["garcia-isik-2025"])


@pytest.mark.slow
@pytest.mark.real
def test_all_clips(all_heider_simmel_clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one of the 1,156 clips is the file that its card lists, and is found again without a mirror."""
    monkeypatch.setenv("BGS_CACHE", str(tmp_path))
    fetch(HEIDER_SIMMEL_VERBS, all_heider_simmel_clips, clips=True)
    monkeypatch.delenv("BGS_DATA_MIRROR", raising=False)
    stimuli = load_dataset("heider-simmel-verbs").stimuli
    require_files(stimuli)
    assert len(set(stimuli.videos or ())) == 1156
    assert card_folder(HEIDER_SIMMEL_VERBS).is_relative_to(tmp_path)
    contents = Counter(clip.sha256 for clip in HEIDER_SIMMEL_VERBS.clips)
    twins = [{clip_id(clip.path) for clip in HEIDER_SIMMEL_VERBS.clips if clip.sha256 == digest}
             for digest, number in contents.items() if number > 1]  # fmt: skip
    assert twins == [{"hs5666", "hs5667"}, {"hs6275", "hs6276"}]


def write_verbs(path: Path, rows: dict[str, list[float]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t")
        writer.writerow(["", *(verb.capitalize() for verb in VERBS)])
        writer.writerows([name, *cells] for name, cells in rows.items())
    return path


def row(**votes: int) -> list[float]:
    total = sum(votes.values())
    return [votes.get(verb, 0) / total for verb in VERBS]


def test_verbs_are_matched_by_number_and_votes_are_counted(tmp_path: Path) -> None:
    path = write_verbs(
        tmp_path / "v.csv", {"12_hug": row(hug=20, kiss=21), "7_chase": row(chase=19, follow=19, lead=1)}
    )
    stimuli = read_verbs(path, {"hs7": "chase", "hs12": "hug"})  # fmt: skip
    assert stimuli.ids == ("hs7", "hs12")
    assert stimuli.ratings["n_raters"].tolist() == [39, 41]
    assert stimuli.labels == {"verb": ("", "kiss"), "intended": ("chase", "hug")}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"12_hug": row(hug=41)}, "ratings of other clips; expected 2 clips, each once, got none of hs7"),
        ({"7_chase": row(hug=41), "7_hug": row(hug=41), "12_hug": row(hug=41)}, "a clip twice"),
        ({"12_hug": row(hug=20, kiss=17), "7_chase": row(hug=4, kiss=1, lead=98)}, "row 3, column 'accompany': not shares of"),
    ],
)  # fmt: skip
def test_verb_tables_that_contradict_themselves(
    tmp_path: Path, rows: dict[str, list[float]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_verbs(write_verbs(tmp_path / "v.csv", rows), {"hs7": "chase", "hs12": "hug"})


TRIAL = {"subjNum": "5", "exptVer": "1", "trialIndex": "0", "choicePos": "right", "rt": "4.5",
         "options": "['1_hug', '2_talk to', '3_hit']", "choice": "3_hit"}  # fmt: skip


def write_trials(path: Path, *changes: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(TRIAL), delimiter=";")
        writer.writeheader()
        writer.writerows(TRIAL | change for change in changes)
    return path


KNOWN = StimulusSet(ids=("hs1", "hs2", "hs3"))


def test_trials_in_any_order(tmp_path: Path) -> None:
    later = {"trialIndex": "1", "choice": "1_hug", "choicePos": "left", "rt": "6"}
    trials = read_trials(write_trials(tmp_path / "t.csv", later, {}, {"subjNum": "6", "rt": "9"}), KNOWN)
    assert trials.stimuli.tolist() == [[0, 1, 2]] * 3
    assert trials.odd.tolist() == [0, 2, 2]
    assert trials.rt.tolist() == [1.5, 4.5, 9]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"choicePos": "left"}, "row 2, column 'choicePos': the odd one is not in its position; expected the place of 3_hit"),
        ({"choice": "4_hit"}, "the odd one is not in its position"),
        ({"options": "['1_hug', '2_talk to']"}, "row 2, column 'options': not a trial"),
        ({"options": "['1_hug', '2_talk to', '9_hit']"}, "expected a list of three known clips"),
        ({"options": "__import__('os')"}, "not a trial"),
        ({"options": "[1, 2, 3]"}, "not a trial"),
        ({"options": "7"}, "not a trial"),
    ],
)  # fmt: skip
def test_trials_that_contradict_themselves(tmp_path: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_trials(write_trials(tmp_path / "t.csv", change), KNOWN)


def test_a_clock_that_goes_back(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="elapsed time decreases"):
        read_trials(write_trials(tmp_path / "t.csv", {}, {"trialIndex": "1", "rt": "4"}), KNOWN)
