"""One process's gradients, of updates on all clips and on parts, and its trunk: python gradient_of_a_process.py ENCODER OUT."""

from __future__ import annotations

import sys

import torch
from safetensors.torch import save_file
from test_gradients import backbone_with_live_adapters, gradients, method, stimuli

from bgs.backbones.processes import joined
from bgs.backbones.sharding import place
from bgs.backbones.trunk import cache_hidden

torch.set_num_threads(1)
encoder, out = sys.argv[1:]
with joined() as processes:
    backbone = backbone_with_live_adapters(encoder)
    whole = sum(parameter.numel() for parameter in backbone.module.parameters())
    place(backbone, "cpu")
    backbone.checkpoint_gradients()
    found = {}
    for clips in (None, 7):
        full = method(backbone, micro_batch=4, keep_graphs=1, clips_per_update=clips)
        parts = [full.accumulate(0, update) for update in range(full.updates_per_epoch)]
        found |= {f"{clips} {name}": gradient for name, gradient in gradients(backbone).items()}
        found[f"{clips} losses"] = torch.stack([part.total for part in parts])
    calls = []

    def trunk(batch):
        calls.append(batch)
        with torch.no_grad():
            return backbone.forward(batch)[:, :, None]

    backbone.train(False)
    inputs = backbone.prepare(stimuli())
    found["trunk"] = torch.from_numpy(cache_hidden(trunk, inputs, micro_batch=3))
    found["trunk calls"] = torch.tensor(float(len(calls)))
    own = sum(getattr(p, "to_local", lambda p=p: p)().numel() for p in backbone.module.parameters())
    found["share of the weights"] = torch.tensor(own / whole)
    save_file(found, f"{out}/{processes.size}-{processes.rank}.safetensors")
