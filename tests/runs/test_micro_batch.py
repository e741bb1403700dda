"""`micro_batch: auto` measures a number once; the run is then that of the number, and keeps it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import bgs
from bgs import BgsError, Embeddings
from bgs.backbones import load_backbone, micro_batch
from bgs.backbones.micro_batch import doubled, measured_micro_batch
from bgs.backbones.processes import Processes
from bgs.cli.embed import _micro_batch
from bgs.cli.main import main
from bgs.runs import cross_validation, settling
from bgs.runs.cross_validation import cross_validate
from bgs.runs.embedder import Embedder
from bgs.runs.run import run_training
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import load_study
from bgs.training import load_config
from several_processes import ended, start


def limited(most: int):
    """The speed of a device whose every pass costs as much as eight units, and that holds ``most``."""

    def speed(size: int) -> float:
        if size > most:
            raise torch.OutOfMemoryError
        return size / (8 + size)

    return speed


@pytest.mark.parametrize(
    ("most", "largest", "expected"),
    [
        (10**6, 1024, 128),  # 256 would be 3 % faster, 128 is 5.9 % faster than 64
        (10**6, 100, 64),
        (10**6, 1, 1),
        (33, 1024, 32),
        (1, 1024, 1),
    ],
)
def test_a_size_is_doubled_while_that_pays_and_memory_suffices(most, largest, expected):
    assert doubled(limited(most), largest, lambda: True) == expected


def test_a_size_that_would_need_too_much_memory_is_not_tried():
    tried = []
    assert doubled(lambda size: tried.append(size) or size, 1024, lambda: tried[-1] < 16) == 16
    assert tried == [1, 2, 4, 8, 16]


def test_a_unit_that_memory_does_not_hold_is_an_error(tiny_text, small_study, monkeypatch):
    backbone = load_backbone(f"text:{tiny_text}")
    inputs = backbone.prepare(load_study_of(small_study))
    monkeypatch.setattr(micro_batch, "doubled", lambda speed, *_: limited(0)(1))
    with pytest.raises(BgsError, match=r"memory does not suffice for one unit .*gradient_checkpointing"):
        measured_micro_batch(backbone, inputs, np.arange(4), 4, train=True)


def load_study_of(folder):
    from bgs.datasets import load_dataset

    return load_dataset(str(folder)).stimuli


@pytest.mark.parametrize("train", [True, False])
def test_measuring_leaves_random_numbers_alone(tiny_text, small_study, train):
    backbone = load_backbone(f"text:{tiny_text}")
    inputs = backbone.prepare(load_study_of(small_study))
    before = torch.random.get_rng_state()
    found = measured_micro_batch(backbone, inputs, np.arange(len(inputs.owner)), 50, train=train)
    assert found in {1, 2, 4, 8, 16, 32}
    assert torch.equal(torch.random.get_rng_state(), before)
    assert any(parameter.grad is not None for parameter in backbone.module.parameters()) == train


@pytest.mark.parametrize("given", ["0", "-1", "some", "1.5", ""])
def test_other_values_of_the_option_are_refused(given):
    with pytest.raises(BgsError, match=r"--micro-batch: .*a number of 1 or more, or auto"):
        _micro_batch(given)


@pytest.fixture
def config(tiny_text, small_study, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        f"model: text:{tiny_text}\ndata: {small_study}\nepochs: 4\nmicro_batch: auto\nlora: {{rank: 2}}\n"
        "validation: {every: 2}\nevaluation: {resamples: 100, permutations: 0}\n"
    )
    return path


def bits(folder) -> dict[str, bytes]:
    """What a run writes that does not name its folder; and its embeddings, which do."""
    names = ["adapter/adapter_model.safetensors", "metrics.jsonl", "config.yaml"]
    tuned = Embeddings.load(folder / "tuned.safetensors").values.tobytes()
    return {name: (folder / name).read_bytes() for name in names} | {"tuned": tuned}


def test_a_run_is_that_of_the_number_it_measured_and_keeps_it(config, tmp_path, monkeypatch, caplog):
    """The note tells the number; the run with it has the same bits; resumed, it is not measured again."""
    settings = load_config(config)
    run_training(settings, tmp_path / "auto")
    chosen = load_config(tmp_path / "auto" / "config.yaml").batch_size
    assert 1 <= chosen <= 32  # of the 16 clips trained on, two captions each
    assert f"micro_batch: {chosen}, measured on cpu (1 " in caplog.text
    run_training(load_config(config, [f"micro_batch={chosen}"]), tmp_path / "given")
    assert bits(tmp_path / "auto") == bits(tmp_path / "given")

    monkeypatch.setattr(settling, "_measured", lambda *_: chosen)
    original = RunFolder.append_metrics

    def interrupted(self, record):
        original(self, record)
        if record["epoch"] == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "append_metrics", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_training(settings, tmp_path / "broken")
    monkeypatch.setattr(RunFolder, "append_metrics", original)
    monkeypatch.setattr(settling, "_measured", lambda *_: pytest.fail("measured again"))
    run_training(settings, tmp_path / "broken")
    assert bits(tmp_path / "broken") == bits(tmp_path / "given")
    other = load_config(config, [f"micro_batch={chosen + 1}"])
    with pytest.raises(BgsError, match=f"other settings: micro_batch; expected {chosen}, got {chosen + 1}"):
        run_training(other, tmp_path / "broken")


def test_a_record_changed_by_hand_is_refused(config, tmp_path):
    run_training(load_config(config, ["micro_batch=8"]), tmp_path / "run")
    kept = tmp_path / "run" / "config.yaml"
    kept.write_text(kept.read_text().replace("micro_batch: 8", "micro_batch: auto"))
    with pytest.raises(BgsError, match=r"config\.yaml, micro_batch: changed by hand; expected the number"):
        run_training(load_config(config), tmp_path / "run")


def test_no_more_is_tried_than_the_smallest_update_gives_each_process(config, monkeypatch):
    asked = []
    monkeypatch.setattr(
        settling, "measured_micro_batch", lambda *given, train: asked.append(given[3]) or train
    )
    for overrides, processes in ([], 1), ([], 3), (["clips_per_update=9", "views=1"], 1):
        settings = load_config(config, overrides)
        settling._measured(settings, load_study(settings), processes)
    assert asked == [32, 10, 8]  # 16 clips of two captions; a third of them; half of the clips, one caption


def test_folds_share_one_number(config, tmp_path, monkeypatch):
    settings = load_config(config, ["cross_validation={folds: 3}", "validation.fraction=0"])

    def fold(given, *_):
        folds.append(given.config.micro_batch)
        raise KeyboardInterrupt

    folds: list[object] = []
    monkeypatch.setattr(cross_validation, "_measured", fold)
    monkeypatch.setattr(settling, "_measured", lambda *_: 7)
    with pytest.raises(KeyboardInterrupt):
        cross_validate(settings, tmp_path / "run")
    monkeypatch.setattr(settling, "_measured", lambda *_: pytest.fail("measured again"))
    with pytest.raises(KeyboardInterrupt):
        cross_validate(settings, tmp_path / "run")
    assert folds == [7, 7]
    assert load_config(tmp_path / "run" / "config.yaml").micro_batch == 7


class Second(Processes):
    """The second of two processes, whose first one decided on 12."""

    def exchange(self, mine: object) -> list[object]:
        return [12 if isinstance(mine, int) else None, mine]


def test_other_processes_take_what_the_first_decided(config, tmp_path, monkeypatch):
    monkeypatch.setattr(settling, "_measured", lambda *_: pytest.fail("the first one measures"))
    settings = load_config(config)
    found = settling.settled(settings, load_study(settings), RunFolder(tmp_path / "own"), Second(1, 2))
    assert found.batch_size == 12


def test_no_units_a_pass_are_refused_wherever_they_are_asked_for(tiny_text, small_study):
    backbone, stimuli = load_backbone(f"text:{tiny_text}"), bgs.load_dataset(small_study).stimuli
    for size in (0, -1):
        with pytest.raises(BgsError, match=f"micro_batch: out of range; expected 1 or more, got {size}"):
            Embedder(backbone, stimuli, size).embed("tiny")


@pytest.mark.slow
def test_two_processes_train_with_one_number(config, tmp_path):
    command = ["-m", "bgs", "train", str(config), "--out", str(tmp_path / "run")]
    for process in ended(start(2, *command), seconds=1200):
        assert process.code == 0, process.errors
    assert 1 <= load_config(tmp_path / "run" / "config.yaml").batch_size <= 16


def test_embeddings_with_a_measured_number_are_the_same(tiny_text, small_study, tmp_path, capsys):
    command = ["embed", "--model", f"text:{tiny_text}", "--data", str(small_study), "--out"]
    for name, size in ("a", "auto"), ("b", "64"):
        with pytest.raises(SystemExit) as done:
            main([*command, str(tmp_path / f"{name}.safetensors"), "--micro-batch", size])
        assert done.value.code == 0
    assert capsys.readouterr().err.count("measured on cpu") == 1
    a, b = (Embeddings.load(tmp_path / f"{name}.safetensors").values for name in "ab")
    np.testing.assert_allclose(a, b, atol=1e-6)
    with pytest.raises(SystemExit) as done:
        main([*command, str(tmp_path / "c.safetensors"), "--micro-batch", "none"])
    assert done.value.code == 2
    assert not (tmp_path / "c.safetensors").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("micro_batch=0", "micro_batch: expected a number of 1 or more, or auto, got 0"),
        ("micro_batch=many", "micro_batch: expected a number of 1 or more, or auto, got 'many'"),
        ("keep_graphs=2", "keep_graphs conflicts with micro_batch: auto"),
    ],
)
def test_other_settings_are_refused(config, wrong, message):
    with pytest.raises(BgsError, match=message):
        load_config(config, [wrong])


def test_an_experiment_asks_for_a_number(small_study):
    from bgs.experiments.config import validated_experiment

    given = {"data": str(small_study), "models": {"m": {"model": "lookup:3"}}, "conditions": ["base"]}
    with pytest.raises(BgsError, match=r"training\.micro_batch: auto is for `bgs train`"):
        validated_experiment(given | {"training": {"micro_batch": "auto"}}, where="here")
