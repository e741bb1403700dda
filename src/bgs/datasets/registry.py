"""The named public data sets: authors, terms of use, and size and SHA-256 of every file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

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
        clip_seconds: duration of every clip; None if they differ.
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
        """Total size of its files in bytes."""
        return sum(file.size for file in self.files)

    @property
    def hashes(self) -> dict[str, str]:
        """File path -> SHA-256."""
        return {file.path: file.sha256 for file in self.files}

    def to_json(self) -> dict[str, Any]:
        """JSON types only, including source and size."""
        return {**asdict(self), "source": self.source, "size": self.size}


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
)

REGISTRY = {card.name: card for card in (GARCIA_ISIK, PHASE_GENSET)}
