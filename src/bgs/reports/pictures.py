"""Pictures inside a page: JPEG bytes, data URIs, widths."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._optional import require
from bgs.reports.svg import svg_width


def jpeg(pixels: UInt8[np.ndarray, "h w 3"], quality: int = 82) -> bytes:
    """JPEG bytes of one picture.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    require("PIL", "report")
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def contact_sheet(pictures: UInt8[np.ndarray, "r c h w 3"], gap: int = 4) -> bytes:
    """Rows of pictures with white between them, as JPEG bytes.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    rows, columns, height, width, _ = pictures.shape
    sheet = np.full((rows, columns, height + gap, width + gap, 3), 255, dtype=np.uint8)
    sheet[:, :, :height, :width] = pictures
    whole = sheet.transpose(0, 2, 1, 3, 4).reshape(rows * (height + gap), columns * (width + gap), 3)
    return jpeg(np.ascontiguousarray(whole[:-gap, :-gap]))


def stacked_strips(strips: Sequence[UInt8[np.ndarray, "k h w 3"]]) -> bytes | None:
    """Strips of frames below each other, time from left to right, as JPEG bytes; None without any strip.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    if not strips:
        return None
    rows = [np.concatenate(list(strip), axis=1) for strip in strips]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    return jpeg(np.concatenate(padded))


def media_type(data: bytes) -> str:
    """``image/png``, ``image/jpeg`` or ``image/svg+xml``, from the first bytes.

    Raises:
        DataError: anything else.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.lstrip().startswith((b"<svg", b"<?xml")):
        return "image/svg+xml"
    raise DataError("a picture that a page cannot show", expected="SVG, PNG or JPEG bytes", got=data[:8])


def data_uri(data: bytes) -> str:
    """The picture itself as an address, so that nothing has to be fetched."""
    return f"data:{media_type(data)};base64,{base64.b64encode(data).decode()}"


def natural_width(data: bytes) -> float:
    """CSS pixels at which a picture should be shown at most; 0 for PNG and JPEG, which know theirs."""
    return svg_width(data) if media_type(data) == "image/svg+xml" else 0.0
