"""The picture of DigitPad that stays where there is no kernel, and what it says in words."""

import torch.nn.functional as F
from matplotlib.colors import CenteredNorm, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils import plotting
from course_utils.plotting import style
from course_utils.widgets.digit_pad.answers import percent, say

MOST_MAPS = 16
BAR, MARKED = "#8fb7d3", "#0072B2"
# From nothing to vermilion: what the picture shows under it stays visible.
_HEAT = LinearSegmentedColormap.from_list(
    "heat", [(*to_rgb(style.OUTLINE), 0), (*to_rgb(style.OUTLINE), 0.8)]
)


@plotting.in_style
def draw(pad, image):
    """The pad `pad` with the image (28, 28) on it, as a Figure with `alt_text`."""
    try:
        scores, trouble = pad._scores(image), "No network is connected."
    except ValueError as error:
        scores, trouble = None, f"{error}."
    maps = pad._maps(image)
    maps = maps.get(pad.layer) if pad.layer else None
    cam = None
    if maps is not None and pad.show_cam and pad.cam_layer:
        cam = pad._cam(image, digit=pad.explain)
    figure = Figure(figsize=(style.WIDTH, 2.6 if maps is None else 4.2), layout="constrained")
    top, *bottom = figure.subfigures(
        1 if maps is None else 2, height_ratios=None if maps is None else [2.5, 1.7], squeeze=False
    )[:, 0]
    left, right = top.subplots(1, 2, width_ratios=[1, 1.35])
    said = [_draw_seen(left, pad, image, cam, scores)]
    if scores is None:
        right.axis("off")
        right.text(0, 0.5, trouble, wrap=True, va="center")
        said.append(trouble if image.any() else "Nothing is drawn.")
    else:
        probabilities = scores.softmax(0)
        _draw_bars(right, probabilities, pad.classes)
        said.append(say(probabilities, pad.classes))
    if cam is not None:
        row, column = divmod(int(cam.argmax()), cam.shape[1])
        where = f"is strongest at row {row}, column {column} of {cam.shape[0]} × {cam.shape[1]}"
        where = where if cam.any() else "is 0 everywhere"
        said.append(f"Grad-CAM at {pad.cam_layer} {where}.")
    if bottom:
        said.append(_draw_maps(bottom[0], pad.layer, maps))
    figure.alt_text = " ".join(said)
    return figure


def _draw_seen(axes, pad, image, cam, scores):
    axes.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.axis("off")
    title = "what the network sees"
    if cam is not None:
        digit = int(scores.argmax()) if pad.explain is None else pad.explain
        title += f"\nshaded: what speaks for {pad.classes[digit]}"
        large = F.interpolate(cam[None, None], image.shape, mode="bilinear")[0, 0].numpy()
        axes.imshow(large, cmap=_HEAT, vmin=0, vmax=1)
        if cam.any():
            axes.contour(large, [0.5], colors="white", linewidths=1.2, linestyles="dashed")
    axes.set_title(title)
    axes.add_patch(Rectangle((-0.5, -0.5), 28, 28, fill=False, ec="#777777", lw=0.8))
    return f"What the network sees: a picture of 28 × 28{_with_cam(title)}."


def _with_cam(title):
    return f", {title.splitlines()[1]}" if "\n" in title else ""


def _draw_bars(axes, probabilities, classes):
    best = int(probabilities.argmax())
    colours = [MARKED if i == best else BAR for i in range(len(classes))]
    shares = probabilities.nan_to_num().tolist()
    bars = axes.barh(range(len(classes)), shares, color=colours, height=0.75)
    axes.bar_label(bars, [percent(share) for share in shares], padding=3, size=8)
    labels = [f"► {word}" if i == best else word for i, word in enumerate(classes)]
    axes.set_yticks(range(len(classes)), labels, size=9 if len(classes) <= 10 else 6)
    axes.get_yticklabels()[best].set_weight("bold")
    axes.set(xlim=(0, 1.2), ylim=(len(classes) - 0.5, -0.5), xticks=[], title="probabilities")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(left=False)


def _draw_maps(figure, layer, maps):
    largest = max(maps.abs().max().item(), 1e-12)
    norm, limits = CenteredNorm(0, largest), (maps.min().item(), maps.max().item())
    flat = maps.ndim == 1
    planes = [maps[None]] if flat else list(maps[:MOST_MAPS])
    axes = figure.subplots(-(-len(planes) // 8), min(8, len(planes)), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, plane in zip(axes.flat, planes, strict=False):
        shown = axis.imshow(plane.numpy(), cmap=style.SIGNED, norm=norm, aspect=3 if flat else None)
        rows, columns = plane.shape
        frame = Rectangle((-0.5, -0.5), columns, rows, fill=False, ec="#777777", lw=0.8)
        axis.add_patch(frame).set_clip_on(False)
    figure.colorbar(shown, ax=axes, aspect=12, shrink=0.9)
    if flat:
        title = f"{layer}: {len(maps)} numbers"
    else:
        count = f"{len(planes)} of {len(maps)}" if len(maps) > len(planes) else f"{len(maps)}"
        title = f"{layer}: {count} feature maps of {maps.shape[1]} × {maps.shape[2]}"
    figure.suptitle(title, size=10, weight="bold")
    low, high = (style.format_number(limit) for limit in limits)
    return f"{title}, from {low} to {high}."
