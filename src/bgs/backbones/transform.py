"""A trained transform of frozen embeddings: what any model can be aligned with in seconds, and LoRA's rival."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from bgs._rng import torch_seed
from bgs.backbones.transform_settings import TransformSettings


class Transform(nn.Module):
    """z + f(z), where z = (x − mean) / scale and f starts at zero, so that geometry starts as it was.

    ``linear`` has f(z) = A z with a full matrix A; ``low-rank`` has A = B C, as LoRA has inside a network; ``mlp`` has
    f(z) = B gelu(C z + c).

    Args:
        width: d, dimensions in and out.
        settings: which f.
    """

    def __init__(self, width: int, settings: TransformSettings) -> None:
        super().__init__()
        self.settings, self.dim = settings, width
        # Saved with the weights, and not trained.
        self.mean = nn.Parameter(torch.zeros(width), requires_grad=False)
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)
        last = nn.Linear(_inner(width, settings), width, bias=False)
        nn.init.zeros_(last.weight)
        layers: dict[str, list[nn.Module]] = {
            "linear": [],
            "low-rank": [nn.Linear(width, settings.rank, bias=False)],
            "mlp": [nn.Linear(width, settings.hidden), nn.GELU()],
        }
        self.added = nn.Sequential(nn.Dropout(settings.dropout), *layers[settings.kind], last)

    def standardise(self, features: Float[np.ndarray, "n d"]) -> None:
        """Take mean and scale from training stimuli: z then has mean zero and root mean square one over all dimensions."""
        mean = features.mean(axis=0, dtype=np.float64)
        scale = np.sqrt(np.mean((features - mean) ** 2, dtype=np.float64))
        with torch.no_grad():
            self.mean.copy_(torch.as_tensor(mean))
            self.scale.fill_(float(scale) or 1.0)

    def penalty(self) -> Float[Tensor, ""]:
        """pull / 2 · ‖A‖², or ‖B‖² + ‖C‖² for ``mlp``, all of Frobenius: added to the loss in each update.

        For ``linear`` that is the pull towards the identity of gLocal (Muttenthaler et al. 2023), except that they let the
        identity be scaled; under the cosine the length of an embedding makes no difference.
        """
        assert self.settings.pull is not None, "training chooses it first"
        weights = [layer.weight for layer in self.added if isinstance(layer, nn.Linear)]
        if self.settings.kind == "low-rank":
            first, last = weights  # ‖B C‖² without the product, which may be large
            squared = ((last.T @ last) * (first @ first.T)).sum()
        else:
            squared = torch.stack([weight.square().sum() for weight in weights]).sum()
        return self.settings.pull / 2 * squared

    def forward(self, features: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        z = (features - self.mean) / self.scale
        result: Tensor = z + self.added(z)
        return result


def _inner(width: int, settings: TransformSettings) -> int:
    return {"linear": width, "low-rank": settings.rank, "mlp": settings.hidden}[settings.kind]


def new_transform(width: int, settings: TransformSettings, seed: int) -> Transform:
    """A transform that changes nothing yet, with seeded weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "transform"))
        return Transform(width, settings)
