"""What all widgets share: their ES modules put together, and the picture that stays behind."""

import re
from pathlib import Path

import anywidget
import traitlets
from IPython.display import display

from course_utils.plotting import style

FOLDER = Path(__file__).parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]+)";\n', re.M)


def compose(name):
    """The ES module `name` of this folder and all it imports, as the text of one module.

    A notebook loads a widget's module from a text, where relative imports lead nowhere. So each
    imported file is written out once, before the file that needs it. All share one scope:
    a top-level name stands for the same thing in every file.
    """
    entry, parts = (FOLDER / name).resolve(), {}

    def add(path):
        if path in parts:
            return
        parts[path] = ""  # keeps a circle of imports from running on
        text = path.read_text("utf-8")
        for match in _IMPORT.finditer(text):
            add((path.parent / match[1]).resolve())
        text = _IMPORT.sub("", text)
        if path != entry:
            text = re.sub(r"^export ", "", text, flags=re.M)
        del parts[path]  # behind what it imports
        parts[path] = f"// {path.name}\n{text}"

    add(entry)
    return "\n".join(parts.values())


def scope(css, root):
    """The style sheet `css`, with every rule held to the elements with the class `root`.

    Style sheets of all widgets meet in one notebook: each has the shared rules in it, and names of
    its own. `:where` keeps the weight of each rule as it is. `css` has no `@keyframes`.
    """
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    # A selector is what stands before "{" and begins with no "@"; of its first part, the name.
    first = re.compile(r"^\s*[^\s>+~:]+")

    def hold(match):
        selectors = re.split(r",(?![^(]*\))", match[1])
        where = f":where(.{root}, .{root} *)"
        return ",".join(first.sub(lambda m: m[0] + where, one) for one in selectors) + "{"

    return re.sub(r"(?<=[{};])(\s*[^\s@{};][^{};]*)\{", hold, ";" + css)[1:]


class CourseWidget(anywidget.AnyWidget):
    """A widget that computes in the browser and leaves a picture where there is no kernel.

    A subclass declares its state with the traits of `_traits`, and draws itself with `draw`. Its
    view is the ES module with the name of its Python file; so is its style sheet, if it has one.
    """

    _root = traitlets.Unicode().tag(sync=True)  # the class of its elements in the page

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if CourseWidget not in cls.__bases__:
            return  # ipywidgets makes a class for each instance, with these as traits
        name = cls.__module__.rsplit(".", 1)[-1]
        cls._esm = compose(f"{name}.js")
        sheets = FOLDER / "shared" / "style.css", FOLDER / f"{name}.css"
        css = "".join(path.read_text("utf-8") for path in sheets if path.exists())
        cls._css = scope(css, _class_of(cls))

    @traitlets.default("_root")
    def _class_of_its_elements(self):
        return _class_of(type(self))

    def draw(self):
        """The widget as it stands: a matplotlib `Figure` with `alt_text`."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = style.bundle(self.draw())
        view, more = super()._repr_mimebundle_(**kwargs)
        return {**view, **data}, {**more, **metadata}

    def _ipython_display_(self):
        # ipywidgets 7 displays by this method and asks no bundle; 8 would do without it.
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)

    def _state_with(self, proposal, *names):
        """The traits `names` by name, as they will be once `proposal` is taken."""
        state = {name: getattr(self, name) for name in names}
        return {**state, proposal["trait"].name: proposal["value"]}


def _class_of(cls):
    return f"cu-{cls.__module__.rsplit('.', 1)[-1].replace('_', '-')}"


def refuse(error):
    """Turn the `ValueError` of a computation into what a trait raises, in the same words."""
    raise traitlets.TraitError(str(error)) from None
