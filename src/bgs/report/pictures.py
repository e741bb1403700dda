"""Pictures inside a page: JPEG bytes, data URIs, inline SVG."""

from __future__ import annotations

import base64
import io
import re
from html import escape

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._optional import require


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


def inline_svg(svg: bytes, name: str, alt: str) -> str:
    """An SVG to stand within a page: a labelled image without XML head, its ids made unique by ``name``."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    head, _, body = text.partition(">")
    head = re.sub(r'\s(?:width|height|role|aria-label)="[^"]*"', "", head)
    # The label says what the title would; a title would also pop up over the whole figure.
    body = re.sub(r"^\s*<title>.*?</title>", "", body, count=1, flags=re.DOTALL)
    return f'{head} role="img" aria-label="{escape(alt)}">{body}'


def natural_width(data: bytes) -> float:
    """CSS pixels at which a picture should be shown at most; 0 for PNG and JPEG, which know theirs."""
    if media_type(data) != "image/svg+xml":
        return 0.0
    box = re.search(rb'<svg[^>]*\bviewBox="([^"]+)"', data)
    points = re.search(rb'<svg[^>]*\bwidth="[\d.]+pt"', data)
    width = float(box[1].split()[2]) if box else 0.0
    return width * 4 / 3 if points else width
