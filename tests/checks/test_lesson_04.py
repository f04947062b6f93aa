"""The checks of lesson 04 accept every right way to go backward, and to learn."""

import torch
import torch.nn.functional as F

from course_utils import checks, ops


def by_autograd(x, w, b):
    x, w, b = (torch.tensor(v, requires_grad=True) for v in (x, w, b))
    p = w * x
    z = p + b
    a = torch.relu(z)
    e = a - x
    return torch.autograd.grad(e**2, (e, a, z, p, b, w, x))


def by_formula(x, w, b):
    shut = w * x + b <= 0
    slope = 2 * (max(w * x + b, 0) - x)
    inner = 0 if shut else slope
    return [slope, slope, inner, inner, inner, inner * x, inner * w - slope]


def as_a_tensor_for_each(x, w, b):
    return tuple(torch.tensor(value, dtype=torch.float64) for value in by_formula(x, w, b))


def convolved(x, weight, grad_output, stride=1):
    """As convolutions: dL/dy is dilated by the stride, and the roles are exchanged."""
    grad_weight = F.conv2d(x.transpose(0, 1), grad_output.transpose(0, 1), dilation=stride)
    rows, columns = weight.shape[2:]
    extra = [(x.shape[d] - weight.shape[d]) % stride for d in (2, 3)]
    grad_x = F.conv_transpose2d(grad_output, weight, stride=stride, output_padding=extra)
    return grad_x, grad_weight.transpose(0, 1)[:, :, :rows, :columns], grad_output.sum((0, 2, 3))


def with_four_loops(x, weight, grad_output, stride=1):
    grad_x, grad_weight = torch.zeros_like(x), torch.zeros_like(weight)
    grad_bias = x.new_zeros(len(weight))
    for n in range(len(x)):
        for o in range(len(weight)):
            for i in range(grad_output.shape[2]):
                for j in range(grad_output.shape[3]):
                    g, top, left = grad_output[n, o, i, j], i * stride, j * stride
                    bottom, right = top + weight.shape[2], left + weight.shape[3]
                    grad_weight[o] += g * x[n, :, top:bottom, left:right]
                    grad_x[n, :, top:bottom, left:right] += g * weight[o]
                    grad_bias[o] += g
    return grad_x, grad_weight, grad_bias


def folded(x, weight, grad_output, stride=1):
    columns = F.unfold(x, weight.shape[2:], stride=stride)
    grads = grad_output.flatten(2)
    grad_weight = torch.einsum("nop,nkp->ok", grads, columns).view_as(weight)
    back = torch.einsum("ok,nop->nkp", weight.flatten(1), grads)
    grad_x = F.fold(back, x.shape[2:], weight.shape[2:], stride=stride)
    return [grad_x, grad_weight, grads.sum((0, 2))]


def asked_of_autograd(x, weight, grad_output, stride=1):
    leaves = [
        x.requires_grad_(),
        weight.requires_grad_(),
        x.new_zeros(len(weight)).requires_grad_(),
    ]
    output = F.conv2d(*leaves, stride=stride)
    return torch.autograd.grad(output, leaves, grad_output)


def unpooled(x, grad_output, kernel_size, stride):
    _, winners = F.max_pool2d(x[None], kernel_size, stride, return_indices=True)
    grad_x = torch.zeros(x.numel(), dtype=x.dtype)
    return grad_x.index_add(0, winners.flatten(), grad_output.flatten()).view_as(x)


def pooled_by_autograd(x, grad_output, kernel_size, stride):
    leaf = x.clone().requires_grad_()
    F.max_pool2d(leaf[None], kernel_size, stride)[0].backward(grad_output)
    return leaf.grad


def searched_in_loops(x, grad_output, kernel_size, stride):
    grad_x = [[0.0] * x.shape[1] for _ in range(x.shape[0])]
    for i in range(grad_output.shape[0]):
        for j in range(grad_output.shape[1]):
            best, place = -float("inf"), None
            for r in range(i * stride, i * stride + kernel_size):
                for c in range(j * stride, j * stride + kernel_size):
                    if x[r, c] > best:
                        best, place = x[r, c], (r, c)
            grad_x[place[0]][place[1]] += float(grad_output[i, j])
    return torch.tensor(grad_x, dtype=x.dtype)


class WithFactors(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, slope):
        factor = torch.full_like(z, slope)
        factor[z > 0] = 1
        ctx.save_for_backward(factor)
        return z * factor

    @staticmethod
    def backward(ctx, grad_output):
        (factor,) = ctx.saved_tensors
        return grad_output * factor, None


class WithMaximum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, slope):
        ctx.open, ctx.slope = z > 0, slope
        return torch.maximum(z, slope * z)

    @staticmethod
    def backward(ctx, grad_output):
        return torch.where(ctx.open, grad_output, grad_output * ctx.slope), None


class WithClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, slope):
        ctx.z, ctx.slope = z, slope
        return z.clamp(min=0) + slope * z.clamp(max=0)

    @staticmethod
    def backward(ctx, grad_output):
        grad_z = grad_output.clone()
        grad_z[ctx.z <= 0] *= ctx.slope
        return grad_z, None


def test_a_function_in_place_of_a_class_is_named():
    for wrong in (F.leaky_relu, WithClamp.apply, torch.nn.LeakyReLU, 3):
        assert checks.leaky_relu_function(wrong).diagnosis == "wrong_type"


def test_an_empty_class_is_not_attempted_and_half_a_class_is_sent_to_its_other_half():
    class Empty(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z, slope):
            """What it does."""
            ...  # noqa: PIE790

        @staticmethod
        def backward(ctx, grad_output):
            """What it does."""
            ...  # noqa: PIE790

    class Half(Empty):
        forward = WithFactors.forward

    assert checks.leaky_relu_function(Empty).diagnosis == "not_attempted"
    result = checks.leaky_relu_function(Half)
    assert result.diagnosis == "no_gradient"
    assert "`backward`" in str(result)


def test_a_crash_in_either_pass_is_reported_with_the_students_line():
    class CrashesForward(WithFactors):
        @staticmethod
        def forward(ctx, z, slope):
            return z.no_such_name

    class CrashesBackward(WithFactors):
        @staticmethod
        def backward(ctx, grad_output):
            return grad_output.no_such_other_name

    class GivesTooLittle(WithFactors):
        @staticmethod
        def backward(ctx, grad_output):
            return grad_output

    for wrong, line in (
        (CrashesForward, "return z.no_such_name"),
        (CrashesBackward, "return grad_output.no_such_other_name"),
    ):
        result = checks.leaky_relu_function(wrong)
        assert result.diagnosis == "crash"
        assert line in str(result)
    assert "expected 2, got 1" in str(checks.leaky_relu_function(GivesTooLittle))


def with_backward(x, target, lr, steps):
    weight = torch.zeros(1, 1, 3, 3, dtype=x.dtype, requires_grad=True)
    for _ in range(steps):
        F.mse_loss(F.conv2d(x, weight), target).backward()
        with torch.no_grad():
            weight -= lr * weight.grad
            weight.grad.zero_()
    return weight


def with_an_optimizer(x, target, lr, steps):
    layer = torch.nn.Conv2d(1, 1, 3, bias=False, dtype=x.dtype)
    torch.nn.init.zeros_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(layer(x), target).backward()
        optimizer.step()
    return layer.weight


def with_the_backward_of_lesson_04(x, target, lr, steps):
    weight = x.new_zeros(1, 1, 3, 3)
    for _ in range(steps):
        difference = ops.conv2d(x, weight) - target
        grad_y = 2 * difference / difference.numel()
        weight = weight - lr * ops.conv2d_backward(x, weight, grad_y)[1]
    return weight


RIGHT = {
    "graph_gradients": [by_autograd, by_formula, as_a_tensor_for_each],
    "image_gradient_by_hand": [
        kind([[1, 1, -2], [5, 5, -4], [6, 8, 0]])
        for kind in (list, torch.tensor, lambda rows: torch.tensor(rows).double())
    ],
    "conv2d_backward": [convolved, with_four_loops, folded, asked_of_autograd, ops.conv2d_backward],
    "max_pool2d_backward": [unpooled, pooled_by_autograd, searched_in_loops],
    "leaky_relu_function": [WithFactors, WithMaximum, WithClamp],
    "learn_kernel": [with_backward, with_an_optimizer, with_the_backward_of_lesson_04],
}
