"""QR codes as SVG for paper and screen: black on white, measured in millimetres, no style attribute."""

import segno
from markupsafe import Markup

QUIET = 4
"""Modules of white on each side (ISO/IEC 18004)."""

MODULE_UM_MIN = 400
"""What a telephone reads from a laser print: 0.4 mm."""


def drawn(content: str | bytes, *, module_um: int, side_um: int) -> Markup:
    """The code, quiet zone and all. `module_um`: of one module, if the code then is no wider than `side_um`.

    Text survives some dirt (level M); bytes, which are many, get what correction there is room for (level L or better).
    Raises ValueError for what no code of that side holds with modules of 0.4 mm.
    """
    code = segno.make_qr(content, error="M" if isinstance(content, str) else "L", mode="byte")
    modules = code.symbol_size(border=QUIET)[0]
    fitting_um = min(module_um, side_um // modules)
    if fitting_um < MODULE_UM_MIN:
        raise ValueError(f"a code of {modules} modules is wider than {side_um} µm")
    side = f"{fitting_um * modules / 1000:g}mm"
    drawing = code.svg_inline(border=QUIET, omitsize=True, svgclass=None, lineclass=None)
    return Markup(f'<svg width="{side}" height="{side}"') + Markup(drawing.removeprefix("<svg"))  # noqa: S704  ours
