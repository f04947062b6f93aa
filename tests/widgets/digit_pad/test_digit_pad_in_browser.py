"""DigitPad in the browser: drawn on by mouse, finger and keyboard, it shows torch's numbers."""

import itertools

import page as pages
import pytest
import torch
from digit_cases import line, shake

from course_utils import models
from course_utils.plotting import format_number
from course_utils.widgets import DigitPad
from course_utils.widgets.digit_pad import prepare_digit
from course_utils.widgets.digit_pad.answers import percent, say

SEVEN = [(60, 70), (210, 74), (120, 240)]


@pytest.fixture(scope="module")
def examples():
    return DigitPad().examples


@pytest.fixture(scope="module")
def trained():
    """Weights for which no answer is certain and Grad-CAM is not 0."""
    return shake(models.mnist_cnn(), 4)


@pytest.fixture
def mounted(browser):
    opened = []

    def mount(pad, **options):
        opened.append(pages.mount(browser, pad, **options))
        return opened[-1]

    yield mount
    for page in opened:
        assert page.errors == []
        page.close()


def draw(page, points, view=0, lift=True):
    box = page.locator(".cu-dp-pad").nth(view).bounding_box()
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y)
    if lift:
        page.mouse.up()
    pages.settle(page)


def inked(points, width=24):
    """What a stroke through `points` leaves on the pad."""
    ends = [(points[0], points[0]), *itertools.pairwise(points)]
    return torch.stack([line(280, *pair, width) for pair in ends]).amax(0)


def shown(page, view=0):
    """The probabilities and the sentence in the page."""
    root = page.locator(".cu").nth(view)
    rows = root.get_by_role("listitem").all_text_contents()
    return [row.split(": ")[-1] for row in rows], root.locator(".cu-words").text_content()


def check_numbers(page, pad, view=0):
    """The page says what torch says of the pad's image."""
    best = pad.prediction
    shares = [percent(share) for share in pad.probabilities.tolist()]
    shares[best] += ", the answer"
    assert shown(page, view) == (shares, say(pad.probabilities, pad.classes))
    assert (
        page.locator(".cu")
        .nth(view)
        .locator(".cu-dp-best")
        .all_text_contents()[0]
        .startswith(f"► {pad.classes[best]}")
    )


def legend(page):
    return page.locator(".cu-dp-right .cu-dp-hint").text_content()


def test_a_digit_drawn_with_the_mouse_is_framed_and_read_as_in_python(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad, width=700)
    check_numbers(page, pad)
    draw(page, SEVEN)
    assert set(pages.pull(page, pad)) == {"image"}
    torch.testing.assert_close(pad.image, prepare_digit(inked(SEVEN)), rtol=0, atol=1e-5)
    check_numbers(page, pad)
    draw(page, [(90, 160), (170, 150)])
    pages.pull(page, pad)
    both = torch.maximum(inked(SEVEN), inked([(90, 160), (170, 150)]))
    torch.testing.assert_close(pad.image, prepare_digit(both), rtol=0, atol=1e-5)
    check_numbers(page, pad)
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_the_answer_follows_the_stroke_before_it_ends(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad)
    before = shown(page)
    draw(page, SEVEN, lift=False)
    during = shown(page)
    page.mouse.up()
    pages.settle(page)
    assert shown(page) == during != before
    pages.pull(page, pad)
    check_numbers(page, pad)


def test_undo_and_clear_go_back_stroke_by_stroke(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad)
    undo, clear = page.get_by_text("undo"), page.get_by_text("clear", exact=True)
    assert undo.is_disabled()
    at_first = shown(page)
    draw(page, SEVEN)
    seven = shown(page)
    draw(page, [(90, 160), (170, 150)])
    clear.click()
    pages.settle(page)
    assert shown(page) == (["–"] * 10, "Draw a digit.")
    pages.pull(page, pad)
    assert pad.prediction is None
    assert clear.is_disabled()
    for _ in range(2):
        undo.click()
    pages.settle(page)
    assert shown(page) == seven
    undo.click()
    pages.settle(page)
    assert shown(page) == at_first
    assert undo.is_disabled()
    pages.pull(page, pad)
    assert torch.equal(pad.image, examples[0])


def test_a_digit_can_be_drawn_with_the_keyboard_alone(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad)
    page.keyboard.press("Tab")
    place = page.locator(".cu-dp-hints [role=status]")
    pages.settle(page)
    assert place.text_content().startswith("Pen up, row 14, column 14 of 28. Space puts it down")
    for key in ["ArrowUp"] * 8 + ["ArrowLeft"] * 5 + ["Space"] + ["ArrowRight"] * 10 + ["End"] * 3:
        page.keyboard.press(key)
    pages.settle(page)
    assert place.text_content().startswith("Pen down, row 9, column 16 of 28. Space lifts it")
    for key in ["ArrowDown"] * 9 + ["Escape", "PageUp", "Home", "PageDown"]:
        page.keyboard.press(key)
    pages.settle(page)
    assert place.text_content().startswith("Pen up, row 17, column 17 of 28.")
    corners = [(90, 60), (190, 60), (160, 90), (160, 180)]
    pages.pull(page, pad)
    torch.testing.assert_close(pad.image, prepare_digit(inked(corners)), rtol=0, atol=1e-5)
    check_numbers(page, pad)
    page.keyboard.press("Backspace")
    pages.settle(page)
    pages.pull(page, pad)
    assert torch.equal(pad.image, examples[0])
    page.keyboard.press("Delete")
    pages.settle(page)
    assert shown(page)[1] == "Draw a digit."
    page.keyboard.press("Control+z")
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    pages.settle(page)
    assert place.text_content().startswith("Pen up, row 17, column 0 of 28.")
    check_numbers(page, pad)


def test_every_control_works_with_the_keyboard(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples[:3])
    page = mounted(pad)
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
    seen = []
    for _ in range(10):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(focused))
        if seen[-1].endswith("-pen"):
            page.keyboard.press("ArrowRight")
        elif seen[-1].endswith("-show_cam"):
            page.keyboard.press("Space")
        elif seen[-1].endswith("-explain"):
            page.keyboard.type("8")
        elif seen[-1].endswith(("-cam_layer", "-layer")):
            page.keyboard.press("ArrowUp" if "cam" in seen[-1] else "ArrowDown")
        elif seen[-1] == "show test image 2 of 3":
            page.keyboard.press("Enter")
    assert len(set(seen)) == 10, seen  # undo is off: there is nothing to take back
    assert seen[0].startswith("Drawing pad")
    pages.settle(page)
    pages.pull(page, pad)
    state = (pad.pen, pad.show_cam, pad.explain, pad.cam_layer, pad.layer)
    assert state == (25, False, 8, "norm2", "pool1")
    assert torch.equal(pad.image, examples[1])
    check_numbers(page, pad)


def test_the_pen_is_as_wide_as_its_slider_says(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples, pen=39)
    page = mounted(pad)
    draw(page, SEVEN)
    pages.pull(page, pad)
    torch.testing.assert_close(pad.image, prepare_digit(inked(SEVEN, 39)), rtol=0, atol=1e-5)


def test_grad_cam_is_torchs_at_every_layer_for_every_class(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples, image=examples[2])
    page = mounted(pad)
    strongest = set()
    for layer in ("conv2", "pool2", "norm2", "relu2"):
        page.get_by_label("at", exact=True).select_option(layer)
        for digit in ("the answer", "0", "9"):
            page.get_by_label("for", exact=True).select_option(digit)
            pages.settle(page)
            pages.pull(page, pad)
            assert pad.cam_layer == layer
            assert pad.explain == (None if digit == "the answer" else int(digit))
            cam = pad.grad_cam(digit=pad.explain)
            word = pad.classes[pad.prediction if pad.explain is None else pad.explain]
            row, column = divmod(int(cam.argmax()), cam.shape[1])
            place = f"row {row}, column {column} of {cam.shape[0]} × {cam.shape[1]}."
            nothing = f"Nothing in {layer} speaks for {word}: Grad-CAM is 0 everywhere."
            expected = f"Orange: what speaks for {word}, most at {place}" if cam.any() else nothing
            assert legend(page).startswith(expected)
            strongest.add(place if cam.any() else None)
    assert len(strongest) > 4
    check_shading(page, pad)


def colours(page, left=7):
    """(28, 28, 3): what the picture has in the middle of each pixel, or on its left edge."""
    colours = page.evaluate(
        """(left) => {
          const canvas = document.querySelector(".cu-dp-seen");
          const { data } = canvas.getContext("2d").getImageData(0, 0, 392, 392);
          const places = Array.from({ length: 28 }, (_, i) => 14 * i);
          const colour = (place) => [...data.subarray(4 * place, 4 * place + 3)];
          return places.map((y) => places.map((x) => colour(392 * (y + 7) + x + left)));
        }""",
        left,
    )
    return torch.tensor(colours).float()


def check_shading(page, pad):
    """The picture is darker or lighter by what Python's Grad-CAM says, cell by cell."""
    image, edges = colours(page), colours(page, left=0)
    page.get_by_label("Grad-CAM", exact=True).uncheck()
    pages.settle(page)
    plain = colours(page)
    torch.testing.assert_close(plain[..., 0] / 255, pad.image, rtol=0, atol=0.5 / 255 + 1e-6)
    assert legend(page) == ""
    cam = pad.grad_cam(digit=pad.explain)
    large = torch.nn.functional.interpolate(cam[None, None], (28, 28), mode="bilinear")[0, 0]
    inside = large >= 0.5
    outlined = ((edges - torch.tensor([143.0, 211, 255])).abs().amax(2) < 30)[:, 1:]
    assert torch.equal(outlined, inside[:, 1:] != inside[:, :-1])
    assert outlined.any()
    alpha = large[..., None] * 205 / 255
    expected = plain * (1 - alpha) + torch.tensor([213, 94, 0]) * alpha
    assert (image - expected).abs().max() < 12
    assert (image - plain).abs().max() > 40


@pytest.mark.parametrize("make", [models.mnist_cnn, models.lenet, models.mlp])
def test_the_feature_maps_of_every_layer_have_torchs_range(mounted, examples, make):
    pad = DigitPad(shake(make(), 7), examples=examples)
    page = mounted(pad)
    draw(page, SEVEN)
    pages.pull(page, pad)
    for layer, maps in pad.feature_maps.items():
        if layer == "flatten":
            continue
        page.get_by_label("feature maps of").select_option(layer)
        pages.settle(page)
        words = page.locator(".cu-dp-layers .cu-sum").text_content()
        what = f"maps of {maps.shape[1]} × {maps.shape[2]}" if maps.ndim == 3 else "numbers"
        low, high = (format_number(end) for end in (maps.min(), maps.max()))
        assert words == f"{len(maps)} {what}, from {low} to {high}"
        ends = page.locator(".cu-dp-key").inner_text().split()
        assert ends[-1] == format_number(maps.abs().max())
    pages.pull(page, pad)
    assert pad.layer == list(pad.feature_maps)[-1]
    if make is models.mlp:
        assert legend(page) == "Grad-CAM needs a convolution; this network has none."
        assert page.get_by_label("Grad-CAM", exact=True).is_hidden()


def test_what_python_sets_is_shown(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad)
    draw(page, SEVEN)
    pages.pull(page, pad)
    pad.image = examples[5]
    pages.push(page, pad, "image")
    check_numbers(page, pad)
    assert pages.pull(page, pad) == {}  # nothing comes back
    names = ["_source", "_network", "_weights", "layer", "cam_layer", "explain"]
    pad.model = shake(models.mlp(), 1)
    pages.push(page, pad, *names)
    check_numbers(page, pad)
    pad.model = shake(models.lenet(), 1)
    pad.explain = 6
    pages.push(page, pad, *names)
    check_numbers(page, pad)
    assert "speaks for 6" in legend(page)
    pad.model = None
    pages.push(page, pad, *names)
    assert shown(page)[1].startswith("No network is connected: give one in Python")


def test_predict_is_asked_one_question_at_a_time_and_the_last_one_always(mounted, examples):
    pad = DigitPad(predict=lambda x: x.view(28, 28).sum(1)[4:14], examples=examples)
    page = mounted(pad)
    check_numbers(page, pad)
    assert legend(page) == "Grad-CAM and feature maps need the network: DigitPad(model)."
    draw(page, SEVEN)
    assert shown(page)[1].endswith("Python is computing …")
    draw(page, [(60, 200), (220, 200)])
    assert page.evaluate("model.get('_asked')") == 1
    pages.pull(page, pad)
    pages.push(page, pad, "_answer")  # the answer to the first stroke; the second follows
    assert page.evaluate("model.get('_asked')") == 2
    assert shown(page)[1].endswith("Python is computing …")
    pages.pull(page, pad)
    pages.push(page, pad, "_answer")
    both = torch.maximum(inked(SEVEN), inked([(60, 200), (220, 200)]))
    torch.testing.assert_close(pad.image, prepare_digit(both), rtol=0, atol=1e-5)
    check_numbers(page, pad)


def test_a_predict_that_fails_is_quoted_in_the_page(mounted, examples):
    pad = DigitPad(predict=lambda x: [1, 2, 3], examples=examples)
    page = mounted(pad)
    assert shown(page)[1] == (
        "predict raised ValueError: it returned shape (3,); return 10 logits or probabilities, "
        "(10,) or (1, 10)."
    )
    draw(page, SEVEN)
    pages.pull(page, pad)
    pad._predict = lambda x: torch.arange(10)
    pad.image = examples[4]
    pages.push(page, pad, "image", "_answer")
    check_numbers(page, pad)


def test_two_views_show_one_pad(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad, views=2, height=1500)
    draw(page, SEVEN, view=1)
    pages.pull(page, pad)
    check_numbers(page, pad, 0)
    check_numbers(page, pad, 1)
    draw(page, [(60, 60), (200, 200)], view=0)  # a new digit: the first view has no strokes of it
    pages.pull(page, pad)
    torch.testing.assert_close(
        pad.image, prepare_digit(inked([(60, 60), (200, 200)])), rtol=0, atol=1e-5
    )
    check_numbers(page, pad, 0)
    check_numbers(page, pad, 1)


@pytest.mark.parametrize("lift", [True, False])
def test_a_closed_view_leaves_nothing_behind(mounted, trained, examples, lift):
    page = mounted(DigitPad(trained, examples=examples), views=2, height=1500)
    draw(page, SEVEN, lift=lift)  # in the middle of a stroke a message is still to come
    assert pages.close(page) == [0, 0, 0]
    page.evaluate("() => { model.saved = []; }")
    page.mouse.move(300, 300)
    page.wait_for_timeout(150)
    assert page.evaluate("model.saved.length") == 0


def test_a_finger_draws_and_does_not_scroll(mounted, trained, examples):
    pad = DigitPad(trained, examples=examples)
    page = mounted(pad, width=390, height=500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    client = page.context.new_cdp_session(page)
    client.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    box = page.locator(".cu-dp-pad").bounding_box()
    place = lambda x, y: {"touchPoints": [{"x": box["x"] + x, "y": box["y"] + y}]}  # noqa: E731
    stroke = [(140, 220), (140, 120), (150, 40)]
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", **place(*stroke[0])})
    for x, y in stroke[1:]:
        client.send("Input.dispatchTouchEvent", {"type": "touchMove", **place(x, y)})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    pages.settle(page)
    assert page.evaluate("scrollY") == 0
    pages.pull(page, pad)
    torch.testing.assert_close(pad.image, prepare_digit(inked(stroke)), rtol=0, atol=0.02)
    check_numbers(page, pad)


@pytest.mark.parametrize(("theme", "width"), [("light", 700), ("dark", 700), ("light", 390)])
def test_it_fits_the_page(mounted, trained, examples, theme, width, tmp_path):
    pads = [
        DigitPad(trained, examples=examples, layer="conv2"),
        DigitPad(shake(models.mlp()), examples=examples, classes="abcdefghij"),
        DigitPad(
            predict=lambda x: torch.arange(20.0),
            classes=[f"word number{i}"[:12] for i in "abcdefghijklmnopqrst"],
            examples=torch.cat([examples, examples.flip(0)]),
        ),
        DigitPad(examples=[]),
    ]
    for number, pad in enumerate(pads[: 4 if theme == "light" else 1]):
        page = mounted(pad, theme=theme, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        pages.looks(page, tmp_path, f"pad_{number}_{theme}_{width}")
