"""Every check rejects known wrong answers with their own diagnosis, and accepts the right ones."""

import contextlib
import threading
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils import checks
from course_utils.checks import EXERCISES
from course_utils.checks.engine import guard
from course_utils.checks.engine.compare import fault

MISTAKES = [
    pytest.param(e, m, answer, id=f"{e.name}-{m.name}-{number}")
    for e in EXERCISES.values()
    for m in e.mistakes
    for number, answer in enumerate(m.answers)
]


@pytest.mark.parametrize(("exercise", "mistake", "answer"), MISTAKES)
def test_a_known_mistake_is_rejected_with_its_own_diagnosis(exercise, mistake, answer):
    result = exercise(answer)
    assert not result.passed
    assert result.diagnosis == mistake.name
    assert mistake.sentence in " ".join(str(result).split())


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_the_reference_is_accepted(exercise):
    result = exercise(exercise.reference)
    assert result.passed, str(result)
    assert result.diagnosis is None


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_every_exercise_knows_at_least_eight_mistakes_and_sends_to_a_lesson(exercise):
    assert len(exercise.mistakes) >= 8
    assert exercise.lesson.startswith("lesson ")
    assert len({m.name for m in exercise.mistakes}) == len(exercise.mistakes)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
@pytest.mark.parametrize("nothing", [None, ...])
def test_not_attempted_is_said_and_raises_nothing(exercise, nothing):
    result = exercise(nothing)
    assert not result.passed
    assert result.diagnosis == "not_attempted"
    assert "not attempted yet" in str(result)


def test_the_stub_of_a_lesson_counts_as_not_attempted():
    def my_conv2d(x, weight, bias=None, stride=1, padding=0):
        """(N, C, H, W) -> (N, C_out, H_out, W_out)."""
        ...  # noqa: PIE790

    def raises(x, weight, bias=None, stride=1, padding=0):
        raise NotImplementedError

    assert checks.conv2d(my_conv2d).diagnosis == "not_attempted"
    assert checks.conv2d(raises).diagnosis == "not_attempted"
    assert not guard.is_stub(F.conv2d)
    assert not guard.is_stub(lambda: 0)


def test_a_crash_is_reported_with_the_students_line():
    def crashes(x, weight, bias=None, stride=1, padding=0):
        return x @ weight.no_such_name

    result = checks.conv2d(crashes)
    assert result.diagnosis == "crash"
    assert "AttributeError" in str(result)
    assert "return x @ weight.no_such_name" in str(result)


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_leaving_the_program_costs_only_the_answer(ending):
    def leaves(x, weight, bias=None, stride=1, padding=0):
        raise ending

    assert checks.conv2d(leaves).diagnosis == "crash"


def test_an_endless_loop_is_stopped_even_if_it_swallows_exceptions():
    def endless(x):
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.001)

    with pytest.raises(guard.OutOfTime):
        guard.call(endless, (1,), {}, seconds=0.2)


def test_time_in_which_other_programs_keep_an_answer_waiting_is_not_counted(monkeypatch):
    def ready(x):
        time.sleep(0.3)
        return x

    monkeypatch.setattr(guard, "_queued", lambda thread: 600.0)
    assert guard.call(ready, (1,), {}, seconds=0.1) == 1


def test_where_nobody_counts_that_time_there_is_none():
    assert guard._queued(threading.current_thread()) >= 0
    ended = threading.Thread(target=int)
    assert guard._queued(ended) == 0, "it has no number yet"


def test_an_endless_loop_is_named():
    def endless(size, kernel_size, stride=1, padding=0, dilation=1):
        while True:
            size += 1

    quick = replace(EXERCISES["output_size"], seconds=0.2)
    assert quick(endless).diagnosis == "endless_loop"


def test_an_input_changed_in_place_is_named():
    def changes(x, weight, bias=None, stride=1, padding=0):
        answer = F.conv2d(x, weight, bias, stride, padding)
        x *= 2
        return answer

    result = checks.conv2d(changes)
    assert result.diagnosis == "input_changed"
    assert "`x`" in str(result) or "`input`" in str(result)


def test_a_forgotten_return_is_named():
    def forgets(x, weight, bias=None, stride=1, padding=0):
        F.conv2d(x, weight, bias, stride, padding)

    assert checks.conv2d(forgets).diagnosis == "returned_nothing"


def test_a_call_in_place_of_a_function_is_named():
    result = checks.conv2d(F.conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1)))
    assert result.diagnosis == "wrong_type"
    assert "checks.conv2d(my_function)" in str(result)


def test_wrong_type_shape_and_dtype_are_told_apart():
    def conv(change):
        return lambda x, weight, bias=None, stride=1, padding=0: change(
            F.conv2d(x, weight, bias, stride, padding)
        )

    assert checks.conv2d(conv(lambda y: "text")).diagnosis == "wrong_type"
    assert checks.conv2d(conv(lambda y: y[0, 0])).diagnosis == "wrong_shape"
    assert checks.conv2d(conv(lambda y: y.half())).diagnosis == "wrong_dtype"
    assert checks.conv2d(conv(lambda y: y + 1)).diagnosis == "wrong_value"


def test_the_smallest_failing_case_is_shown_with_its_cells_marked():
    def wrong_corner(x, weight, bias=None, stride=1, padding=0):
        y = F.conv2d(x, weight, bias, stride, padding)
        y[0, 0, 0, 0] += 1
        return y

    text = str(checks.conv2d(wrong_corner))
    assert "Case 1 of" in text
    assert "got, * differs:" in text
    assert text.count("*") == 1 + 2  # the one wrong cell, in what was expected and in what came


def test_the_solution_of_an_exercise_without_code_is_not_given_away():
    result = checks.output_by_hand([[4, 5], [-2, 7]])
    assert "7*" in str(result)
    assert "expected" not in str(result) + result._repr_html_()
    assert "expected" not in str(checks.output_by_hand([4, 5]))


def test_an_answer_of_the_wrong_kind_is_named_before_it_is_tried():
    result = checks.edge_kernel([[1, 2], [0, 0]])
    assert result.diagnosis == "wrong_type"
    assert "The kernel has shape (2, 2); it should be (3, 3)." in str(result)
    assert checks.edge_kernel("Sobel").diagnosis == "wrong_type"
    assert "picture = [[" in str(checks.edge_kernel([[0] * 3] * 3))


def test_html_escapes_what_a_student_wrote():
    def crashes(x, weight, bias=None, stride=1, padding=0):
        raise ValueError("<script>")

    assert "<script>" not in checks.conv2d(crashes)._repr_html_()


def test_comparing_tells_close_from_equal():
    right = torch.ones(2, dtype=torch.float64)
    assert fault(right, right + 1e-12) is None
    assert fault(right, right + 1e-6) is not None
    assert fault((1.0, 2.0), (1.0, 2.5)) is not None
    assert fault("valid", "valid") is None


@pytest.mark.parametrize(
    ("prediction", "said"),
    [(None, "No prediction made. It is 4."), (4, "and so it is"), (5, "You predicted 5; it is 4.")],
)
def test_a_prediction_is_set_beside_what_happened(prediction, said, capsys):
    checks.compare_prediction(prediction, 4)
    assert said in capsys.readouterr().out


RIGHT, ENOUGH, NEAR, FAR = "so it is", "close enough", "That is near", "What did you expect"


@pytest.mark.parametrize(
    ("prediction", "actual", "said"),
    [
        ("37", 37, RIGHT),
        (" 37 ", 37, RIGHT),
        ("37.0", 37, RIGHT),
        ("36", 37, NEAR),
        (36, 37, NEAR),
        ("1,024", 1024, RIGHT),
        ("−3", -3, RIGHT),
        (37.0, 37, RIGHT),
        (torch.tensor(37), 37, RIGHT),
        (np.float32(37), 37, RIGHT),
        (2.303, 2.3, RIGHT),
        (2.3026, 2.3, RIGHT),
        (2 / 11, 0.18, RIGHT),
        ("2/11", 0.18, RIGHT),
        (Fraction(2, 11), 0.18, RIGHT),
        (0.96, 0.97, ENOUGH),
        (0.4, 0.39, ENOUGH),
        ("96 %", 0.97, ENOUGH),
        ("0,97", 0.97, RIGHT),
        (0.85, 0.97, NEAR),
        (0.1, 0.97, FAR),
        (97, 0.97, FAR),
        ("a lot", 0.97, FAR),
        (float("nan"), 0.97, FAR),
        ("1/0", 0.97, FAR),
        (True, 1, FAR),
        (0, 0, RIGHT),
        (12, 12.0, RIGHT),
        (12.3, 12.0, NEAR),
        (0.001, 0.0, FAR),
        (0.2, 0.0, FAR),
        (3, 0, FAR),
        (1e300, 12, FAR),
        ("More ", "more", RIGHT),
        ("less", "more", FAR),
        ("yes", True, RIGHT),
        ("False", False, RIGHT),
        (False, True, FAR),
        ((1, 2), (1, 2), RIGHT),
        ([1, 2], (1, 3), FAR),
    ],
)
def test_a_better_answer_is_never_scolded_and_near_is_told_from_far(
    prediction, actual, said, capsys
):
    checks.compare_prediction(prediction, actual)
    assert said in capsys.readouterr().out


def test_a_question_may_have_a_tolerance_of_its_own(capsys):
    checks.compare_prediction(90, 100, tolerance=0.1)
    checks.compare_prediction(0.99, 1.0, tolerance=0)
    assert [line[-6:] for line in capsys.readouterr().out.splitlines()] == ["nough.", "rence?"]


def test_a_wrong_number_in_a_small_case_comes_before_a_crash_in_a_larger_one():
    def no_stride(x, weight, bias=None, padding=0):
        return F.conv2d(x, weight.flip(-1, -2), bias, padding=padding)

    result = checks.conv2d(no_stride)
    assert result.number == 0
    assert result.diagnosis == "flipped_kernel"
