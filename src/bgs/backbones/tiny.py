"""``tiny-videomae``: the small pretrained video model included in the package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bgs._errors import ConfigError
from bgs.backbones.videomae import VideoMAEBackbone

#: Checkpoints in the package, by name.
WEIGHTS = Path(__file__).parent / "weights"


class TinyBackbone(VideoMAEBackbone):
    """``tiny:videomae[?layer=k&symmetry=S]``: VideoMAE with a million parameters, pretrained on simulated clips.

    Its model card is ``weights/videomae/README.md``; it was trained with ``reproduce/pretrain_tiny.py``.
    """

    @classmethod
    def load(cls, reference: str) -> TinyBackbone:
        """Load the weights included in the package.

        Raises:
            ConfigError: unknown name or setting.
        """
        name, mark, settings = reference.partition("?")
        folder = WEIGHTS / name
        if not name or not (folder / "config.json").is_file():
            raise ConfigError(
                "no such model in the package", where=f"tiny:{reference}", expected="tiny:videomae"
            )
        backbone = super().load(f"{folder}{mark}{settings}")
        assert isinstance(backbone, cls)
        backbone.spec = replace(
            backbone.spec, source=f"tiny:{name}{mark}{settings}"
        )  # not a machine-specific path
        return backbone
