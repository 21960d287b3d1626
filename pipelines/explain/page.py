"""An explanation as one HTML page that needs nothing but itself."""

from html import escape

from pipelines.explain.document import Document, Grid, Section

_LONGEST_WORD = 24
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; }
p { max-width: 48rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin-top: 3rem; border-bottom: 2px solid #222; overflow-wrap: anywhere; }
h3 { font-size: 1.1rem; margin-top: 2.2rem; }
h4 { font-size: 1rem; margin: 1.8rem 0 .3rem; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums;
        display: block; overflow-x: auto; margin: .8rem 0; }
th, td { padding: .25rem .7rem .25rem 0; border-bottom: 1px solid #e4e4e4; text-align: left;
         vertical-align: top; }
.key { overflow-wrap: anywhere; min-width: 11rem; }
.words { min-width: 8rem; }
th { font-weight: 600; border-bottom: 1px solid #8a8a8a; vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
nav ul { padding-left: 1.2rem; columns: 16rem; font-size: 13px; }
a { color: #0b4f8a; }
figure { overflow-x: auto; margin: .8rem 0; }
figcaption { font-size: 13px; color: #444; margin-bottom: .3rem; }
svg { display: block; width: 100%; min-width: 36rem; max-width: 48rem; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: #222; }
svg .quiet { fill: #666; }
@media print { h2, h3, h4 { break-after: avoid; } svg, tr { break-inside: avoid; } }
"""


def page(document: Document) -> str:
    """Return the page; pictures are inline SVG, and nothing is loaded from elsewhere."""
    title = escape(document.title)
    body = "".join(_section(section, place) for place, section in enumerate(document.sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>Why: {title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>Why: {title}</h1>{_contents(document)}{body}</body></html>\n"
    )


def _contents(document: Document) -> str:
    """Return links to the sections; each trade's stands under that of all trades."""
    links = "".join(
        f'<li><a href="#{_anchor(place)}">{escape(section.title)}</a></li>'
        for place, section in enumerate(document.sections)
    )
    return f"<nav><ul>{links}</ul></nav>"


def _anchor(place: int) -> str:
    return f"part-{place + 1}"


def _section(section: Section, place: int) -> str:
    heading = f"h{section.level + 1}"
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in section.paragraphs)
    grids = "".join(_table(grid) for grid in section.grids if grid.rows)
    return (
        f'<section id="{_anchor(place)}"><{heading}>{escape(section.title)}</{heading}>'
        f"{paragraphs}{section.chart or ''}{grids}</section>"
    )


def _table(grid: Grid) -> str:
    first_numeric = len(grid.columns) - grid.numeric

    def cells(tag: str, texts: tuple[str, ...]) -> str:
        return "".join(
            f"<{tag}{_kind(text, is_number=place >= first_numeric)}>{escape(text)}</{tag}>"
            for place, text in enumerate(texts)
        )

    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in grid.rows)
    return (
        f"<table><thead><tr>{cells('th', grid.columns)}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _kind(text: str, *, is_number: bool) -> str:
    """Return the class of a cell: keys and paths may break anywhere, other words never do."""
    if is_number:
        return ' class="number"'
    if max(map(len, text.split()), default=0) > _LONGEST_WORD:
        return ' class="key"'
    return ' class="words"' if len(text) > _LONGEST_WORD else ""
