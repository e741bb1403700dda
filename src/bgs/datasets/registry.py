"""The named public data sets: authors, terms of use, and size and SHA-256 of every file."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import resources
from typing import Any

from bgs._files import sha256_of

#: The server for files at a pinned commit of the authors' repositories.
RAW_HOST = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class RemoteFile:
    """One file: path inside the repository, SHA-256 (hexadecimal) and size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class DatasetCard:
    """Metadata of a data set, available before it is fetched.

    Attributes:
        name: the name under which it is loaded.
        description: its contents in a few sentences: counts and columns.
        stimuli, trials: their numbers; 0 trials if it has none.
        owner, repo, commit: the authors' repository at one commit.
        files: the files to fetch.
        licence: terms of use.
        citation: what to cite.
        clip_seconds: how long each of its clips lasts; None where they differ.
        clip_folder: folder of the repository with its clips, "" if the authors publish none.
        clip_manifest: packaged table of the files in ``clip_folder``: their names, sizes and SHA-256.
        obtain_clips: how to obtain its clips, a clause for error messages.
    """

    name: str
    description: str
    stimuli: int
    trials: int
    owner: str
    repo: str
    commit: str
    files: tuple[RemoteFile, ...]
    licence: str
    citation: str
    clip_seconds: float | None = None
    clip_folder: str = ""
    clip_manifest: str = ""
    obtain_clips: str | None = None

    @cached_property
    def clips(self) -> tuple[RemoteFile, ...]:
        """Every clip that the authors publish; fetched only on request."""
        if not self.clip_manifest:
            return ()
        text = resources.files("bgs.datasets").joinpath(self.clip_manifest).read_text(encoding="utf-8")
        return tuple(
            RemoteFile(f"{self.clip_folder}/{row['file']}", row["sha256"], int(row["bytes"]))
            for row in csv.DictReader(text.splitlines())
        )

    @property
    def folder(self) -> str:
        """``<owner>/<repo>/<commit>``: the folder of its files in a mirror and in the cache."""
        return f"{self.owner}/{self.repo}/{self.commit}"

    @property
    def source(self) -> str:
        """The URL of its files."""
        return f"{RAW_HOST}/{self.folder}"

    @property
    def size(self) -> int:
        """Bytes of all files and clips."""
        return sum(file.size for file in (*self.files, *self.clips))

    @property
    def hashes(self) -> dict[str, str]:
        """File path -> SHA-256; published clips have one entry, over the hashes of all of them."""
        hashes = {file.path: file.sha256 for file in self.files}
        if self.clips:
            hashes[f"{self.clip_folder}/"] = sha256_of(*(clip.sha256 for clip in self.clips))
        return hashes

    def to_json(self) -> dict[str, Any]:
        """JSON types only, with source, size and the number of published clips."""
        return {**asdict(self), "source": self.source, "size": self.size, "n_clips": len(self.clips)}


GARCIA_ISIK = DatasetCard(
    name="garcia-isik-2025",
    description=(
        "Odd-one-out judgments of 250 three-second clips of everyday social actions (200 train, 50 test) by 215 "
        "people. Trials: participation (participant), task (block), trial, three clips, choice (the odd one), "
        "response_time (s). Clips: 11 ratings in 0–1 (indoor, expanse, object, agent_distance, facingness, "
        "joint_action, communication, valence, arousal, intimacy, dominance) and 5–11 captions each. Also "
        "the authors' own splits, pair counts and similarity matrices, which the audit compares with the trials. "
        "The clips themselves (Moments in Time) are licensed and not included."
    ),
    stimuli=250,
    trials=49_484,
    owner="garciakathy",
    repo="similarity-judgments-finetuning",
    commit="093ffeaf9e03fcf18ef2e78708ab9356bca76137",
    files=(
        RemoteFile(
            "data/interim/similarity/all_triplets.csv",
            "46b88e5921ed1f032dc97f05d24cbd2bf71a783ba9deca91593b8900ee62444e",
            2_929_807,
        ),
        RemoteFile(
            "data/interim/similarity/train_triplets.csv",
            "3f23d14e3ab380ec001e7eff606910dffee81ce2018b01993f68ad805e0d5bec",
            1_568_272,
        ),
        RemoteFile(
            "data/interim/similarity/test_triplets.csv",
            "36e824355097220ee0a599be47fcf4c93adabbeb8e1928e59fe2e35715a21115",
            23_913,
        ),
        RemoteFile(
            "data/interim/similarity/sim_judg_train_rsm.csv",
            "1ad99dc769f412058ea66ee57564577d785680f7450c9359e957335fba46dd00",
            285_326,
        ),
        RemoteFile(
            "data/interim/similarity/sim_judg_test_rsm.csv",
            "ed0793be6855b51a153a0a7c487921ee130f75452b558a77f6941d55d6e7f0b7",
            11_374,
        ),
        RemoteFile(
            "data/interim/similarity/count_df_train.csv",
            "2d07b7f003e5cb60d1de9181b49bd79704f0917e5fa024774d0f177e648e3d38",
            251_034,
        ),
        RemoteFile(
            "data/interim/similarity/test_df_counts.csv",
            "1964c414b0e96c60abff6ee95012a48d55c15a4d5d615bf6d116c61e85c112e9",
            250_892,
        ),
        RemoteFile(
            "data/raw/utils/video_mapping.csv",
            "0046233770e29c6ae6f4c96f4a48395796166659c69ea69b9d3a6a2f1cbe7c05",
            7_626,
        ),
        RemoteFile(
            "data/raw/utils/annotations.csv",
            "b3c01bddd58d1d569e97470ccb68f2290fe1e3c46af01453653d5c87757343ad",
            120_631,
        ),
        RemoteFile(
            "data/raw/utils/train.csv",
            "c027e8ae031a86599be5300a78841d26262d9a5af967865a26e5b96993b5e7d7",
            5_320,
        ),
        RemoteFile(
            "data/raw/utils/test.csv",
            "829bea2088a70e3db78e2d7af3f9a46ea402c10c400500f536268edf402973d1",
            1_600,
        ),
    ),
    licence="no licence file: cite, fetch from the authors' repository, do not redistribute",
    citation=(
        "Garcia, K. & Isik, L. Behavioral Geometric Supervision Aligns Video Foundation Models with Human Social "
        "Perception. arXiv:2510.01502."
    ),
    clip_seconds=3.0,
    obtain_clips="`bgs data link garcia-isik-2025 --videos FOLDER` finds your copies",
)

PHASE_GENSET = DatasetCard(
    name="phase-genset",
    description=(
        "PHASE generalisation set: 100 animations of two agents and two objects in a walled two-dimensional world, "
        "each judged friendly, neutral or adversarial by 13–30 people. Per clip: trajectories "
        "(4 entities × 33–101 frames), radii, colours, walls, landmarks, goals, and the majority judgment "
        "(37 friendly, 27 neutral, 36 adversarial). No odd-one-out trials."
    ),
    stimuli=100,
    trials=0,
    owner="Isik-lab",
    repo="SocialGNN",
    commit="a8945fb7dbc19eceb5d61984fd000d1fe770b953",
    files=(
        RemoteFile(
            "PHASE/Videos_Test_humanratings",
            "e08b30fe34057e25f5bba8f036dce959d217b24ae96374a54d6e7dfb966dbb61",
            1_476_079,
        ),
        RemoteFile(
            "PHASE/Human_Experiment_Files/human_rating_labels_genset",
            "0eeb6f97acb7f1a5a9b5850dbc7e74fd9c2b879127a6da3db749045bd3da9a7d",
            19_350,
        ),
        RemoteFile(
            "LICENSE",
            "12d08f5b45e36b3cccdd15890864c0f19dfeacf5fe5d525120f7a1621bff0b43",
            1_065,
        ),
    ),
    licence="MIT",
    citation=(
        "Netanyahu, A., Shu, T., Katz, B., Barbu, A. & Tenenbaum, J. B. PHASE: PHysically-grounded Abstract Social "
        "Events for Machine Social Perception. AAAI 2021. Human ratings: Malik, M. & Isik, L. Relational visual "
        "representations underlie human social interaction recognition. Nature Communications 14, 7317 (2023)."
    ),
    obtain_clips="`bgs data fetch phase-genset` renders them",
)

_HEIDER_SIMMEL_CITATION = (
    "Yun, Y. & Lu, H. Human Semantic Representations of Social Interactions from Moving Shapes. arXiv:2509.20673 "
    "(2025). Animations: Roemmele, M., Morgens, S., Gordon, A. & Morency, L. Recognizing Human Actions in the Motion "
    "Trajectories of Shapes. Proceedings of ACM Intelligent User Interfaces (2016)."
)
_VERB_SHARES = RemoteFile(
    "human/behavioralExpDataAndAnalysis/exp1/732subj_response_distributions.csv",
    "4eb62bb9f1089b1c2405069d12574c42ac0a5837983f3a149744712c9cd6e71a",
    400_096,
)

HEIDER_SIMMEL_TRIPLETS = DatasetCard(
    name="heider-simmel-triplets",
    description=(
        "Odd-one-out judgments of 54 animations of two moving triangles, two for each of 27 intended verbs, by 585 "
        "people (45 trials each, no attention checks). Trials: participant, version of the experiment, trial, three "
        "clips in the order shown, the odd one, response time (s). Clips: 1.0–10.5 s at 50 frames per second; the "
        "shares of 32 verbs that other people chose for each (see heider-simmel-verbs). No captions, no split."
    ),
    stimuli=54,
    trials=26_325,
    owner="yiling-yun",
    repo="latent-force-model-project",
    commit="44a42f81b3bd4f3c466d4a0b2b4e03405e955651",
    files=(
        RemoteFile(
            "human/behavioralExpDataAndAnalysis/exp2/585subj_cleaned_trial_HSvideo.csv",
            "8c779ae8f4b33894b34d1b08e648e1ef6601ec8f0d13c5dba780273b9e76af63",
            3_827_915,
        ),
        _VERB_SHARES,
    ),
    licence="none stated: cite, fetch from the authors' repository, do not redistribute, publish no frames",
    citation=_HEIDER_SIMMEL_CITATION,
    clip_folder="human/behavioralExpCode/exp2/offdiagonal/stim/54movies",
    clip_manifest="heider_simmel_triplets_clips.csv",
    obtain_clips="`bgs data fetch heider-simmel-triplets` downloads them",
)

HEIDER_SIMMEL_VERBS = replace(
    HEIDER_SIMMEL_TRIPLETS,
    name="heider-simmel-verbs",
    description=(
        "1,156 animations of two moving triangles and how 732 people described them: for each clip, the shares of "
        "its 37–48 raters who chose each of 32 verbs (49,776 responses). The 54 clips of heider-simmel-triplets are "
        "the test split, the other 1,102 the training split. No odd-one-out trials, no captions."
    ),
    stimuli=1156,
    trials=0,
    files=(_VERB_SHARES,),
    clip_folder="human/behavioralExpCode/exp1/stim/1156movies",
    clip_manifest="heider_simmel_verbs_clips.csv",
    obtain_clips="`bgs data fetch heider-simmel-verbs` downloads them",
)

REGISTRY = {
    card.name: card for card in (GARCIA_ISIK, PHASE_GENSET, HEIDER_SIMMEL_TRIPLETS, HEIDER_SIMMEL_VERBS)
}
