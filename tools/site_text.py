"""Text of the lessons as HTML for the site: Markdown, formulas, code, links."""

import re
from html import escape, unescape

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_CODE = HtmlFormatter(nowrap=True)
_SPACE = '<mspace width="0.17em"/>'
_NAME = "<mi>(?:cos|exp|ln|log|max|min|sin|tan)</mi>"
# What latex2mathml leaves to be done.
_TIDIED = [
    (rf"({_NAME})(?!<mo[^>]*>&#x00028;)", rf"\1{_SPACE}"),  # "ln p", and "cos(t)"
    (rf"(</m(?:i|n|sub|sup|frac)>)({_NAME})", rf"\1{_SPACE}\2"),
    ("<mi>&#x000B1;</mi>", "<mo>&#x000B1;</mo>"),  # ± is a sign
    (r'<mo stretchy="false">&#x0007C;</mo>', '<mo stretchy="false" lspace="0" rspace="0">|</mo>'),
    (r"<mo>(&#x0005E;|\^)</mo></mover>", r'<mo stretchy="false">\1</mo></mover>'),  # no wide hats
    # An exponent belongs to all that is in the large brackets, not to the second of them.
    (
        r"(<mo minsize=[^>]*>\(</mo>)(.*?)<msup>(<mo minsize=[^>]*>\)</mo>)",
        r"<msup><mrow>\1\2\3</mrow>",
    ),
]
# Paragraphs that ask for something stand out.
_ASKS = re.compile(r"<strong>(Predict|Try|Question)\b")


def text_of(html):
    """The words of a piece of HTML, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def slug(heading):
    """The name by which a link reaches a heading, as GitHub writes it."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def formula(tex, display):
    """TeX as MathML, which every browser draws itself. Raises ValueError: it is no formula."""
    try:
        html = convert(tex, display="block" if display else "inline")
    except Exception as error:  # the library has a dozen kinds of its own
        said = f"{type(error).__name__} {error}".strip()
        raise ValueError(f"the formula {tex!r} cannot be written as MathML: {said}") from error
    if unknown := re.search(r"\\[a-zA-Z]+", html):
        raise ValueError(
            f"the formula {tex!r} cannot be written as MathML: {unknown[0]} is unknown"
        )
    for pattern, better in _TIDIED:
        html = re.sub(pattern, better, html)
    return f'<div class="scroll">{html}</div>' if display else html


def code(source):
    """Python as coloured HTML."""
    return highlight(source, PythonLexer(), _CODE).rstrip("\n")


class _Renderer(IPythonRenderer):
    """Markdown as the site shows it; keeps the headings that it meets."""

    def __init__(self, resolve, taken):
        super().__init__(escape=False)
        self.resolve, self.taken, self.headings = resolve, taken, []

    def heading(self, text, level, **attrs):
        name = base = slug(text_of(text))
        number = 1
        while name in self.taken:
            number += 1
            name = f"{base}-{number}"
        self.taken.add(name)
        self.headings.append((level, name, text_of(text)))
        kind = ' class="exercise"' if text.startswith("Exercise") else ""
        return f'<h{level} id="{escape(name)}"{kind}>{text}</h{level}>\n'

    def paragraph(self, text):
        asks = _ASKS.match(text)
        kind = f' class="ask {asks[1].lower()}"' if asks else ""
        # A formula on a line of its own is a box, and a paragraph may hold none.
        tag = "div" if '<div class="scroll">' in text else "p"
        return f"<{tag}{kind}>{text}</{tag}>\n"

    def link(self, text, url, title=None):
        if not (target := self.resolve(url)):
            return text  # what it led to is not on the site
        return super().link(text, target, title)

    def image(self, text, url, title=None):
        if re.match(r"[a-z]+:", url) and not url.startswith("data:"):
            return text  # a page asks nothing of another host
        return super().image(text, self.resolve(url) or url, title)

    def block_math(self, body):
        return formula(body, display=True)

    def inline_math(self, body):
        return formula(body, display=False)


def markdown(source, resolve=lambda url: url, taken=None):
    """(HTML, headings) of Markdown with formulas.

    resolve: gives for a link's target the one on the site, or None where there is none.
    taken: names of headings that the page has already; gets the new ones.
    headings: (level, name, words).
    """
    renderer = _Renderer(resolve, set() if taken is None else taken)
    html = MarkdownWithMath(renderer).render(source)
    html = html.replace("<th></th>", "<td></td>")  # the corner of a table is no heading
    html = html.replace("<table>", '<div class="scroll"><table>')
    return html.replace("</table>", "</table></div>"), renderer.headings
