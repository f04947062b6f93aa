"""What all widgets share: their ES modules put together, and the picture that stays behind."""

import re
import sys
from pathlib import Path

import anywidget
import traitlets
from IPython.display import display

from course_utils.plotting import style

FOLDER = Path(__file__).resolve().parents[1]
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.M)
_TABLE = re.compile(r'^import (\w+) from "(\.[^"]+\.json)" with \{ type: "json" \};\n', re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.M)


def compose(entry):
    """The ES module at the path `entry` and all it imports, as the text of one module.

    A notebook loads a widget's module from a text, where relative imports lead nowhere. So each
    imported file is written out once, before the file that needs it, inside a function that returns
    what the file exports: its other names stay its own, as in a module. A table is written out in
    place of its import. A circle of imports is a RecursionError.
    """
    parts = {}  # a file's path, and the name of what it exports

    def written(path):
        text = _TABLE.sub(
            lambda match: f"const {match[1]} = {_beside(path, match[2]).read_text('utf-8')};\n",
            path.read_text("utf-8"),
        )
        return _IMPORT.sub(
            lambda match: f"const {{{match[1]}}} = {exports_of(_beside(path, match[2]))};\n", text
        )

    def exports_of(path):
        if path not in parts:
            text = written(path)
            names = ", ".join(_EXPORT.findall(text))
            name = "_".join(path.relative_to(FOLDER).with_suffix("").parts)
            body = f"{_EXPORT.sub('', text)}return {{ {names} }};"
            parts[path] = f"${name}", f"const ${name} = (() => {{\n{body}\n}})();\n"
        return parts[path][0]

    end = written(entry.resolve())
    return "\n".join([*(text for _, text in parts.values()), end])


def _beside(path, relative):
    return (path.parent / relative).resolve()


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

    A subclass declares its state with the traits of `traits`, and draws itself with `draw`. Its
    view is `view.js` in the folder of its class, its style sheet `style.css`, if there is one.
    """

    _root = traitlets.Unicode().tag(sync=True)  # the class of its elements in the page

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # ipywidgets makes a class for each instance; `shared` has classes that are no widget yet.
        if hasattr(cls, "css_class") or not cls.__module__.endswith(".widget"):
            return
        folder = Path(sys.modules[cls.__module__].__file__).parent
        cls.css_class = f"cu-{folder.name.replace('_', '-')}"
        cls._esm = compose(folder / "view.js")
        sheets = FOLDER / "shared" / "style.css", folder / "style.css"
        css = "".join(path.read_text("utf-8") for path in sheets if path.exists())
        cls._css = scope(css, cls.css_class)

    @traitlets.default("_root")
    def _class_of_its_elements(self):
        return self.css_class

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


def refuse(error):
    """Turn the `ValueError` of a computation into what a trait raises, in the same words."""
    raise traitlets.TraitError(str(error)) from None
