"""A network given to others answers as it does in torch: as a web page, as ONNX, in int8."""

import base64
import hashlib
import importlib.util
import itertools
import json
import logging
import re
import shutil
import subprocess
import sys
import warnings

import page as pages
import pytest
import torch
from digit_cases import line, networks, shake
from torch import nn

from course_utils import data, deploy, models, training
from course_utils.widgets.digit_pad import prepare_digit
from course_utils.widgets.digit_pad.answers import percent, say
from course_utils.widgets.digit_pad.network import SUPPORTED

# Playwright leaves its own transport to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
# Each digit as someone may draw it on the pad of 280 × 280 pixels, stroke by stroke.
RING = [(140, 40), (90, 70), (70, 140), (90, 210), (140, 240), (190, 210), (210, 140), (190, 70)]
STROKES = {
    0: [[*RING, RING[0]]],
    1: [[(140, 40), (140, 240)]],
    2: [[(80, 90), (110, 50), (170, 50), (195, 95), (150, 160), (75, 235), (205, 235)]],
    3: [[(85, 60), (150, 40), (190, 80), (130, 130), (195, 180), (150, 238), (80, 215)]],
    4: [[(150, 40), (75, 165), (210, 165)], [(170, 100), (165, 245)]],
    5: [[(195, 45), (100, 45), (90, 130), (150, 120), (195, 170), (160, 235), (80, 225)]],
    6: [[(165, 40), (105, 110), (85, 190), (130, 240), (185, 205), (165, 155), (95, 175)]],
    7: [[(70, 55), (205, 55), (120, 245)]],
    8: [[(190, 70), (140, 40), (95, 80), (185, 190), (140, 240), (90, 195), (190, 70)]],
    9: [[(185, 100), (130, 50), (90, 100), (130, 145), (185, 100), (180, 170), (150, 245)]],
}


def inked(strokes, width=24):
    """What these strokes leave on the pad, (280, 280)."""
    ends = [[(s[0], s[0]), *itertools.pairwise(s)] for s in strokes]
    return torch.stack([line(280, *pair, width) for pairs in ends for pair in pairs]).amax(0)


def logits(model, image):
    with torch.no_grad():
        return model.eval()(image.view(1, 1, 28, 28))[0]


@pytest.fixture(scope="module")
def trained():
    digits = data.load_digits("embedded")
    training.seed_everything(0)
    model = models.mnist_cnn()
    training.fit(model, digits.train[:12_000], progress=False)
    return model


# ---- the page, as a file ------------------------------------------------------------------------


def test_the_page_is_one_small_file_that_names_no_address(tmp_path):
    path = deploy.export_html(models.mnist_cnn(), tmp_path / "digits.html")
    assert path == tmp_path / "digits.html"
    assert [file.name for file in tmp_path.iterdir()] == ["digits.html"]
    assert path.stat().st_size < 1_000_000
    text = path.read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|\bfetch\(|XMLHttp|WebSocket", text)
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,"]


def test_the_policy_of_the_page_admits_its_own_script_and_style_and_nothing_else(tmp_path):
    path = deploy.export_html(shake(models.lenet()), tmp_path / "a.html")
    text = path.read_bytes().decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("img-src") == "data:"
    parts = {"style-src": r"<style>(.*?)</style>", "script-src": r'type="module">(.*?)</script>'}
    for name, pattern in parts.items():
        (inside,) = re.findall(pattern, text, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    assert "default-src" in rules


def test_the_weights_in_the_page_are_those_of_the_model_to_the_last_bit(tmp_path):
    model = shake(models.lenet())
    text = deploy.export_html(model, tmp_path / "a.html").read_text("utf-8")
    state = json.loads(re.search(r'id="state">(.*?)</script>', text, re.S)[1])
    weights = torch.frombuffer(bytearray(base64.b64decode(state["_weights"])), dtype=torch.float32)
    assert torch.equal(weights, torch.cat([p.detach().flatten() for p in model.parameters()]))


def test_the_same_network_makes_the_same_page_and_stays_as_it_is(tmp_path):
    model = shake(models.mnist_cnn()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = deploy.export_html(model, tmp_path / "a.html").read_bytes()
    assert deploy.export_html(model, str(tmp_path / "a.html")).read_bytes() == first
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_title_and_classes_are_text_and_not_html(tmp_path):
    words = ["<b>", "a&b", "</script>", "'", '"', "$x", "\\", "7", "8", "ü"]
    title = "<script>alert(1)</script> & $title"
    path = deploy.export_html(models.mnist_cnn(), tmp_path / "a.html", title=title, classes=words)
    text = path.read_text("utf-8")
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; $title</h1>" in text
    assert text.count("</script>") == 2
    assert "<b>" not in text
    state = json.loads(re.search(r'id="state">(.*?)</script>', text, re.S)[1])
    assert state["_classes"] == words


class Skip(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :10]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Skip(), "model is a Skip: what runs in the browser is nn.Sequential"),
        (nn.Sequential(nn.Flatten(), nn.PReLU()), "layer '1' is PReLU: the browser does not know"),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 9)), "it must return 10 numbers"),
        (nn.Sequential(nn.Conv2d(3, 10, 28), nn.Flatten()), "channels"),
        (None, "model=None is not possible"),
    ],
)
def test_what_the_browser_cannot_compute_is_refused_with_a_way_out(model, said, tmp_path):
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        deploy.export_html(model, tmp_path / "a.html")
    assert "predict=" not in str(caught.value)
    if SUPPORTED in str(caught.value):
        assert "export_onnx(model, path)" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_classes_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="give 2 to 20 different words"):
        deploy.export_html(models.mnist_cnn(), tmp_path / "a.html", classes="00")


# ---- the page, in a browser ---------------------------------------------------------------------


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a network's page from its file, offline; what it asks for, or complains of, fails."""
    contexts, asked, errors = [], [], []

    def open_(model, *, width=700, html=None, **options):
        path = deploy.export_html(model, tmp_path / "digits.html", **(html or {}))
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=size, offline=True, **options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector(".cu-dp-pad")
        pages.settle(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def draw(page, strokes):
    box = page.locator(".cu-dp-pad").bounding_box()
    for first, *others in strokes:
        page.mouse.move(box["x"] + first[0], box["y"] + first[1])
        page.mouse.down()
        for x, y in others:
            page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.up()
    pages.settle(page)


def shown(page):
    rows = page.get_by_role("listitem").all_text_contents()
    return [row.split(": ")[-1].split(",")[0] for row in rows], page.locator(
        ".cu-words"
    ).text_content()


def by_torch(model, image):
    shares = logits(model, image).softmax(0)
    return [percent(share) for share in shares.tolist()], say(shares, "0123456789")


@pytest.mark.processes
def test_digits_drawn_in_the_browser_get_the_answers_of_torch_and_the_right_ones(opened, trained):
    page, right = opened(trained), 0
    for digit, strokes in STROKES.items():
        page.get_by_text("clear", exact=True).click()
        draw(page, strokes)
        image = prepare_digit(inked(strokes))
        assert shown(page) == by_torch(trained, image)
        answers = torch.tensor(page.evaluate("(x) => answer(x)", image.flatten().tolist()))
        torch.testing.assert_close(answers, logits(trained, image), rtol=0, atol=1e-4)
        right += shown(page)[1].startswith(f"The network says {digit} ")
    assert right >= 8, f"{right} of 10"


@pytest.mark.more
@pytest.mark.parametrize("name", [name for name, _ in networks()])
def test_every_kind_of_layer_answers_as_in_torch(name, opened):
    model = shake(dict(networks())[name], 1)
    image = torch.rand(28, 28, generator=torch.Generator().manual_seed(3))
    answers = torch.tensor(opened(model).evaluate("(x) => answer(x)", image.flatten().tolist()))
    expected = logits(model, image)
    # What comes out of a Softmax at the end are probabilities; the page answers with logits.
    expected = expected if name == "nested" else expected.softmax(0)
    torch.testing.assert_close(answers.softmax(0), expected, rtol=0, atol=1e-4)


@pytest.mark.more
def test_the_page_is_drawn_on_with_a_finger_on_a_telephone(opened, trained):
    page = opened(trained, width=360, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_text("clear", exact=True).tap()
    box = page.locator(".cu-dp-pad").bounding_box()
    client = page.context.new_cdp_session(page)
    for strokes in STROKES[4]:
        for number, (x, y) in enumerate(strokes):
            points = [{"x": box["x"] + x, "y": box["y"] + y}]
            kind = "touchMove" if number else "touchStart"
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    pages.settle(page)
    assert shown(page) == by_torch(trained, prepare_digit(inked(STROKES[4])))


@pytest.mark.more
def test_the_page_can_be_used_with_the_keyboard_alone(opened, trained):
    page = opened(trained)
    page.keyboard.press("Tab")
    for key in ["Delete"] + ["ArrowUp"] * 10 + ["Space"] + ["ArrowDown"] * 20 + ["Space"]:
        page.keyboard.press(key)
    pages.settle(page)
    assert shown(page) == by_torch(trained, prepare_digit(inked([[(140, 40), (140, 240)]])))
    assert shown(page)[1].startswith("The network says 1 ")
    summary = page.get_by_text("How it works")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("table").is_visible()
    assert page.get_by_role("row").count() == 1 + 12
    assert page.get_by_role("heading", level=1).count() == 1
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, canvas[tabindex]")].filter(
          (e) => !(e.ariaLabel || e.title || e.textContent.trim() || e.labels?.length)).length"""
    )
    assert unnamed == 0


@pytest.mark.more
@pytest.mark.parametrize("width", [320, 360, 390, 760, 1400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_and_can_be_read_in_light_and_in_dark(
    opened, trained, theme, width, tmp_path
):
    page = opened(trained, width=width, color_scheme=theme)
    page.get_by_text("How it works").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    pages.looks(page, tmp_path, f"page_{theme}_{width}")
    ground, ink = page.evaluate(
        """() => [getComputedStyle(document.body).backgroundColor,
          getComputedStyle(document.querySelector(".cu")).color]"""
    )
    numbers = lambda colour: [float(n) for n in re.findall(r"[\d.]+", colour)[:3]]  # noqa: E731
    difference = sum(numbers(ground)) - sum(numbers(ink))
    assert difference > 500 if theme == "light" else difference < -500


# ---- ONNX ---------------------------------------------------------------------------------------


def by_onnx(path, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"image": images.numpy()})[0])


needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(n) is None for n in ("onnx", "onnxruntime", "onnxscript")),
    reason="the extra 'deploy' is not installed",
)


@needs_onnx
def test_onnx_runtime_answers_as_torch_does_for_every_batch_size(tmp_path, capfd):
    model = shake(models.mnist_cnn()).train()
    path = deploy.export_onnx(model, tmp_path / "digits.onnx")
    assert model.training
    model.eval()
    for n in (1, 2, 7, 100):
        x = torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(n))
        with torch.no_grad():
            torch.testing.assert_close(by_onnx(path, x), model(x), rtol=0, atol=1e-4)
    assert b"site-packages" not in path.read_bytes()  # no path of this machine
    assert path.stat().st_size < 4 * 44_386 + 10_000
    said = capfd.readouterr()
    assert said.out + said.err == ""


@needs_onnx
def test_any_module_can_be_exported_and_what_cannot_is_told(tmp_path):
    path = deploy.export_onnx(Skip(), tmp_path / "a.onnx", input_size=(1, 4, 5))
    x = torch.rand(3, 1, 4, 5)
    torch.testing.assert_close(by_onnx(path, x), Skip()(x))

    class Choosy(nn.Module):
        def forward(self, x):
            return x + 1 if x.sum() > 0 else x

    with pytest.raises(ValueError, match="torch cannot export this Choosy: "):
        deploy.export_onnx(Choosy(), tmp_path / "b.onnx")
    with pytest.raises(ValueError, match="channel"):
        deploy.export_onnx(models.lenet(), tmp_path / "b.onnx", input_size=(3, 28, 28))
    with pytest.raises(ValueError, match=r"model is a str: give an nn\.Module"):
        deploy.export_onnx("lenet", tmp_path / "b.onnx")
    assert [file.name for file in tmp_path.iterdir()] == ["a.onnx"]


@needs_onnx
def test_int8_is_a_third_of_the_size_and_answers_nearly_the_same(trained, tmp_path, capfd):
    digits = data.load_digits("embedded")
    path = deploy.export_onnx(trained, tmp_path / "a.onnx")
    small = deploy.quantize_onnx(path, tmp_path / "b.onnx", digits.train.images[:200])
    assert small.stat().st_size < 0.45 * path.stat().st_size
    images, labels = digits.test.images, digits.test.labels
    right = [(by_onnx(p, images).argmax(1) == labels).float().mean() for p in (path, small)]
    assert abs(right[0] - right[1]) < 0.02
    said = capfd.readouterr()
    assert said.out + said.err == ""
    with pytest.raises(FileNotFoundError, match="export_onnx makes one"):
        deploy.quantize_onnx(tmp_path / "none.onnx", small, images)
    with pytest.raises(ValueError, match="images is empty"):
        deploy.quantize_onnx(path, small, images[:0])


def test_importing_deploy_imports_neither_onnx_nor_the_widgets():
    code = (
        "import sys, course_utils.deploy; "
        "assert not {'onnx', 'onnxruntime', 'onnxscript', 'anywidget'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(not shutil.which("node"), reason="no Node here")
def test_the_script_of_the_page_is_one_module_without_names_used_twice(tmp_path):
    text = deploy.export_html(models.lenet(), tmp_path / "a.html").read_text("utf-8")
    (script,) = re.findall(r'type="module">(.*?)</script>', text, re.S)
    (tmp_path / "a.mjs").write_text(script, "utf-8")
    subprocess.run(["node", "--check", str(tmp_path / "a.mjs")], check=True)


@needs_onnx
def test_what_torch_cannot_export_is_told_with_its_reason(tmp_path):
    class Reasonable(nn.Module):
        def forward(self, x):
            if not isinstance(x, torch._subclasses.FakeTensor):
                return x
            raise RuntimeError("the reason\nand where it comes from")

    class Mute(nn.Module):
        def forward(self, x):
            if not isinstance(x, torch._subclasses.FakeTensor):
                return x
            raise RuntimeError

    class Rare(nn.Module):
        def forward(self, x):
            return torch.linalg.svdvals(x)

    with pytest.raises(ValueError, match=r"export this Reasonable: the reason$"):
        deploy.export_onnx(Reasonable(), tmp_path / "a.onnx")
    # torch 2.7 looks for the first word of every error, and says so where there is none.
    with pytest.raises(ValueError, match=r"export this Mute: (no reason given|tuple index.*)$"):
        deploy.export_onnx(Mute(), tmp_path / "a.onnx")
    with pytest.raises(ValueError, match=r"export this Rare: No ONNX function found for .*svd"):
        deploy.export_onnx(Rare(), tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


@needs_onnx
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_network_of_another_dtype_is_refused_with_the_way_out(tmp_path, dtype):
    with pytest.raises(ValueError, match=rf"'1.weight' is {dtype}.*model.float\(\)"):
        deploy.export_onnx(
            nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).to(dtype), tmp_path / "a.onnx"
        )


@needs_onnx
def test_images_to_quantize_with_may_be_of_any_floating_dtype_and_what_else_is_named(tmp_path):
    path, to = tmp_path / "a.onnx", tmp_path / "b.onnx"
    deploy.export_onnx(models.lenet(), path)
    images = torch.rand(20, 1, 28, 28)
    written = []
    for right in (images, images.double(), images.numpy(), images.double().numpy(), images.half()):
        deploy.quantize_onnx(path, to, right)
        written.append(to.read_bytes())
    assert len(set(written[:4])) == 1
    for wrong, said in (
        ((images * 255).to(torch.uint8), r"images hold whole numbers: use images.float\(\) / 255"),
        (images[:, 0], r"shape \(20, 28, 28\); the file takes \(N, 1, 28, 28\)"),
        ("photo.png", "images='photo.png' is not possible: give a tensor or an array"),
        (images[:0], "images is empty"),
    ):
        with pytest.raises(ValueError, match=said):
            deploy.quantize_onnx(path, to, wrong)


@needs_onnx
def test_a_damaged_file_is_told_with_its_name_and_the_reason(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(
        ValueError, match=r"a\.onnx' cannot be read, perhaps.*\(.*[a-z]{3}.*\)$"
    ) as told:
        deploy.quantize_onnx(tmp_path / "a.onnx", tmp_path / "b.onnx", torch.rand(2, 1, 28, 28))
    assert "no reason given" not in str(told.value)
    assert not (tmp_path / "b.onnx").exists()


@needs_onnx
@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG, logging.ERROR])
def test_after_an_export_the_log_and_the_warnings_are_as_they_were(level, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    x = torch.rand(2, 1, 4, 4)
    before = logging.root.manager.disable
    try:
        logging.disable(level)
        filters = list(warnings.filters)
        with pytest.raises(ValueError, match="cannot be read"):
            deploy.quantize_onnx(broken, tmp_path / "b.onnx", x)
        assert logging.root.manager.disable == level
        deploy.export_onnx(nn.Flatten(), tmp_path / "a.onnx", input_size=(1, 4, 4))
        assert logging.root.manager.disable == level
        assert warnings.filters == filters
    finally:
        logging.disable(before)
