"""The first screen of a report: one held-out triplet as everybody chooses, and how far tuning closed the gap."""

from __future__ import annotations

from bgs.evaluation import Disagreement, Metric, clearest_triplet
from bgs.experiments.chapters.agreement_tables import footnote
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.chapters.context import Context, capital, estimate, role
from bgs.experiments.chapters.disagreement import held_out_trials, triplet_specs
from bgs.experiments.conditions import Condition
from bgs.reports import (
    Estimate,
    FigureBlock,
    GapFigure,
    GapPanel,
    Headline,
    Opening,
    ceiling_sentence,
    change_sentence,
)

_BASE, _HYBRID = Condition.BASE.value, Condition.HYBRID.value
#: Pixels a side of the frames on the first screen.
_SIDE = 112


def opening(context: Context) -> Opening | None:
    """The held-out triplet with the strongest majority, among those on which base and tuned model differ if there are any.

    Returns:
        None where no model has both, or no triplet of held-out clips is decided.
    """
    try:
        model = context.shown_model
    except NotApplicable:  # there is nothing to compare, and the chapters say so
        return None
    experiment = context.experiment
    pairs = experiment.pairs(model)
    base, tuned = pairs[min(pairs)]
    found = clearest_triplet(
        held_out_trials(experiment), experiment.distances(base), experiment.distances(tuned)
    )
    if found is None:
        return None
    (triplet,) = triplet_specs(context, [found], _SIDE)
    names = {"people": context.words.judges, "base": context.base(model), "tuned": context.tuned(model)}
    return Opening(
        triplet, {who: name.removeprefix("the ") for who, name in names.items()}, _majority(context, found),
        _agreement(context, model), _rule(context, found),
    )  # fmt: skip


def _majority(context: Context, found: Disagreement) -> str:
    """``3 of 4 people``; of a triplet that was judged once, ``One person``."""
    total, words = sum(found.votes), context.words
    return capital(words.judge) if total == 1 else f"{found.votes[found.people]} of {total} {words.judges}"


def _rule(context: Context, found: Disagreement) -> str:
    seeds, judges = context.experiment.config.seeds, context.words.judges
    models = f"base and tuned model{f' (seed {seeds[0]})' if len(seeds) > 1 else ''}"
    if found.base == found.tuned:
        return (
            f"Chosen by rule: {models} never differ on held-out triplets; of all of these, it is the one on which {judges} "
            "agree most, and of several, the one on which both models are most certain."
        )
    return (
        f"Chosen by rule: of all held-out triplets on which {models} differ, the one on which {judges} agree most, whichever "
        "model agrees with them; ties go to the triplet on which both models are most certain."
    )


def _agreement(context: Context, model: str) -> str:
    """How often each model chooses as judges do, over all held-out trials."""
    base, tuned = (context.levels(model)[name].metrics.odd_one_out_3afc for name in (_BASE, _HYBRID))
    return (
        f"Over all {tuned.n:,} held-out trials, {context.base(model)} chooses as {context.words.judges} did in "
        f"{_percent(base)} and {context.tuned(model)} in {_percent(tuned)} (95 % intervals; chance is 33 %)."
    )


def headline(context: Context) -> Headline | None:
    """Agreement of base and tuned models beside the noise ceiling; None where no model has both."""
    try:
        models = context.having(_BASE, _HYBRID)
    except NotApplicable:
        return None
    judges, ceiling = context.words.judges, context.headline.ceilings.rsa_ceiling
    rows = [
        estimate(
            context.called(model, label),
            context.levels(model)[condition].metrics.rsa_spearman,
            role(condition),
        )
        for model in models
        for label, condition in (("base model", _BASE), (f"tuned on {judges}", _HYBRID))
    ]
    panel = GapPanel(
        "Held-out clips", f"agreement with {judges} (Spearman correlation)", tuple(rows),
        None if ceiling is None else Estimate.of("noise ceiling", ceiling, "ceiling"),
    )  # fmt: skip
    figure = FigureBlock(
        GapFigure((panel,), footnote(context)), f"Agreement with {judges} before and after tuning."
    )
    return Headline(figure, "\n\n".join(_words(context, model) for model in models))


def _words(context: Context, model: str) -> str:
    """What tuning changed, and how close that comes to the noise ceiling."""
    judges, levels = context.words.judges, context.levels(model)
    base, tuned = (levels[name].metrics.rsa_spearman for name in (_BASE, _HYBRID))
    change = context.headline.differences[model]["hybrid - base"].rsa_spearman
    what = f"agreement with {judges} (Spearman)"
    sentence = change_sentence(change, base.value, tuned.value, what, context.cause(model))
    if (ceiling := context.headline.ceilings.rsa_ceiling) is None:
        return sentence
    return f"{sentence} {ceiling_sentence(tuned, ceiling, capital(context.tuned(model)), judges)}"


def _percent(share: Metric) -> str:
    """``43 % [42, 45]``."""
    value, low, high = (f"{100 * bound:.0f}" for bound in (share.value, share.low, share.high))
    return f"{value} % [{low}, {high}]"
