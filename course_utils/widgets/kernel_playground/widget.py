"""KernelPlayground: a picture, a kernel, and what the kernel answers everywhere at once."""

import functools
import math
import struct

import matplotlib
import torch
import torch.nn.functional as F
import traitlets
from matplotlib.colors import CenteredNorm, Normalize
from matplotlib.figure import Figure

from course_utils import data
from course_utils.data import embedded
from course_utils.plotting import format_number, style
from course_utils.widgets.kernel_playground.kernels import (
    PRESETS,
    SIZES,
    Filters,
    Kernel,
    Picture,
    preset,
)
from course_utils.widgets.shared.base import CourseWidget
from course_utils.widgets.shared.traits import Choice, Whole

PICTURES = ("china", "flower", "digit")
DISPLAYS = ("automatic", "signed", "grey")
ROUNDING = 1e-5  # how far an answer may leave the range of grey by rounding alone
BELOW, ABOVE = "#17508f", "#ffb066"  # what is darker than black, and what is brighter than white
SCAN = 32  # which of scikit-learn's scans becomes the digit: a 5, with straight lines and a curve


class KernelPlayground(CourseWidget):
    """A picture beside what a kernel answers; every number can be changed, the answer follows.

    Args:
        image: (H, W), (1, H, W) or (1, 1, H, W), grey, or (3, H, W), of which the luma is taken,
            0.299 R + 0.587 G + 0.114 B. Up to 512 × 512 real numbers from −1,000,000 to 1,000,000,
            kept as float32; 0 is meant as black and 1 as white. By default the photograph "china".
        kernel: 3 × 3, 5 × 5 or 7 × 7 numbers from −1000 to 1000, or the name of a preset. By
            default vertical edges (Sobel).
        padding: rows and columns of zeros around the picture, 0 to 3.
        filters: an `nn.Conv2d` or its weight (C_out, C_in, K, K), offered in a menu. A grey picture
            has the same numbers in all channels, so its answer to a filter is the answer to
            the sum of the filter over C_in, which is what the menu holds: (C_out, K, K). A layer's
            bias and stride are left out.
        picture: which picture of the menu is shown: "china", "flower", "digit", or "own".
        display: how the answers are drawn: "signed" (blue, white at 0, orange), "grey" (what is
            darker than black or brighter than white is marked), or "automatic": grey where the
            answers are brightness, which `shown` decides.
    Raises:
        traitlets.TraitError: what was given is impossible; the sentence says what is allowed.
    """

    image = Picture()
    kernel = Kernel(preset(PRESETS[0]))
    padding = Whole(0, 0, 3)
    filters = Filters()
    picture = Choice(*PICTURES, "own")
    display = Choice(*DISPLAYS)
    _album = traitlets.Bytes().tag(sync=True)  # the menu's pictures, in 256 levels of grey
    _presets = traitlets.Dict().tag(sync=True)

    def __init__(self, image=None, kernel=None, *, padding=0, filters=None, **more):
        given = {"image": image, "kernel": kernel, "filters": filters}
        given = {name: value for name, value in given.items() if value is not None}
        super().__init__(padding=padding, **given, **more)

    @property
    def output(self):
        """What `F.conv2d` answers, (H_out, W_out), float32."""
        weight = self.kernel.to(torch.float32)
        return F.conv2d(self.image[None, None], weight[None, None], padding=self.padding)[0, 0]

    @property
    def kernel_name(self):
        """The name of the preset or the filter that the kernel is equal to, otherwise "own"."""
        named = {name: preset(name, len(self.kernel)) for name in PRESETS}
        filters = () if self.filters is None else self.filters
        named.update({f"filter {number}": kernel for number, kernel in enumerate(filters)})
        kernel = self.kernel.double()
        for name, other in named.items():
            if other.shape == kernel.shape and torch.allclose(other.double(), kernel, atol=1e-6):
                return name
        return "own"

    @property
    def shown(self):
        """How the answers are drawn now, "signed" or "grey".

        Grey means brightness: all answers lie between black and white; or the kernel adds up to
        about 1 (0.5 to 1.5), as a mean does, and at most a quarter of the answers leave that range.
        """
        if self.display != "automatic":
            return self.display
        outside = self._share_outside(self.output)
        takes_a_mean = abs(float(self.kernel.double().sum()) - 1) <= 0.5
        return "grey" if sum(outside) == 0 or (takes_a_mean and sum(outside) <= 0.25) else "signed"

    @property
    def _grey(self):
        """The numbers that are drawn black and white: 0 and 1, or the picture's own beyond them."""
        return min(0.0, float(self.image.min())), max(1.0, float(self.image.max()))

    def _share_outside(self, output):
        black, white = self._grey
        slack = ROUNDING * (white - black)
        below, above = output < black - slack, output > white + slack
        return tuple(float(part.double().mean()) for part in (below, above))

    def describe(self):
        """What is shown, in one or two sentences, as the browser says it."""
        output = self.output
        height, width = output.shape
        numbers = (output.min(), output.max(), output.mean(dtype=torch.float64))
        low, high, mean = (format_number(number) for number in numbers)
        said = f"{self.kernel_name}: {height} × {width} answers from {low} to {high}, mean {mean}."
        if self.shown == "signed":
            return f"{said} Blue is below 0, white is 0, orange is above 0."
        black, white = (format_number(number) for number in self._grey)
        below, above = (_percent(share) for share in self._share_outside(output))
        outside = [f"{below} are below {black}, drawn blue"] if below else []
        outside += [f"{above} are above {white}, drawn orange"] if above else []
        more = f" Cut off: {' and '.join(outside)}." if outside else ""
        return f"{said} Black is {black}, white is {white}.{more}"

    @traitlets.default("image")
    def _first_image(self):
        return _picture(self.picture if self.picture in PICTURES else PICTURES[0])

    @traitlets.default("_album")
    def _all_pictures(self):
        return _fill_album()

    @traitlets.default("_presets")
    def _all_presets(self):
        return {
            name: {str(size): preset(name, size).tolist() for size in SIZES} for name in PRESETS
        }

    @traitlets.validate("image", "kernel", "padding")
    def _fits(self, proposal):
        state = self._state_with(proposal, "image", "kernel", "padding")
        (height, width), size, padding = (
            state["image"].shape,
            len(state["kernel"]),
            state["padding"],
        )
        if min(height, width) + 2 * padding < size:
            raise traitlets.TraitError(
                f"a kernel of {size} × {size} does not fit into a picture of {height} × {width} "
                f"with padding={padding}: take a smaller kernel, a larger picture or more padding"
            )
        return proposal["value"]

    @traitlets.observe("picture")
    def _take_from_menu(self, change):
        # The browser has sent the album's copy, in 256 levels of grey; here are all digits.
        if self.picture in PICTURES and not torch.equal(self.image, _picture(self.picture)):
            self.image = _picture(self.picture)

    @traitlets.observe("image")
    def _name_image(self, change):
        if self.picture in PICTURES:
            named = _picture(self.picture)
            same = named.shape == self.image.shape and (named - self.image).abs().max() < 1 / 500
            if not same:
                self.picture = "own"

    @style.in_style
    def draw(self):
        """The picture, the kernel and its answers."""
        kernel, output = self.kernel, self.output
        size = len(kernel)
        figure = Figure(figsize=(style.WIDTH, 2.5), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=[4, 2 + 0.35 * (size - 3), 4.9])
        left.imshow(self.image.numpy(), norm=Normalize(*self._grey))
        left.set_title(self.picture if self.picture in PICTURES else "picture")
        pale = CenteredNorm(0, 2.5 * float(kernel.abs().max()) or 1)  # so that numbers can be read
        middle.imshow(kernel.numpy(), cmap=style.SIGNED, norm=pale)
        for row, column in torch.cartesian_prod(*[torch.arange(size)] * 2).tolist():
            number = format_number(kernel[row, column])
            middle.text(column, row, number, ha="center", va="center", size=min(9, 33 / size))
        middle.set_title(self.kernel_name.replace(" (", "\n("))
        right.set_title("answer")
        if self.shown == "signed":
            # All answers 0 are white, too.
            norm = CenteredNorm(0, float(output.abs().max()) or 1)
            shown = right.imshow(output.numpy(), cmap=style.SIGNED, norm=norm)
            figure.colorbar(shown, ax=right, shrink=0.9)
        else:
            below, above = (share > 0 for share in self._share_outside(output))
            marked = matplotlib.colormaps["gray"].with_extremes(under=BELOW, over=ABOVE)
            shown = right.imshow(output.numpy(), cmap=marked, norm=Normalize(*self._grey))
            extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
            figure.colorbar(shown, ax=right, shrink=0.9, extend=extend[below, above])
        for axis in (left, middle, right):
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(True)
        figure.alt_text = self.describe()
        return figure


@functools.cache
def _picture(name):
    """A picture of the menu, (H, W), float32 in [0, 1]."""
    return _digit() if name == "digit" else data.load_photo(name)[0, 0]


@functools.cache
def _fill_album():
    """The menu's pictures for the browser: of each H and W as uint32, then a byte a pixel."""
    return b"".join(
        struct.pack("<2I", *picture.shape)
        + (picture * 255).round().to(torch.uint8).numpy().tobytes()
        for picture in map(_picture, PICTURES)
    )


def _digit():
    """A handwritten digit as a network sees it: white on black, (28, 28)."""
    pixels, _ = embedded.read_scans()
    scan = torch.from_numpy(pixels[SCAN] / 16).to(torch.float32)
    strokes, centre = embedded.redraw(scan[None, None])
    place = embedded.draw_moves(centre, torch.Generator(), strength=0)
    return embedded.render(strokes, place)[0].to(torch.float32) / 255


def _percent(share):
    """A share of 1 as a percentage with one decimal; an empty text for none."""
    if share == 0:
        return ""
    tenths = math.floor(1000 * share + 0.5)  # as the browser rounds
    return f"{tenths / 10:.1f} %" if tenths else "less than 0.1 %"
