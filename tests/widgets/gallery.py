"""A notebook with every widget of the course, for the tests that need a real kernel."""

import nbformat

# What each widget's cell says; the widget is kept under the first word.
CELLS = {
    "ConvolutionStepper": "stepper = widgets.ConvolutionStepper()",
    "KernelPlayground": "playground = widgets.KernelPlayground()",
    "PoolingExplorer": "pooling = widgets.PoolingExplorer()",
    "GradientTracer": "tracer = widgets.GradientTracer()",
    "ShapeBuilder": "builder = widgets.ShapeBuilder(models.mnist_cnn())",
    "DepthExplorer": "depth = widgets.DepthExplorer()",
    "DigitPad": "pad = widgets.DigitPad(models.mnist_cnn())",
}


def write(path):
    """Write the notebook to `path`: one cell of imports, then one for each widget."""
    code = nbformat.v4.new_code_cell
    cells = [code("import torch\nfrom course_utils import models, widgets\ntorch.manual_seed(0)")]
    cells += [code(f"{line}\n{line.split(' = ')[0]}") for line in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return notebook
