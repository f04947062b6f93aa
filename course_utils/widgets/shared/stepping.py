"""What a widget shares with others that show one number of their output at a time."""

import traitlets

from course_utils.widgets.shared.base import CourseWidget


class SteppingWidget(CourseWidget):
    """A widget with an `output` (H, W), of which it shows the number at its trait `position`."""

    @property
    def place(self):
        """Row and column of that number."""
        return divmod(self.position, self.output.shape[1])

    @traitlets.validate("position")
    def _there(self, proposal):
        height, width = self.output.shape
        if proposal["value"] >= height * width:
            raise traitlets.TraitError(
                f"position={proposal['value']} is not there: the output has {height} × {width} "
                f"numbers, so position goes from 0 to {height * width - 1}"
            )
        return proposal["value"]

    def _stay_inside(self):
        self.position = min(self.position, self.output.numel() - 1)

    def _say_place(self):
        """Where that is, in the words that the browser has as well."""
        (height, width), (row, column) = self.output.shape, self.place
        return (
            f"Number {self.position + 1} of {height} × {width}, in row {row} and column {column} "
            "of the output: "
        )
