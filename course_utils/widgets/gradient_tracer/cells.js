// What GradientTracer's grids show, cell by cell, for `NumberGrid.show`. No DOM here.

import { formatNumber } from "../shared/numbers.js";
import { gradientName } from "./words.js";

/**
 * The cells of a forward grid. `marks` maps "grid,row,column" to the class of a cell that goes into
 * the one that is told, and `told` is that one: { back, name, row, column }, or null.
 */
export function forwardCells({ state, forward, marks, told }, name, values) {
  const { padding, input, pooling, source } = state;
  const won = new Set(name === "a" && pooling === "max" ? forward.winners.flat().map(String) : []);
  return values.map((line, row) =>
    line.map((value, column) => {
      const edge = name === "x" && input[row - padding]?.[column - padding] === undefined;
      const shut = "za".includes(name) && !(forward.z[row][column] > 0);
      const wins = won.has(`${row},${column}`);
      const chosen = name === "y" && source !== "loss" && `${source}` === `${row},${column}`;
      const notes = [
        shut && "shut by ReLU",
        wins && "wins its window",
        chosen && "chosen: gradients go backward from here",
        name === "y" && !chosen && "press Enter to go backward from here",
      ];
      const shift = name === "x" ? padding : 0;
      const label = edge ? "padding: 0" : tellCell(name, row - shift, column - shift, value, notes);
      const classes = [edge && "padding", shut && "unread", wins && "winner", chosen && "chosen"];
      const mark = marks.get(`${name},${row},${column}`);
      return { value, label, classes: [...classes, mark, isTold(told, false, name, row, column)] };
    }),
  );
}

/** The cells of a gradient grid, empty where `isFilled(row, column)` says that they are to come. */
export function backwardCells({ state, forward, gradients, marks, told }, name, isFilled) {
  const values = gradients[name];
  const edge = name === "x" ? state.padding : 0; // so that each gradient stands below its cell
  const title = gradientName(state, name);
  return Array.from({ length: values.length + 2 * edge }, (_, i) =>
    Array.from({ length: values[0].length + 2 * edge }, (_, j) => {
      const [row, column] = [i - edge, j - edge];
      const value = values[row]?.[column];
      const active = isTold(told, true, name, row, column);
      if (value === undefined)
        return { text: "", classes: ["padding", active], label: "padding: no gradient" };
      if (!isFilled(row, column))
        return { text: "", classes: ["pending", active], label: `${title}, still to come` };
      const shut = name === "z" && !(forward.z[row][column] > 0);
      const why = shut && `shut by ReLU, because z = ${formatNumber(forward.z[row][column])}`;
      const mark = marks.get(`d${name},${row},${column}`);
      const label = tellCell(title, row, column, value, [why]);
      return { value, label, classes: [shut && "unread", mark, active] };
    }),
  );
}

function isTold(told, back, name, row, column) {
  const same = told?.back === back && told.name === name;
  return same && told.row === row && told.column === column && "active";
}

function tellCell(title, row, column, value, notes) {
  const whole = `${title} row ${row}, column ${column}: ${formatNumber(value)}`;
  return [whole, ...notes.filter(Boolean)].join(", ");
}
