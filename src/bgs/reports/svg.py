"""SVG as a tree: parsed, written, and prepared for embedding in a page."""

from __future__ import annotations

from xml.etree import ElementTree

from bgs._errors import DataError

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)
#: Characters that XML cannot contain, even escaped; they are removed from labels.
NOT_XML = dict.fromkeys([*set(range(32)) - {9, 10, 13}, 0xFFFE, 0xFFFF])


def parse_svg(svg: bytes) -> ElementTree.Element:
    """The root of an SVG; document type and comments are dropped.

    Raises:
        DataError: it is not well-formed.
    """
    try:
        return ElementTree.fromstring(svg.decode().translate(NOT_XML))
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise DataError(f"a picture that is not a well-formed SVG: {error}", got=svg[:40]) from None


def svg_text(root: ElementTree.Element) -> str:
    """The tree as markup, without an XML head."""
    return ElementTree.tostring(root, encoding="unicode").translate(NOT_XML)


def set_title(root: ElementTree.Element, title: str) -> None:
    """Insert a title as the first element of an SVG."""
    element = ElementTree.Element(f"{{{_SVG}}}title")
    element.text, element.tail = title, "\n"
    root.insert(0, element)


def hrefs(root: ElementTree.Element) -> list[tuple[ElementTree.Element, str]]:
    """Every element with a reference, and the attribute that contains it."""
    keys = ("href", f"{{{_XLINK}}}href")
    return [(element, key) for element in root.iter() for key in keys if key in element.attrib]


def inline_svg(svg: bytes, name: str, alt: str) -> str:
    """An SVG to embed in a page: a labelled image without XML head, its ids made unique by ``name``.

    Raises:
        DataError: it is not well-formed.
    """
    root = parse_svg(svg)
    for element, key in hrefs(root):
        if (address := element.attrib[key]).startswith("#"):
            element.set(key, f"#{name}-{address[1:]}")
    for element in root.iter():
        for key, value in element.items():
            element.set(key, f"{name}-{value}" if key == "id" else value.replace("url(#", f"url(#{name}-"))
    for key in ("width", "height", "role", "aria-label"):
        root.attrib.pop(key, None)
    # The label replaces the title, which would pop up over the whole figure.
    for title in root.findall("{*}title"):
        root.remove(title)
    root.attrib |= {"role": "img", "aria-label": alt}
    return svg_text(root)


def svg_width(svg: bytes) -> float:
    """CSS pixels at which an SVG is drawn at its own size; 0 where none is given.

    Raises:
        DataError: it is not well-formed, or its ``viewBox`` is not four numbers.
    """
    root = parse_svg(svg)
    if (box := root.get("viewBox")) is None:
        return 0.0
    try:
        _, _, width, _ = (float(number) for number in box.replace(",", " ").split())
    except ValueError:
        raise DataError("a picture whose viewBox is not four numbers", got=box) from None
    return width * 4 / 3 if root.get("width", "").endswith("pt") else width
