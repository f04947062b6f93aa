"""A notebook's cells and their stored outputs as HTML for the site."""

import base64
import hashlib
import io
import re
from html import escape

import colab
import site_text
from nbconvert.filters import ansi2html
from PIL import Image
from site_widgets import shown_by


class Page:
    """A lesson as the site shows it.

    html: the cells. title: the first heading. headings: (level, name, words). sections: for the
    search, (name, heading, text). pictures: {file name: bytes}, which the page shows.
    """

    def __init__(self, notebook, resolve, live=()):
        """notebook: with its outputs. resolve: see `site_text.markdown`. live: ids of cells whose
        widget works on the page."""
        self.resolve, self.live = resolve, live
        self.taken, self.headings, self.sections, self.pictures = set(), [], [], {}
        self.html = "\n".join(self._cell(cell) for cell in notebook.cells)
        self.title = self.headings[0][2]
        self.sections = [(name, words, " ".join(texts)) for name, words, texts in self.sections]

    def _cell(self, cell):
        if cell.cell_type == "markdown":
            return self._markdown(
                colab.BADGE.sub("", cell.source)
            )  # the page has a link of its own
        if cell.cell_type != "code" or colab.TAG in cell.metadata.get("tags", []):
            return ""  # there is nothing to set up
        self._remember(cell.source)
        html = f'<div class="code"><pre><code>{site_text.code(cell.source)}</code></pre></div>'
        if cell.metadata.get("jupyter", {}).get("source_hidden"):  # as JupyterLab folds it
            html = f"<details><summary>Code of this cell</summary>{html}</details>"
        outputs = "".join(self._output(output, cell) for output in cell.outputs)
        outputs = f'<div class="outputs">{outputs}</div>' if outputs else ""
        return f'<div class="cell" id="cell-{cell.id}">{html}{outputs}</div>'

    def _markdown(self, source):
        html, headings = site_text.markdown(source, self.resolve, self.taken)
        # Stars and minutes of an exercise stand in its heading, not in the list of headings.
        headings = [(level, name, re.split(r" +[★☆]", words)[0]) for level, name, words in headings]
        self.headings += headings
        before, *parts = re.split(r"<h\d id=.*?</h\d>", html)
        self._remember(site_text.text_of(before))
        for (_, name, words), part in zip(headings, parts, strict=True):
            self.sections.append((name, words, []))
            self._remember(site_text.text_of(part))
        return html

    def _remember(self, text):
        if self.sections and text.strip():
            self.sections[-1][2].append(" ".join(text.split()))

    def _output(self, output, cell):
        if output.output_type == "stream":
            return f'<pre class="stream">{ansi2html(output.text.rstrip())}</pre>'
        if output.output_type == "error":
            lines = ansi2html("\n".join(output.traceback))
            return f'<pre class="error">{lines}</pre>'
        data = output.get("data", {})
        if "image/png" in data:
            return self._picture(data["image/png"], output.metadata.get("image/png", {}), cell)
        if "text/html" in data:
            return f'<div class="scroll html">{data["text/html"]}</div>'
        if "text/markdown" in data:
            return f'<div class="html">{self._markdown(data["text/markdown"])}</div>'
        return f'<pre class="stream">{ansi2html(data.get("text/plain", ""))}</pre>'

    def _picture(self, png, metadata, cell):
        data = base64.b64decode(png)
        name = hashlib.sha256(data).hexdigest()[:16] + ".png"
        self.pictures[name] = data
        width, height = Image.open(io.BytesIO(data)).size
        shown = int(metadata.get("width", width))
        image = (
            f'<img src="pictures/{name}" alt="{escape(metadata.get("alt", ""))}" '
            f'width="{shown}" height="{round(height * shown / width)}">'
        )
        if cell.id in self.live:
            return (
                f'<figure class="widget" data-widget="{cell.id}">{image}<noscript><figcaption>'
                "With JavaScript, this is a widget that works.</figcaption></noscript></figure>"
            )
        if shown_by(cell) == "sliders":
            said = "In the notebook, sliders move this picture: they need Python."
            return f"<figure>{image}<figcaption>{said}</figcaption></figure>"
        return f"<figure>{image}</figure>"
