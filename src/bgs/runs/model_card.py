"""The card of a shared model: YAML front matter as the hub reads it, and what was measured, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from bgs import __version__
from bgs._numbers import plain
from bgs.backbones.catalogue import CARDS
from bgs.backbones.shared_folder import BaseModel
from bgs.evaluation import Metric, Result
from bgs.evaluation.readout import LEVEL, Readout
from bgs.runs.study import Study
from bgs.training import TrainingConfig

_PRIVATE = "The base model is not public: `?base=` names its folder on your machine. Its weights must have the hash above."
_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_METRICS = (
    ("rsa_spearman", "Correlation with the judged dissimilarities (RSA, Spearman)", "rsa_ceiling"),
    ("odd_one_out_3afc", "Odd-one-out choices predicted (chance 1/3)", "odd_one_out_ceiling"),
)


@dataclass(frozen=True)
class CardFacts:
    """What a card says, all of it read from the run and its data.

    Attributes:
        base: the base model.
        data, citation, data_licence: name of the data set, what to cite, and terms of use.
        simulated: whether clips or judgments are simulated.
        from_ratings: whether the judgments were drawn from ratings.
        sees: ``clips`` or ``captions``.
        seen_clips, test_clips: number of clips that the model was trained on, and that it was tested on.
        trials, people: number of judgments among the clips that it was trained on, and of who gave them.
        results: the evaluation, one result per protocol.
        readout: None if it has none.
        licence: of the adapter.
        about: Markdown by whoever shares it.
    """

    base: BaseModel
    data: str
    citation: str
    data_licence: str
    simulated: bool
    from_ratings: bool
    sees: str
    seen_clips: int
    test_clips: int
    trials: int
    people: int
    results: Sequence[Result]
    readout: Readout | None
    licence: str
    about: str

    @classmethod
    def of(
        cls,
        base: BaseModel,
        config: TrainingConfig,
        study: Study,
        results: Sequence[Result],
        readout: Readout | None,
        licence: str,
        about: str,
    ) -> CardFacts:
        """Count what the model of a run was trained on."""
        dataset = study.dataset
        trials = study.trials.judgments.within(study.stimuli.train)
        return cls(
            base, dataset.name, dataset.citation, dataset.licence, dataset.simulated, config.ratings is not None,
            "captions" if base.family == "text" else "clips",
            int(study.stimuli.train.sum()), int(study.stimuli.test.sum()),
            len(trials), len(set(trials.participant.tolist())), results, readout, licence, about,
        )  # fmt: skip

    @property
    def judges(self) -> str:
        """Who judged: simulated observers are never called people."""
        return "simulated observers" if self.simulated else "people"


def model_card(facts: CardFacts) -> str:
    """The card."""
    parts = [_front_matter(facts), f"# {facts.base}, tuned on {facts.data}"]
    if facts.simulated:
        parts.append("**SIMULATED clips or observers: no human data.** The figures say nothing about people.")
    if facts.about:
        parts.append(facts.about.strip())
    parts += [_what(facts), _use(facts), _trained_on(facts), _measured(facts)]
    parts += [_readout(facts.readout)] if facts.readout is not None else []
    return "\n\n".join([*parts, _limits(facts), _licences(facts)]) + "\n"


def _front_matter(facts: CardFacts) -> str:
    about: dict[str, Any] = {
        "library_name": "bgs",
        "license": facts.licence,
        "pipeline_tag": "feature-extraction",
        "tags": ["bgs", "odd-one-out", "similarity-judgments", "social-perception", facts.sees],
    }
    if facts.simulated:
        about["tags"].append("simulated-data")
    published = _MINILM if (facts.base.family, facts.base.name) == ("text", "minilm") else facts.base.name
    if facts.base.place == "hub" or published == _MINILM:
        about |= {"base_model": published, "base_model_relation": "adapter"}
    return f"---\n{yaml.safe_dump(about, sort_keys=False, allow_unicode=True)}---"


def _what(facts: CardFacts) -> str:
    return (
        f"An encoder of {facts.sees} whose distances were tuned to odd-one-out judgments by {facts.judges}, with "
        f"[bgs](https://arxiv.org/abs/2510.01502) {__version__}. This folder holds only what was trained; the base model is "
        f"`{facts.base}` (SHA-256 of its weights `{facts.base.revision or 'none: it has no weights'}`)."
    )


def _use(facts: CardFacts) -> str:
    base = "?base=FOLDER" if facts.base.place == "folder" else ""
    two = '"a.mp4", "b.mp4"' if facts.sees == "clips" else '"two people hug", "a child plays"'
    lines = [
        "## Use",
        "",
        "```python",
        "import bgs",
        "",
        f'model = bgs.load_model("shared:FOLDER{base}")  # or "hub:owner/name"',
    ]
    lines += [f"model.distance({two})  # cosine distance, 0 to 2", "```"]
    if base:
        lines += [
            "",
            _PRIVATE,
        ]
    intended = (
        "Intended for research on how people see social scenes, and for choosing, sorting and searching clips like those it was "
        "tuned on. **Not for judging people**: not for surveillance, not for assessing or ranking persons, and not for any "
        "decision about someone who is seen in a clip."
    )
    return "\n".join([*lines, "", intended])


def _trained_on(facts: CardFacts) -> str:
    given = (
        "judgments drawn from ratings"
        if facts.from_ratings
        else f"judgments by {facts.people:,} {facts.judges}"
    )
    return (
        "## Data\n\n"
        f"- data set: {facts.data}; terms of use: {facts.data_licence}\n"
        f"- cite: {facts.citation}\n"
        f"- trained on {facts.seen_clips:,} clips and {facts.trials:,} {given}\n"
        f"- tested on {facts.test_clips:,} clips that it was not trained on"
    )


def _measured(facts: CardFacts) -> str:
    lines = [
        "## Measured", "",
        "Values with 95 % intervals; n is the number of pairs or trials. "
        + ("The test clips took no part in training." if facts.test_clips else "**There are no test clips.**"),
    ]  # fmt: skip
    for result in facts.results:
        lines += ["", f"### {result.protocol}", "", "| | tuned | base | tuned − base | noise ceiling | n |"]
        lines += ["|---|---|---|---|---|---|", *_rows(result)]
        lines += ["", *(f"- {warning}" for warning in result.warnings)] if result.warnings else []
    return "\n".join(lines)


def _rows(result: Result) -> Iterator[str]:
    for name, label, ceiling in _METRICS:
        tuned = result.metrics.get(name)
        if tuned is not None:
            others = (
                result.against_metrics.get(name),
                result.differences.get(name),
                result.metrics.get(ceiling),
            )
            base, difference, best = others
            cells = (
                _words(tuned),
                _words(base),
                _words(difference, signed=True),
                _value(best),
                f"{tuned.n:,}",
            )
            yield f"| {label} | {' | '.join(cells)} |"


def _words(metric: Metric | None, *, signed: bool = False) -> str:
    return "" if metric is None else metric.words(signed=signed)


def _value(metric: Metric | None) -> str:
    return "" if metric is None else plain(metric.value, 3)


def _readout(readout: Readout) -> str:
    about, lines = readout.about, ["## Probabilities and ratings", ""]
    lines.append(
        f"Fitted on {about['held_out_clips']:,} clips that a model had not seen ({about['held_out']}). On test clips:"
        if readout.measured
        else f"Fitted on {about['held_out_clips']:,} clips that a model had not seen ({about['held_out']}); not tested."
    )
    if readout.measured:
        lines += ["", "| | value, 95 % interval | n | unit |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {found.words()} | {found.n:,} | {found.unit} |"
            for name, found in readout.measured.items()
        ]
    if readout.attributes:
        lines += ["", f"| rating | R² on held-out clips | {LEVEL:.0%} interval |", "|---|---|---|"]
        lines += [
            f"| {one.name} | {plain(one.r_squared)} | ± {plain(one.half_width(LEVEL))} |"
            for one in readout.attributes
        ]
    return "\n".join(lines)


def _limits(facts: CardFacts) -> str:
    who = (
        "no person judged anything"
        if facts.simulated
        else f"its distances are those of the {facts.people:,} people who judged, on average; others, of another culture, "
        "language or age, may see the same scenes differently, and the data say nothing about that"
        if facts.people
        else "its distances come from averaged ratings"
    )
    return "\n".join([
        "## Limits", "",
        f"- **Population and culture**: {who}.",
        f"- **Few clips**: {facts.seen_clips:,} clips are a small sample of social life. The figures above do not hold for "
        "clips of another kind.",
        "- **Averages, not persons**: it says what is alike to people on average. It does not recognise emotions, "
        "intentions or characters of those who are seen, and takes over whatever bias the base model and the judges have.",
        "- **Not for judging people**; see Use.",
    ])  # fmt: skip


def _licences(facts: CardFacts) -> str:
    known = {card.checkpoint: card.licence for card in CARDS.values()}
    base = known.get(facts.base.name, "MIT" if facts.base.family == "tiny" else "see there")
    own = "not given: ask whoever shared it" if facts.licence == "unknown" else facts.licence
    return (
        "## Licences\n\n"
        f"- adapter: {own}\n- base model: {base}\n- data: {facts.data_licence}\n\n"
        "The licences of base model and data limit what may be done with the adapter."
    )
