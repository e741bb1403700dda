"""`bgs simulate`: SIMULATED clips and judgments with known ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._clip_folder import CLIPS_EXAMPLE, clips
from bgs.cli._options import Json
from bgs.cli._output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from bgs.simulation import AnalyticCeiling

app = typer.Typer(
    help="Simulate data with known ground truth.",
    epilog="Example: bgs simulate judgments world/ --trials 12000 --careless 0.1",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("clips", epilog=CLIPS_EXAMPLE, short_help="Render SIMULATED social clips.")(clips)


@app.callback()
def _group() -> None:
    pass


@app.command(
    "judgments",
    epilog="Example: bgs simulate judgments planted/ --weights valence=1,arousal=.7",
    short_help="Write SIMULATED judgments of a simulated data set.",
)
def judgments(
    folder: Annotated[Path, typer.Argument(help="Simulated data set: stimuli.csv with rating columns.")],
    trials: Annotated[int, typer.Option(help="Number of trials, including attention checks.")] = 12_000,
    observers: Annotated[int, typer.Option(help="Number of observers; trials alternate among them.")] = 100,
    temperature: Annotated[float, typer.Option(help="Noise of the choices, above 0.")] = 0.3,
    lapse: Annotated[float, typer.Option(help="Lapse rate: proportion of random answers, 0 to 1.")] = 0.02,
    careless: Annotated[float, typer.Option(help="Proportion of observers who only guess, 0 to 1.")] = 0.0,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Rating columns that determine the judgments, with weights, e.g. valence=1,arousal=.7 (default: five columns)."
        ),
    ] = None,
    spread: Annotated[
        float, typer.Option(help="Individual differences: SD of log weights across observers.")
    ] = 0.3,
    checks: Annotated[float, typer.Option(help="Proportion of attention checks, in [0, 1).")] = 0.05,
    test_share: Annotated[
        float | None,
        typer.Option(help="Proportion of trials with test clips (default: the proportion of test clips)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
    json: Json = None,
) -> None:
    """Write SIMULATED odd-one-out judgments of a simulated data set, and their ground truth.

    Writes trials.csv, and observers.json with weights, careless observers and analytic ceilings, to FOLDER.
    """
    from bgs._errors import DataError
    from bgs.datasets.folder import TRIALS, load_folder
    from bgs.judgments.tables import write_trials
    from bgs.simulation import TRUTH, ObserverSettings, analytic_ceilings, simulate_judgments, write_truth
    from bgs.simulation.observers import DEFAULT_WEIGHTS

    output = Output(json)
    dataset = load_folder(folder)
    if not dataset.simulated:
        raise DataError("the data set is not simulated", where=folder, expected="simulated stimuli")
    settings = ObserverSettings(
        n_observers=observers, temperature=temperature, lapse=lapse, careless_share=careless, weight_spread=spread,
        catch_share=checks, weights=DEFAULT_WEIGHTS if weights is None else _weights(weights),
    )  # fmt: skip
    judged = simulate_judgments(dataset.stimuli, trials, settings, seed, test_share)
    ceilings = analytic_ceilings(judged)
    write_trials(folder / TRIALS, judged.trials, dataset.stimuli)
    write_truth(folder / TRUTH, judged, ceilings)
    output.show(_table(ceilings))
    output.say(
        f"{folder / TRIALS}: {trials:,} SIMULATED trials by {observers:,} observers, {len(judged.careless)} careless."
    )
    output.write({name: ceiling.to_json() for name, ceiling in ceilings.items()})


def _weights(text: str) -> dict[str, float]:
    """Parse ``valence=1,arousal=.7``."""
    from bgs._errors import ConfigError

    weights: dict[str, float] = {}
    for entry in text.split(","):
        name, _, number = (part.strip() for part in entry.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not name or value != value or name in weights:
            raise ConfigError(
                "not a weight", where="--weights", expected="name=number, each name once", got=entry
            )
        weights[name] = value
    return weights


def _table(ceilings: dict[str, AnalyticCeiling]) -> Table:
    from bgs.views.console import table

    rows = [
        (
            name,
            f"{found.n_trials:,}",
            f"{found.n_pairs:,}",
            f"{found.odd_one_out:.3f}",
            f"{found.rsa_spearman:.3f}",
            f"{found.rsa_spearman_low:.3f} to {found.rsa_spearman_high:.3f}",
        )
        for name, found in ceilings.items()
    ]
    header = ("clips", "judgments", "pairs", "3AFC", "RSA", "95 % interval")
    return table("Analytic ceilings: the best possible model", header, rows, numbers=(1, 2, 3, 4, 5))
