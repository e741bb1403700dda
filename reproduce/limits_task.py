"""Clips with features and judgments, and the recipes that learn from them: what reproduce/limits.py compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from limits_maps import (
    RIDGES,
    Matrix,
    Positions,
    choose,
    cosine_rdm,
    gradient_map,
    linear_kernel,
    pair_maps,
    radial_kernel,
    score,
    upper,
)

from bgs import Embeddings, load_dataset
from bgs._rng import generator
from bgs.evaluation import rsa_ceiling
from bgs.evaluation.protocols import Protocol
from bgs.judgments import PairCounts, Trials, choice_model_rdm, human_rdm, ordinal_embedding, split_folds
from bgs.stimuli import StimulusSet

ROOT = Path(__file__).parents[1]
FOLDS, REPEATS, SEEDS = 5, 4, (0, 1, 2)
ENCODERS = ("minilm", "mpnet")
BOTH = "+".join(ENCODERS)
Learner = Callable[["Task", Positions, Positions], Matrix]


def embed_captions(stimuli: StimulusSet, name: str, folder: str) -> Embeddings:
    """A vector of unit length for each caption, ids ``clip#number``; made once."""
    path = ROOT / f"runs/limits/{name}.safetensors"
    if not path.exists():
        from sentence_transformers import SentenceTransformer

        captions = [(f"{i}#{k}", text) for i, said in zip(stimuli.ids, stimuli.captions or (), strict=True)
                    for k, text in enumerate(said)]  # fmt: skip
        encoder = SentenceTransformer(folder, device="cpu")
        values = encoder.encode([text for _, text in captions], batch_size=16, normalize_embeddings=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        Embeddings(np.asarray(values), tuple(i for i, _ in captions), name).save(path)
    return Embeddings.load(path)


@dataclass(frozen=True)
class Task:
    """Clips, what is known of them, and judgments to learn from.

    Attributes:
        clips: positions that may be learned from or held out.
        features: name -> (n, d) a clip.
        trials: judgments, over all n clips.
        human: (n, n) human RDM to be foretold, NaN where unknown.
    """

    clips: Positions
    features: dict[str, np.ndarray]
    trials: Trials
    human: Matrix

    @classmethod
    def of(cls, clips: Positions, features: dict[str, np.ndarray], trials: Trials) -> Task:
        """The judgments among ``clips`` alone are seen."""
        mask = np.isin(np.arange(trials.n_stimuli), clips)
        trials = trials.within(mask)
        return cls(clips, features, trials, human_rdm(PairCounts.from_trials(trials)))

    def kernel(self, names: str, train: Positions) -> Matrix:
        """Mean of the linear kernels of features joined by +; what is no encoder counts a tenth beside encoders."""
        parts = names.split("+")
        weights = [0.1 if name not in ENCODERS and len(parts) > 1 else 1.0 for name in parts]
        kernels = [linear_kernel(self.features[name], train) for name in parts]
        return sum(w * k for w, k in zip(weights, kernels, strict=True)) / sum(weights)

    def folds(self, repeats: int = REPEATS) -> list[tuple[Positions, Positions]]:
        """Clips to learn from and clips held out."""
        held = [self.clips[f] for r in range(repeats) for f in split_folds(len(self.clips), FOLDS, r)]
        return [(np.setdiff1d(self.clips, h), h) for h in held]

    def cross_validate(self, learner: Learner, repeats: int = REPEATS) -> np.ndarray:
        """(repeats · folds,) Spearman correlation in each fold."""
        folds = self.folds(repeats)
        return np.array([score(learner(self, train, held), self.human, held) for train, held in folds])

    def ceiling(self, held: Positions, own: Callable[[Trials], np.ndarray] | None = None) -> float:
        """RSA ceiling among ``held``; ``own`` tells which judgments make the RDM (default: all)."""
        witnesses = self.trials.where(
            self.trials.count_in(np.isin(np.arange(self.trials.n_stimuli), held)) >= 2
        )
        mine = np.ones(len(witnesses), bool) if own is None else own(witnesses)
        judged = witnesses.where(mine)
        protocol = Protocol("held-out-pairs", held, judged, np.zeros(len(judged), bool), witnesses, mine)
        return rsa_ceiling(protocol)[0]["rsa_ceiling"].value


def pooled(
    captions: dict[str, Embeddings], stimuli: StimulusSet, most: int, seed: int
) -> dict[str, np.ndarray]:
    """Mean over at most so many captions of each clip, drawn at random."""
    rng, row, features = generator(seed, "limits captions"), 0, {name: [] for name in captions}
    for said in stimuli.captions or ():
        picked = row + rng.permutation(len(said))[:most]
        row += len(said)
        for name, vectors in captions.items():
            features[name].append(vectors.values[picked].mean(axis=0, dtype=np.float64))
    return {name: np.array(rows) for name, rows in features.items()}


def counted(stimuli: StimulusSet) -> np.ndarray:
    """(n, words) log counts of words that three clips' captions have, weighed by rarity, of unit length."""
    said = [
        " ".join(captions).lower().replace(",", " ").replace(".", " ").split()
        for captions in stimuli.captions or ()
    ]
    words = sorted({word for text in said for word in text})
    counts = np.array([[text.count(word) for word in words] for text in said], float)
    rarity = (counts > 0).sum(axis=0)
    values = (np.log1p(counts) * np.log(len(said) / rarity))[:, rarity >= 3]
    return values / np.linalg.norm(values, axis=1, keepdims=True)


class Inputs:
    """The data set, and what is computed of it once."""

    def __init__(self, mpnet: str) -> None:
        from bgs.backbones.text import minilm_folder

        study = load_dataset("garcia-isik-2025")
        self.stimuli, self.trials = study.stimuli, study.need_trials().judgments
        folders = {"minilm": str(minilm_folder()), "mpnet": mpnet}
        self.captions = {name: embed_captions(self.stimuli, name, folder) for name, folder in folders.items()}

    @cached_property
    def task(self) -> Task:
        """The training clips."""
        ratings = np.stack(list(self.stimuli.ratings.values()), axis=1)
        ratings = ratings / ratings[self.stimuli.train].std(axis=0)
        squares = {name: replace(e, values=e.values**2) for name, e in self.captions.items()}
        features, second = (pooled(part, self.stimuli, 99, 0) for part in (self.captions, squares))
        spread = np.hstack([second[name] - features[name] ** 2 for name in ENCODERS])
        features |= {
            "ratings": ratings,
            "words": counted(self.stimuli),
            "spread": np.sqrt(np.maximum(spread, 0.0)),
        }
        return Task.of(np.flatnonzero(self.stimuli.train), features, self.trials)


def pair_map(names: str, radial: bool = False, target: str = "shares", seed: int = 0) -> Learner:
    """The closed-form map; its ridge is chosen by inner folds of the clips that it learns from."""

    def learn(task: Task, train: Positions, held: Positions) -> Matrix:
        kernel = task.kernel(names, train)
        kernel = radial_kernel(kernel) if radial else kernel
        rdm = target_rdm(task, train, target)
        best = choose(lambda a, b: pair_maps(kernel, rdm, a, b, RIDGES), task.human, train, FOLDS, seed)
        return pair_maps(kernel, rdm, train, held, RIDGES[best : best + 1])[0]

    return learn


def target_rdm(task: Task, train: Positions, target: str) -> Matrix:
    """Human dissimilarities to learn, from judgments among ``train`` alone."""
    if target == "shares":
        return task.human
    trials = task.trials.within(np.isin(np.arange(task.trials.n_stimuli), train))
    if target == "choice-model":
        return choice_model_rdm(trials, 3.0)
    return ordinal_embedding(trials, dimensions=20, penalty=2.0, starts=1).rdm()


def gradient(names: str, rank: int, seed: int = 0) -> Learner:
    """The hybrid objective by gradients; ridge chosen as above."""

    def learn(task: Task, train: Positions, held: Positions) -> Matrix:
        ridges, kernel = (0.03, 0.1, 0.3), task.kernel(names, train)

        def one(a: Positions, b: Positions, ridge: float) -> Matrix:
            return gradient_map(kernel, task.human, task.trials, a, b, ridge, min(rank, len(a) - 1))

        best = choose(lambda a, b: [one(a, b, ridge) for ridge in ridges], task.human, train, 3, seed)
        return one(train, held, ridges[best])

    return learn


def mean_of(*learners: Learner) -> Learner:
    """Mean of standardised predictions."""

    def learn(task: Task, train: Positions, held: Positions) -> Matrix:
        found = [learner(task, train, held) for learner in learners]
        return sum((rdm - upper(rdm).mean()) / upper(rdm).std() for rdm in found)

    return learn


def untuned(names: str) -> Learner:
    """Cosine distances without learning."""
    return lambda task, train, held: cosine_rdm(task.kernel(names, train), held)


RECIPES: dict[str, Learner] = {
    "both encoders, untuned": untuned(BOTH),
    "MiniLM, closed form": pair_map("minilm"),
    "mpnet, closed form": pair_map("mpnet"),
    "both, closed form": pair_map(BOTH),
    "both, radial kernel": pair_map(BOTH, radial=True),
    "both, choice-model target": pair_map(BOTH, target="choice-model"),
    "both, ordinal target": pair_map(BOTH, target="ordinal"),
    "both, gradients, rank 32": gradient(BOTH, 32),
    "both, gradients, full rank": gradient(BOTH, 999),
    "closed form + untuned": mean_of(pair_map(BOTH), untuned(BOTH)),
    "closed form, shares + choice model + gradients": mean_of(
        pair_map(BOTH), pair_map(BOTH, target="choice-model"), gradient(BOTH, 999)
    ),
    "both + spread over captions": pair_map(BOTH + "+spread"),
    "word counts, closed form": pair_map("words"),
    "ratings alone, linear": pair_map("ratings"),
    "ratings alone, radial": pair_map("ratings", radial=True),
    "both + ratings": pair_map(BOTH + "+ratings"),
    "both + ratings, radial": pair_map(BOTH + "+ratings", radial=True),
}
BEST = "both, closed form"
