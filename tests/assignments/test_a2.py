"""A2: right answers of every style are accepted, and everybody's own numbers make a fair task."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from hidden import a2, a2_by_hand, a2_rules

from course_utils import ops
from course_utils.assignments import own_numbers as numbers
from course_utils.checks.engine.compare import fault

IDS = ["ada", *(f"s{number:06d}" for number in range(12_000, 12_400))]
FUNCTIONS = (
    a2.numerical_gradient,
    a2.avg_pool2d_backward,
    a2_rules.swish_backward,
    a2_rules.nesterov_step,
)

# ---- a gradient by nudges -----------------------------------------------------------------------


def nudges_on_copies(f, x, eps=1e-6):
    grad = torch.zeros_like(x)
    for place in itertools.product(*(range(size) for size in x.shape)):
        up, down = x.clone(), x.clone()
        up[place] += eps
        down[place] -= eps
        grad[place] = (f(up) - f(down)) / (2 * eps)
    return grad


def nudges_put_back(f, x, eps=1e-6):
    flat, slopes = x.view(-1), []
    for cell in range(flat.numel()):
        before = flat[cell].item()
        flat[cell] = before + eps
        up = f(x).item()
        flat[cell] = before - eps
        down = f(x).item()
        flat[cell] = before
        slopes.append((up - down) / (2 * eps))
    return torch.tensor(slopes, dtype=x.dtype).view(x.shape)


def nudges_of_an_identity(f, x, eps=1e-6):
    nudges = eps * torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    slopes = [f(x + nudge) / (2 * eps) - f(x - nudge) / (2 * eps) for nudge in nudges]
    return torch.stack(slopes).reshape(x.shape)


def nudges_in_turn(f, x, eps=1e-6):
    nudged, grad = x.detach().clone(), torch.empty_like(x)
    for place in torch.ones_like(x).nonzero().tolist():
        place = tuple(place)
        nudged[place] = x[place] + eps
        grad[place] = f(nudged)
        nudged[place] = x[place] - eps
        grad[place] -= f(nudged)
        nudged[place] = x[place]
    return grad / 2 / eps


@pytest.mark.parametrize(
    "right", [nudges_on_copies, nudges_put_back, nudges_of_an_identity, nudges_in_turn]
)
def test_every_style_of_a_numerical_gradient_is_accepted(right):
    result = a2.numerical_gradient(right)
    assert result.passed, str(result)


def by_backward(f, x, eps=1e-6):
    x = x.clone().requires_grad_()
    f(x).backward()
    return x.grad


def by_dual_numbers(f, x, eps=1e-6):
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        return torch.autograd.forward_ad.unpack_dual(f(dual)).tangent


@pytest.mark.parametrize(
    "shortcut",
    [
        by_backward,
        lambda f, x, eps=1e-6: torch.autograd.grad(f(x.requires_grad_()), x)[0],
        pytest.param(lambda f, x, eps=1e-6: torch.func.grad(f)(x), marks=pytest.mark.more),
        lambda f, x, eps=1e-6: torch.autograd.functional.jacobian(f, x),
        pytest.param(by_dual_numbers, marks=pytest.mark.more),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")
def test_autograd_is_refused_as_a_numerical_gradient(shortcut):
    shortcut(lambda x: x.sum(), torch.ones(1))  # the first use of torch.func imports for seconds
    assert a2.numerical_gradient(shortcut).diagnosis == "shortcut"


def test_a_nudge_taken_back_by_arithmetic_changes_x_and_is_refused():
    def drifts(f, x, eps=1e-6):
        grad = torch.zeros_like(x)
        for place in itertools.product(*(range(size) for size in x.shape)):
            x[place] += eps
            up = f(x)
            x[place] -= 2 * eps
            grad[place] = (up - f(x)) / (2 * eps)
            x[place] += eps
        return grad

    assert a2.numerical_gradient(drifts).diagnosis == "input_changed"


def test_the_functions_of_the_cases_can_be_sent_to_another_process():
    for case in a2.numerical_gradient.cases:
        code = case.args[0].__code__
        assert not code.co_freevars
        assert set(code.co_names) & set(vars(a2)) <= {"torch", "F"}


# ---- back through an average pooling ------------------------------------------------------------


def pooling_in_loops(grad_output, x_shape, kernel_size, stride):
    grad_x = grad_output.new_zeros(x_shape)
    images, channels, rows, columns = grad_output.shape
    for n, c in itertools.product(range(images), range(channels)):
        for i, j in itertools.product(range(rows), range(columns)):
            for m, k in itertools.product(range(kernel_size), range(kernel_size)):
                share = grad_output[n, c, i, j] / (kernel_size * kernel_size)
                grad_x[n, c, i * stride + m, j * stride + k] += share
    return grad_x


def pooling_by_shifts(grad_output, x_shape, kernel_size, stride):
    grad_x = torch.zeros(x_shape, dtype=grad_output.dtype)
    down, across = (stride * (size - 1) + 1 for size in grad_output.shape[2:])
    for m, k in itertools.product(range(kernel_size), range(kernel_size)):
        grad_x[:, :, m : m + down : stride, k : k + across : stride] += grad_output
    return grad_x / kernel_size**2


def pooling_by_fold(grad_output, x_shape, kernel_size, stride):
    images, channels, height, width = x_shape
    rows, columns = grad_output.shape[2:]
    used = [(n - 1) * stride + kernel_size for n in (rows, columns)]
    patches = (grad_output / kernel_size**2).reshape(images * channels, 1, rows * columns)
    patches = patches.expand(-1, kernel_size**2, -1)
    inside = F.fold(patches, used, kernel_size, stride=stride)
    inside = inside.reshape(images, channels, *used)
    return F.pad(inside, (0, width - used[1], 0, height - used[0]))


def pooling_transposed(grad_output, x_shape, kernel_size, stride):
    weight = grad_output.new_full((x_shape[1], 1, kernel_size, kernel_size), 1 / kernel_size**2)
    inside = F.conv_transpose2d(grad_output, weight, stride=stride, groups=x_shape[1])
    rest = [x_shape[side] - inside.shape[side] for side in (3, 2)]
    return F.pad(inside, (0, rest[0], 0, rest[1]))


def pooling_by_matrices(grad_output, x_shape, kernel_size, stride):
    def reads(size, count):
        cell, first = torch.arange(size), stride * torch.arange(count)[:, None]
        read = (cell >= first) & (cell < first + kernel_size)
        return read.to(grad_output.dtype) / kernel_size

    rows, columns = (reads(x_shape[n], grad_output.shape[n]) for n in (2, 3))
    return rows.T @ grad_output @ columns


@pytest.mark.parametrize(
    "right",
    [
        pooling_in_loops,
        pooling_by_shifts,
        pooling_by_fold,
        pooling_transposed,
        pooling_by_matrices,
    ],
)
def test_every_style_of_a_pooling_backward_is_accepted(right):
    result = a2.avg_pool2d_backward(right)
    assert result.passed, str(result)


def pool_and_go_back(pool):
    def shortcut(grad_output, x_shape, kernel_size, stride):
        x = torch.zeros(x_shape, dtype=grad_output.dtype, requires_grad=True)
        return torch.autograd.grad(pool(x, kernel_size, stride), x, grad_output)[0]

    return shortcut


def aten(grad_output, x_shape, kernel_size, stride):
    x = torch.zeros(x_shape, dtype=grad_output.dtype)
    options = ([kernel_size] * 2, [stride] * 2, [0, 0], False, True, None)
    return torch.ops.aten.avg_pool2d_backward(grad_output, x, *options)


@pytest.mark.parametrize(
    "shortcut",
    [
        pool_and_go_back(F.avg_pool2d),
        pool_and_go_back(lambda x, k, s: torch.nn.AvgPool2d(k, s)(x)),
        pool_and_go_back(lambda x, k, s: x.unfold(2, k, s).unfold(3, k, s).mean((4, 5))),
        pool_and_go_back(ops.avg_pool2d),
        aten,
    ],
)
def test_a_pooling_of_pytorch_or_of_the_course_is_refused(shortcut):
    assert a2.avg_pool2d_backward(shortcut).diagnosis == "shortcut"


def test_the_pooling_reference_is_what_autograd_says():
    for case in a2.avg_pool2d_backward.cases:
        torch.testing.assert_close(
            a2.avg_pool2d_backward.reference(*case.args), pool_and_go_back(F.avg_pool2d)(*case.args)
        )


# ---- swish --------------------------------------------------------------------------------------


def swish_from_its_output(grad_output, x, beta=1.0):
    s = 1 / (1 + torch.exp(-beta * x))
    y = x * s
    grad_beta = (grad_output * y * (x - y)).sum().item()
    return grad_output * (beta * y + s * (1 - beta * y)), grad_beta


def swish_step_by_step(grad_output, x, beta=1.0):
    s = torch.sigmoid(beta * x)
    grad_t = grad_output * x * s * torch.sigmoid(-beta * x)
    return torch.add(grad_output * s, grad_t, alpha=beta), torch.einsum("i,i", *both(grad_t, x))


def both(one, other):
    return one.flatten(), other.flatten()


def swish_in_loops(grad_output, x, beta=1.0):
    grad_x, grad_beta = torch.empty_like(x), 0.0
    for place in itertools.product(*(range(size) for size in x.shape)):
        s = torch.sigmoid(beta * x[place])
        grad_x[place] = grad_output[place] * (s + beta * x[place] * s * (1 - s))
        grad_beta += grad_output[place] * x[place] ** 2 * s * (1 - s)
    return grad_x, grad_beta


@pytest.mark.parametrize("right", [swish_from_its_output, swish_step_by_step, swish_in_loops])
def test_every_style_of_a_swish_backward_is_accepted(right):
    result = a2_rules.swish_backward(right)
    assert result.passed, str(result)


def swish_by_autograd(grad_output, x, beta=1.0):
    x, beta = x.clone().requires_grad_(), torch.tensor(beta, dtype=x.dtype, requires_grad=True)
    return torch.autograd.grad(x * torch.sigmoid(beta * x), (x, beta), grad_output)


def test_autograd_is_refused_as_a_swish_backward():
    assert a2_rules.swish_backward(swish_by_autograd).diagnosis == "shortcut"


def test_the_swish_reference_is_what_autograd_says():
    for case in a2_rules.swish_backward.cases:
        torch.testing.assert_close(
            a2_rules.swish_backward.reference(*case.args, **case.kwargs),
            swish_by_autograd(*case.args, **case.kwargs),
        )


# ---- Nesterov's momentum ------------------------------------------------------------------------


def nesterov_with_zeros(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    buffer = torch.zeros_like(parameter) if buffer is None else buffer
    grad = grad + weight_decay * parameter
    new = momentum * buffer + grad
    return parameter - lr * grad - lr * momentum * new, new


def nesterov_in_place_on_copies(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    grad = grad.add(parameter, alpha=weight_decay)
    buffer = grad.clone() if buffer is None else buffer.clone().mul_(momentum).add_(grad)
    return parameter.clone().add_(grad.add(buffer, alpha=momentum), alpha=-lr), buffer


def nesterov_number_by_number(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    old = [0.0] * parameter.numel() if buffer is None else buffer.flatten().tolist()
    weights, buffers = [], []
    for w, g, v in zip(parameter.flatten().tolist(), grad.flatten().tolist(), old, strict=True):
        g += weight_decay * w
        buffers.append(momentum * v + g)
        weights.append(w - lr * (g + momentum * buffers[-1]))
    like = {"dtype": parameter.dtype}
    return [torch.tensor(part, **like).reshape(parameter.shape) for part in (weights, buffers)]


@pytest.mark.parametrize(
    "right", [nesterov_with_zeros, nesterov_in_place_on_copies, nesterov_number_by_number]
)
def test_every_style_of_a_nesterov_step_is_accepted(right):
    result = a2_rules.nesterov_step(right)
    assert result.passed, str(result)


def test_torchs_own_optimizer_is_refused():
    def shortcut(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
        w = torch.nn.Parameter(parameter.clone())
        w.grad = grad.clone()
        options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": True}
        optimizer = torch.optim.SGD([w], **options)
        if buffer is not None:
            optimizer.state[w]["momentum_buffer"] = buffer.clone()
        optimizer.step()
        return w.detach(), optimizer.state[w]["momentum_buffer"]

    # The first use of torch.optim imports for seconds; stopped half-way, it would be broken.
    shortcut(torch.ones(1), torch.ones(1), None, 0.1, 0.9)
    assert a2_rules.nesterov_step(shortcut).diagnosis == "shortcut"


def test_changing_the_buffer_in_place_is_named():
    def in_place(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
        grad = grad + weight_decay * parameter
        buffer = grad if buffer is None else buffer.mul_(momentum).add_(grad)
        return parameter - lr * (grad + momentum * buffer), buffer

    assert a2_rules.nesterov_step(in_place).diagnosis == "input_changed"


@pytest.mark.parametrize("weight_decay", [0.0, 0.02])
def test_the_nesterov_reference_walks_with_torch(weight_decay):
    draw = torch.Generator().manual_seed(0)
    start, *gradients = torch.randn(51, 4, dtype=torch.float64, generator=draw)
    w = torch.nn.Parameter(start.clone())
    options = {"lr": 0.05, "momentum": 0.9, "weight_decay": weight_decay}
    optimizer, mine, buffer = torch.optim.SGD([w], nesterov=True, **options), start, None
    for gradient in gradients:
        w.grad = gradient.clone()
        optimizer.step()
        mine, buffer = a2_rules.nesterov_step.reference(mine, gradient, buffer, **options)
        torch.testing.assert_close(mine, w.detach(), rtol=0, atol=1e-12)


# ---- the tables of wrong answers ----------------------------------------------------------------


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.name)
def test_the_reference_is_accepted_and_no_number_of_a_case_is_shown(exercise):
    assert exercise(exercise.reference).passed
    wrong = exercise(exercise.mistakes[0].answer)
    assert "tensor" not in str(wrong)
    assert not wrong.arguments
    assert len(exercise.mistakes) >= 8


# ---- by hand ------------------------------------------------------------------------------------


def flat(answer):
    """An answer as something that can be compared and put into a set."""
    tensor = torch.as_tensor(answer).double()
    return tuple(tensor.shape), tuple((tensor.flatten() + 0.0).tolist())


def test_nobody_gets_numbers_with_which_a_wrong_way_is_right_or_two_look_the_same():
    for student_id in IDS:
        for of in a2_by_hand.BY_HAND:
            exercise = of(student_id)
            seen = {flat(exercise.reference): "right"}
            for mistake in exercise.mistakes:
                for answer in mistake.answers:
                    name = seen.setdefault(flat(answer), mistake.name)
                    assert name == mistake.name, f"{student_id}: {name} and {mistake.name}"


def test_the_numbers_differ_between_students_and_are_the_same_for_one():
    graphs = {tuple(numbers.a2_graph(student_id).values()) for student_id in IDS}
    assert len(graphs) > len(IDS) / 2
    planes = {str(numbers.a2_convolution(student_id)) for student_id in IDS}
    assert len(planes) == len(IDS)
    assert numbers.a2_graph(" Ada ") == numbers.a2_graph("ada")


def test_what_is_right_by_hand_is_what_autograd_says():
    for student_id in IDS[:40]:
        own = numbers.a2_graph(student_id)
        for c, of, last in (
            ("c", a2_by_hand.graph_gradients, 6),
            ("c_shut", a2_by_hand.shut_gradients, 2),
        ):
            u, v = (torch.tensor(float(own[name]), requires_grad=True) for name in "uv")
            p = u * v
            z = p + own[c]
            r = torch.relu(z)
            e = r - own["k"] * p
            gradients = torch.autograd.grad(e**2, (e, r, z, p, u, v))
            assert (z > 0) == (c == "c")
            assert fault(of(student_id).reference, torch.stack(gradients[-last:])) is None
        image, kernel, grad_output = (t.double() for t in numbers.a2_convolution(student_id))
        leaves = [t[None, None].requires_grad_() for t in (image, kernel)]
        back = torch.autograd.grad(F.conv2d(*leaves), leaves, grad_output[None, None])
        for of, gradient in zip(a2_by_hand.BY_HAND[2:], back, strict=True):
            assert fault(of(student_id).reference, gradient[0, 0]) is None


def test_what_is_right_by_hand_is_small_enough_for_a_pencil():
    largest = [
        abs(number)
        for student_id in IDS
        for of in a2_by_hand.BY_HAND
        for number in torch.tensor(of(student_id).reference).flatten().tolist()
    ]
    assert max(largest) < 600
    assert sum(n > 300 for n in largest) < len(largest) / 20


@pytest.mark.parametrize("of", a2_by_hand.BY_HAND, ids=lambda of: of.__name__)
def test_a_check_by_hand_accepts_lists_and_tensors_and_shows_no_number(of):
    exercise = of("ada")
    assert exercise(exercise.reference).passed
    assert exercise(torch.tensor(exercise.reference)).passed
    assert exercise(torch.tensor(exercise.reference).double()).passed
    wrong = exercise(torch.tensor(exercise.reference) + 0.5)
    assert wrong.diagnosis == "wrong_value"
    assert "expected" not in str(wrong)
    assert len(exercise.mistakes) >= 8
