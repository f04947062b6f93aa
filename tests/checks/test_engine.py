"""Whatever a student hands in, a check answers in a sentence, gives nothing away, and goes on."""

import ast
import contextlib
import functools
import html
import importlib
import inspect
import re
import sys
import textwrap
import threading
import time
import warnings
from dataclasses import replace

import nbformat
import pytest
import torch
import torch.nn.functional as F
from nbclient import NotebookClient
from odd_answers import ANSWERS, MADE, MISSING, Hostile
from torch import nn

from course_utils import assignments, checks, ops
from course_utils.assignments import classifier, own_numbers
from course_utils.checks import EXERCISES, Case, Exercise, Mistake
from course_utils.checks.engine import guard
from course_utils.checks.engine.compare import fault, same
from course_utils.checks.engine.reading import read


def one_line(result):
    return " ".join(str(result).split())


def words(text):
    return re.findall(r"[\w−✗✓○*]+", text)


def words_of_html(result):
    return words(html.unescape(re.sub(r"<[^>]+>", " ", result._repr_html_())))


# ---- answers of every kind ----------------------------------------------------------------------


def say(exercise, answer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = exercise(answer)
    assert not result.passed
    assert result.diagnosis
    assert words(str(result)) == words_of_html(result)
    assert max(map(len, str(result).splitlines())) <= 100
    return result


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_no_answer_of_whatever_kind_makes_a_check_raise(exercise):
    for answer in ANSWERS.values():
        say(exercise, answer)


FEW = ["hostile", "ragged", "tensor sparse_coo", "tensor float8_e4m3fn", "tensor bits8"]


@pytest.mark.parametrize("names", [FEW, pytest.param(list(ANSWERS), marks=pytest.mark.more)])
@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_nothing_that_a_function_returns_makes_a_check_raise(exercise, names):
    for name in names:
        if exercise.prepare and "without memory" in name:
            continue  # a check that computes with it would end Python, as torch itself does
        if not exercise.is_value:
            say(exercise, lambda *args, _answer=ANSWERS[name], **kwargs: _answer)


def test_nearly_every_kind_of_tensor_can_be_made_here():
    assert set(MISSING) <= {"named", "qint32", "0-d qint32"}
    assert len(ANSWERS) > 220


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_as_ordinary_numbers_or_refused_in_a_sentence(name):
    try:
        found = read(ANSWERS[name])
    except TypeError as error:
        found, sentence = None, f"{error}"
    if found is None:
        assert re.fullmatch(r"[A-Z][^\n]{20,160}", sentence)
    else:
        assert type(found.cells) is torch.Tensor
        assert found.cells.dtype in (torch.float64, torch.complex128)
        assert found.cells.layout is torch.strided
        assert not found.cells.requires_grad


TWO = 2 * torch.ones(2, 2)
EXPECTED = [TWO, TWO.long(), [1.5, 2], (1, 2.5), (TWO, "a"), 1j, True, "a"]


@pytest.mark.parametrize("expected", EXPECTED, ids=repr)
def test_no_answer_makes_the_check_of_a_value_or_of_a_function_raise(expected):
    by_hand = Exercise("by_hand", "lesson 00, 'x'", expected, (Mistake("two", 2, "It is 2."),))
    case = Case((torch.ones(1),), expected=expected)
    function = Exercise("function", "lesson 00, 'x'", None, (), (case,))
    for name, answer in ANSWERS.items():
        for result in (by_hand(answer), function(lambda x, _answer=answer: _answer)):
            if not result.passed:
                assert result.diagnosis, name
                assert words(str(result)) == words_of_html(result)
                assert repr(result) == str(result)


@pytest.mark.parametrize("actual", EXPECTED, ids=repr)
def test_no_prediction_makes_its_comparison_raise(actual, capsys):
    for prediction in ANSWERS.values():
        checks.compare_prediction(prediction, actual)
        assert capsys.readouterr().out.startswith("You predicted ")


def test_nothing_that_happened_makes_its_comparison_raise(capsys):
    for actual in ANSWERS.values():
        for prediction in (None, 1, actual):
            checks.compare_prediction(prediction, actual)
            assert re.match("You predicted |No prediction", capsys.readouterr().out)


@pytest.mark.parametrize(
    "check",
    [
        classifier.history,
        lambda answer: classifier.network(lambda images: answer, 1),
        lambda answer: own_numbers.form("it", answer, (2, 2), "me"),
        lambda answer: assignments.examples(answer, Case((1,), expected=3)),
        lambda answer: assignments.examples(lambda x: answer, Case((1,), expected=3)),
    ],
)
def test_no_answer_makes_a_check_of_the_assignments_raise(check):
    for answer in [*ANSWERS.values(), torch.add]:
        result = check(answer)
        assert result.passed or result.diagnosis
        assert words(str(result)) == words_of_html(result)


@pytest.mark.parametrize("name", [name for name in MADE if "float8" in name and "nan" not in name])
def test_right_numbers_by_hand_are_right_in_float8_too_and_wrong_ones_are_wrong(name):
    ones = Exercise("ones", "lesson 00, 'x'", torch.ones(MADE[name].shape), ())
    assert ones(MADE[name]).passed
    twos = Exercise("twos", "lesson 00, 'x'", 2 * torch.ones(MADE[name].shape), ())
    assert twos(MADE[name]).diagnosis == "wrong_value"


@pytest.mark.parametrize("change", ["resize_(0)", "fill_(0)", "untyped_storage().resize_(0)"])
def test_an_argument_whose_memory_is_taken_is_an_argument_changed(change):
    def spoils(x):
        eval(f"x.{change}")
        return 1

    result = Exercise("kept", "lesson 00, 'x'", lambda x: 1, (), (Case((torch.ones(9),)),))(spoils)
    assert result.diagnosis == "input_changed"


def test_an_error_that_cannot_be_shown_does_not_stop_the_check_that_tries_an_answer_out():
    class Mute(ValueError):
        __str__ = Hostile._raise

    def prepare(answer):
        raise Mute

    exercise = Exercise("tried", "lesson 00, 'x'", torch.ones(1), (), prepare=prepare)
    assert "cannot be shown" in str(exercise(1))


def times_two(change, mistakes=()):
    """An exercise that doubles a tensor; and an answer that is right but for `change`."""
    exercise = Exercise(
        name="double",
        lesson="lesson 00, 'Twice'",
        reference=lambda x: 2 * x,
        cases=(Case((torch.tensor([1.0, -2]),)), Case((torch.ones(2, 2, dtype=torch.float64),))),
        mistakes=(
            Mistake("squared", lambda x: x**2, "It is squared."),
            Mistake("late", lambda x: 2 * x + (x.dim() > 1), "Planes are wrong."),
        ),
    )
    return exercise(lambda x: change(2 * x))


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y.numpy(),
        lambda y: y.numpy()[::-1][::-1],
        lambda y: y.tolist(),
        lambda y: [row if row.dim() else row.item() for row in y],
        lambda y: [row.numpy() for row in y],
        lambda y: y.clone().requires_grad_(),
        lambda y: torch.stack([y, y], -1)[..., 0],
        lambda y: nn.Parameter(y),
    ],
)
def test_right_numbers_in_another_wrapping_are_right(change):
    result = times_two(change)
    assert result.passed, str(result)


@pytest.mark.parametrize(
    ("change", "diagnosis", "said"),
    [
        (lambda y: y.half(), "wrong_dtype", "torch.float16; it should be torch.float32"),
        (lambda y: y.long(), "wrong_dtype", "torch.int64; it should be torch.float32"),
        (lambda y: y.cfloat(), "wrong_dtype", "complex (torch.complex64); real ones"),
        (lambda y: y > 0, "wrong_dtype", "torch.bool; it should be"),
        (lambda y: y.double(), "wrong_dtype", "torch.float64; it should be torch.float32"),
        ((lambda y: (y / 2).double() ** 2), "squared", "It is squared."),
        ((lambda y: (y / 2).half() ** 2), "squared", "It is squared."),
        ((lambda y: ((y / 2) ** 2).numpy()), "squared", "It is squared."),
        (lambda y: y.double() + (y.dim() > 1), "late", "Planes are wrong."),
        (lambda y: y.float() + (y.dim() > 1), "late", "Planes are wrong."),
        (lambda y: y.to_sparse(), "wrong_type", "sparse (torch.sparse_coo): `.to_dense()`"),
        (lambda y: y.to("meta"), "wrong_type", "holds no numbers"),
        (lambda y: y * torch.nan, "wrong_value", "0 / 0"),
        (lambda y: y / 0, "wrong_value", "infinite"),
        (lambda y: [1, [2]], "wrong_type", "not of one size"),
        (lambda y: {}, "wrong_type", "Numbers are expected; this is a dict."),
        (lambda y: y[0], "wrong_shape", "The shape is (); it should be (2,)."),
    ],
)
def test_a_wrong_kind_of_number_is_named_after_its_misconception(change, diagnosis, said):
    result = times_two(change)
    assert said in one_line(result)
    assert result.diagnosis == diagnosis


def test_numbers_that_python_computed_are_as_exact_as_float64():
    third = torch.tensor([1.0]).double() / 3
    assert fault(third, [1 / 3]) is None
    assert fault(third, [0.33333334]) is not None
    assert fault(3 * 10**11, 3 * 10**11 + 1) is not None
    assert fault(3 * 10**11, 3e11) is None


# ---- arguments ----------------------------------------------------------------------------------


def reverses(names, weights, table):
    names.reverse()
    return 1


def fills(names, weights, table):
    weights[0].zero_()
    return 1


def forgets(names, weights, table):
    table["a"]["b"] = torch.nan
    return 1


@pytest.mark.parametrize(
    ("changes", "name"), [(reverses, "names"), (fills, "weights"), (forgets, "table")]
)
def test_lists_and_dicts_changed_in_place_are_named_and_stay_whole_for_the_next(changes, name):
    case = Case((["a", "b"], [torch.tensor([torch.nan, 2])], {"a": {"b": 1.0}}))
    reference = lambda names, weights, table: 1  # noqa: E731
    exercise = Exercise("kept", "lesson 00, 'x'", reference, (), (case,))
    result = exercise(changes)
    assert result.diagnosis == "input_changed"
    assert f"`{name}`" in str(result)
    assert exercise(lambda names, weights, table: 1).passed
    assert not same([torch.ones(1)], [torch.ones(1).double()])


# ---- crashes ------------------------------------------------------------------------------------


def helper(x):
    return x.no_such_thing


def in_a_helper(x):
    return helper(x)


def in_a_nested_function(x):
    def inner(y):
        return y.no_such_thing

    return inner(x)


@functools.wraps(in_a_helper)
def decorated(*args):
    return torch.no_grad()(in_a_helper)(*args)


class Module(nn.Module):
    def forward(self, x):
        return x.no_such_thing


def key_of_sorted(x):
    return sorted([1, 2], key=lambda n: x.no_such_thing)


def crash(answer):
    exercise = Exercise(
        "crashes", "lesson 00, 'x'", lambda x: x, (), (Case((torch.ones(2),)),), seconds=2
    )
    return exercise(answer)


CRASHING = [
    in_a_helper,
    in_a_nested_function,
    decorated,
    Module(),
    key_of_sorted,
    lambda x: x.no_such_thing,
]


@pytest.mark.parametrize("answer", CRASHING)
def test_the_line_of_a_crash_is_the_students_innermost(answer):
    result = crash(answer)
    assert result.diagnosis == "crash"
    assert "AttributeError" in str(result)
    assert re.search(r"^  line \d+: .*\.no_such_thing", str(result), re.M), str(result)


def test_a_syntax_error_inside_eval_shows_the_line_with_eval():
    result = crash(lambda x: eval("1 +"))
    assert "SyntaxError: invalid syntax" in str(result)
    assert 'eval("1 +")' in str(result)


def test_recursion_without_end_is_one_line():
    def deeper(x):
        return deeper(x) + 1

    text = str(crash(deeper))
    assert "RecursionError: maximum recursion depth exceeded" in text
    assert "return deeper(x) + 1" in text
    assert len(text.splitlines()) < 8


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


def raising(error):
    def raises(x):
        raise error

    return raises


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unspeakable(), "Unspeakable: (its message cannot be shown)"),
        (ValueError("long " * 10_000), "long long …"),
        (KeyError("v"), "KeyError: 'v'"),
        (SystemExit(), "stopped with SystemExit"),
        (NotImplementedError("later"), "not attempted"),
    ],
)
def test_an_error_is_named_in_few_words(error, said):
    text = one_line(crash(raising(error)))
    assert said in text
    assert len(text) < 700


def test_what_torch_has_not_implemented_is_no_unattempted_exercise():
    class Torchs(torch.Tensor):
        pass

    result = crash(
        lambda x: x.to_sparse().tril_indices_are_missing if x is None else nn.Module()(x)
    )
    assert result.diagnosis == "crash"
    assert "forward" in str(result)


def test_a_function_of_other_arguments_is_named():
    result = crash(lambda: 1)
    assert "could not be used: TypeError" in one_line(result)
    assert "takes 0 positional arguments but 1 was given" in one_line(result)


def test_a_function_in_place_of_a_value_is_named():
    assert "A value is checked here; this is a function" in str(checks.pixels(lambda: 784))


# ---- printing and asking ------------------------------------------------------------------------


def test_what_an_answer_prints_is_shown_but_no_flood_of_it(capsys):
    def prints(x):
        print("x is", x)
        for number in range(100_000):
            print(number)
        return x

    assert crash(prints).passed
    printed = capsys.readouterr().out
    assert printed.startswith("x is tensor([1., 1.])\n0\n1\n")
    assert len(printed) < 5000
    assert re.search(r"\n… 9\d+ more printed lines are left out\.\n$", printed)


def test_input_is_not_waited_for_and_works_afterwards():
    before = input
    result = crash(lambda x: input("x?"))
    assert "EOFError: input() has nobody to ask" in one_line(result)
    assert input is before


# ---- loops --------------------------------------------------------------------------------------


def swallows(x):
    while True:
        try:
            while True:
                x = x + 1
        except BaseException:
            with contextlib.suppress(BaseException):
                time.sleep(0.001)


def test_a_loop_that_swallows_everything_is_put_to_sleep():
    start = threading.active_count()
    with pytest.raises(guard.OutOfTime) as late:
        guard.call(swallows, (0,), {}, seconds=0.1)
    assert threading.active_count() <= start + 1
    assert not late.value.busy
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def counts(steps):
    for _ in range(steps):
        pass


def test_an_answer_that_ends_just_when_it_is_stopped_leaves_no_exception_behind(monkeypatch):
    seen, often = [], sys.getswitchinterval()
    monkeypatch.setattr(threading, "excepthook", seen.append)
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    sys.setswitchinterval(1e-6)
    try:
        for steps in range(0, 60_000, 30):
            with contextlib.suppress(guard.OutOfTime):
                guard.call(counts, (steps,), {}, seconds=0.0005, without=["x"])
    finally:
        sys.setswitchinterval(often)
    assert seen == []


def test_modules_that_an_answer_loads_are_not_its_own_time(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for n in range(60):
        (tmp_path / f"slow_to_load_{n}.py").write_text("import time\ntime.sleep(0.02)")

    def answer(then):
        for n in range(60):
            importlib.import_module(f"slow_to_load_{n}")
        while then == "no end":
            time.sleep(0.01)
        return then

    assert guard.call(answer, ("an end",), {}, seconds=0.6) == "an end"
    with pytest.raises(guard.OutOfTime):
        guard.call(answer, ("no end",), {}, seconds=0.6)


def test_where_a_computation_goes_on_the_restart_of_the_kernel_is_advised(monkeypatch):
    monkeypatch.setattr(guard, "_stop", lambda thread: True)
    exercise = replace(EXERCISES["pointwise"], seconds=0.05)
    assert "restart the kernel" in one_line(exercise(lambda x, weight: time.sleep(0.3)))


# ---- what is not to be called -------------------------------------------------------------------

SAVED = F.conv2d
X, W = torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2)
FORBIDDEN = ("conv2d", "im2col")


@pytest.mark.parametrize(
    ("answer", "called"),
    [
        (F.conv2d, "conv2d"),
        (lambda x, w: F.conv2d(x, w), "conv2d"),
        (lambda x, w: torch.conv2d(x, w), "conv2d"),
        (lambda x, w: nn.Conv2d(1, 1, 2)(x), "conv2d"),
        (lambda x, w: SAVED(x, w), "conv2d"),
        (lambda x, w: nn.Unfold(2)(x), "im2col"),
        (lambda x, w: F.unfold(x, 2), "im2col"),
        (lambda x, w: ops.conv2d(x, w), "course_utils' conv2d"),
        (ops.conv2d, "course_utils' conv2d"),
        (lambda x, w: [ops.output_size(3, 2), F.conv2d(x, w)][1], "course_utils' output_size"),
    ],
)
def test_a_forbidden_call_is_seen_however_it_is_made(answer, called):
    with pytest.raises(guard.Shortcut, match=f"calls {called}"):
        guard.call(answer, (X, W), {}, 5, FORBIDDEN)


@pytest.mark.parametrize(
    "answer",
    [
        lambda x, w: torch.einsum("nchwij,ocij->nohw", x.unfold(2, 2, 1).unfold(3, 2, 1), w),
        lambda x, w: (x[:, :, :2, :2] * w).sum(),
        lambda x, w: F.max_pool2d(F.pad(x, (1, 1)), 2),
    ],
)
def test_what_is_not_forbidden_may_be_called(answer):
    assert torch.equal(guard.call(answer, (X, W), {}, 5, FORBIDDEN), answer(X, W))


def test_a_check_that_tries_an_answer_out_may_call_what_the_answer_may_not():
    exercise = replace(EXERCISES["edge_kernel"], without=("conv2d",))
    assert exercise(exercise.reference).passed
    exercise = replace(EXERCISES["learn_kernel"], without=("conv2d",))
    assert exercise(exercise.reference).diagnosis != "crash"


def test_the_hook_that_watches_is_gone_afterwards():
    seen = []
    guard.call(lambda: seen.append(sys.getprofile()), (), {}, 5, FORBIDDEN)
    guard.call(lambda: seen.append(sys.getprofile()), (), {}, 5)
    assert callable(seen[0])
    assert seen[1] is None
    assert sys.getprofile() is None
    assert guard.call(F.conv2d, (X, W), {}, 5).shape == (1, 1, 2, 2)


def test_a_function_that_lives_elsewhere_is_called_there():
    class Elsewhere:
        def call_elsewhere(self, args, kwargs, seconds, without):
            return args, kwargs, seconds, without

        def __call__(self):
            raise AssertionError

    assert guard.call(Elsewhere(), (1,), {"a": 2}, 3, ("b",)) == ((1,), {"a": 2}, 3, ("b",))


# ---- cases that say what they expect, and hidden ones -------------------------------------------


def test_cases_may_say_what_they_expect_and_names_what_the_arguments_are():
    cases = (Case((2,), expected=4), Case((3, 5), expected=6))
    exercise = Exercise("double", "", None, (), cases, names=("number",))
    assert exercise(lambda number, other=0: 2 * number).passed
    text = str(exercise(lambda number, other=0: number**2))
    assert text == (
        "✗ double: not yet. Case 2 of 2, the smallest that fails:\n  number = 3\n  argument 2 = 5\n"
        "  expected:\n    6*\n  got, * differs:\n    9*\nThe number differs."
    )


def test_a_hidden_case_shows_and_holds_nothing_of_itself():
    hidden = replace(EXERCISES["conv2d_plane"], hidden=True)
    result = hidden(hidden.mistakes[0].answer)
    assert one_line(result).startswith(f"✗ conv2d_plane: not yet. {hidden.mistakes[0].sentence}")
    assert not re.search(r"weight|expected|got|Case", str(result) + result._repr_html_())
    assert result.arguments == {}
    assert result.expected is None
    assert result.grids == ()


# ---- nothing is given away ----------------------------------------------------------------------


@functools.cache
def results_of(name):
    """(mistake, what the check says of it) for a whole table."""
    exercise = EXERCISES[name]
    return [(mistake, exercise(mistake.answer)) for mistake in exercise.mistakes]


def pieces(function):
    """The statements of a function and what it returns, without spaces; short ones left out."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):  # the text of a lambda is a part of a call
        return []
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    nodes += [n.value for n in nodes if isinstance(n, ast.Return | ast.Assign) and n.value]
    texts = ["".join(ast.get_source_segment(source, n).split()) for n in nodes]
    return [text for text in texts if len(text) >= 12 and not text.startswith('"""')]


def alone(number, text):
    """Whether a number stands in a text, by itself."""
    return re.search(rf"(?<![\d.,]){re.escape(f'{number:g}')}(?![\d]|[.,]\d)", text)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_no_wrong_answer_brings_the_solution_to_light(exercise):
    secret = torch.as_tensor(exercise.reference).flatten().tolist() if is_numbers(exercise) else []
    for mistake, result in results_of(exercise.name):
        shown = str(result) + result._repr_html_()
        for piece in pieces(exercise.reference):
            assert piece not in "".join(shown.split())
        if exercise.is_value or isinstance(exercise.reference, str | dict):
            assert result.expected is None
            assert "expected" not in result._repr_html_()
        theirs = str(mistake.answer)
        for number in secret:
            if abs(number) >= 10 and not alone(number, theirs):
                assert not alone(number, str(result)), str(result)


def is_numbers(exercise):
    return exercise.is_value and not isinstance(exercise.reference, tuple | str)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_an_exercise_itself_shows_neither_its_table_nor_its_reference(exercise):
    assert repr(exercise) == str(exercise)
    assert len(repr(exercise)) < 150
    assert not {"reference", "mistakes"} & set(dir(exercise))


# ---- how it looks -------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_text_and_html_say_the_same_and_the_text_fits_into_100_columns(exercise):
    for _, result in results_of(exercise.name):
        assert words(str(result)) == words_of_html(result)
        assert max(map(len, str(result).splitlines())) <= 100


def test_of_a_large_answer_the_part_with_the_first_differing_cell_is_shown():
    def wrong(x):
        y = x.clone()
        y[1, 0, 20, 25] += 1
        return y

    cases = (Case((torch.zeros(2, 1, 28, 30),)),)
    text = str(Exercise("large", "lesson 00, 'x'", lambda x: x, (), cases)(wrong))
    assert "got, * differs, at [1, 0, 17:25, 22:30]:" in text
    assert text.count("1*") == 1


# ---- in a real kernel ---------------------------------------------------------------------------

CELLS = [
    """import time
from dataclasses import replace
from course_utils import checks
quick = replace(checks.pointwise, seconds=0.2)""",
    """def helper(weight):
    return weight.no_such_thing""",
    """def crashes(x, weight):
    print("in the thread")
    return helper(weight)
quick(crashes)""",
    """def forever(x, weight):
    while True: pass
quick(forever)""",
    """def swallows(x, weight):
    while True:
        try:
            while True: weight = weight + 0
        except BaseException: pass
quick(swallows)""",
    """def sleeps(x, weight):
    time.sleep(10**6)
quick(sleeps)""",
    """def deeper(x, weight):
    return deeper(x, weight)
quick(deeper)""",
    """quick(lambda x, weight: input())""",
    """def prints(x, weight):
    for _ in range(10**6): print("flood")
replace(checks.pointwise, seconds=60)(prints)""",
    """def leaves(x, weight): raise SystemExit
quick(leaves)""",
    """start = time.process_time(); time.sleep(1); print(time.process_time() - start < 0.5)""",
    """import torch
def right(x, weight):
    return torch.einsum("oc,nchw->nohw", weight, x)
checks.pointwise(right)""",
]


@pytest.fixture(scope="module")
def answered():
    """What each cell shows in a kernel: (what is printed, the last value as text)."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    NotebookClient(notebook, kernel_name="python3", timeout=120, coalesce_streams=True).execute()
    shown = {}
    for cell in notebook.cells:
        printed = "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")
        values = [o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"]
        name = cell.source.splitlines()[-1].split("(")[-1].rstrip(")")
        shown[name] = printed, " ".join("".join(values).split())
    return shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("crashes", "AttributeError: 'Tensor' object has no attribute 'no_such_thing'"),
        ("crashes", "line 2: return weight.no_such_thing"),
        ("forever", "Stopped after 0.2 seconds: does a loop never end?"),
        ("swallows", "Stopped after 0.2 seconds: does a loop never end?"),
        ("sleeps", "Stopped after 0.2 seconds: does a loop never end?"),
        ("deeper", "RecursionError: maximum recursion depth exceeded"),
        ("deeper", "line 2: return deeper(x, weight)"),
        ("", "EOFError: input() has nobody to ask here"),
        ("leaves", "SystemExit"),
        ("right", "✓ pointwise: right."),
    ],
)
def test_in_a_kernel_nothing_stops_the_notebook(answered, name, said):
    assert said in answered[name][1]


def test_in_a_kernel_what_is_printed_reaches_the_cell_and_abandoned_threads_rest(answered):
    assert answered["crashes"][0] == "in the thread\n"
    assert re.search(r"flood\n… 999\d+ more printed lines are left out", answered["prints"][0])
    assert len(answered["prints"][0]) < 5000
    assert "True\n" in [printed for printed, _ in answered.values()]
