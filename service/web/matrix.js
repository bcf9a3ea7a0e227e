// The matrix as an instrument: one canvas as large as what is seen of it, heads that stay, and keys to go about in it.
import { MARKS, html, isDark, scale, shortened, signed, three } from "./format.js";

const CELL = 30, LEFT = 132, TOP = 108, FADED = 0.32;

export class Matrix {
  constructor(place, { onCell, onTarget }) {
    this.onCell = onCell;
    this.onTarget = onTarget;
    this.active = html("span", { role: "gridcell", id: "active-cell" });
    this.row = html("div", { role: "row", class: "hidden" }, this.active);
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.room = html("div", { class: "room" });
    this.view = html("div", { class: "matrix", role: "grid", tabindex: "0", "aria-label": "Scores of sources on targets; arrow keys move", "aria-activedescendant": "active-cell" }, html("div", { class: "lens", "aria-hidden": "true" }, this.canvas), this.room, this.row);
    place.replaceChildren(this.view);
    this.at = [0, 0];
    this.view.addEventListener("scroll", () => this.draw());
    this.view.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("focus", () => this.tell());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    new ResizeObserver(() => this.draw()).observe(this.view);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(detail, target, order, verdicts) {
    const { grid } = detail;
    const change = detail.kind === "interference";
    const value = (s, t) => {
      const score = grid.scores[s][t];
      return score === null || (change && grid.baseline[t] === null) ? null : change ? score - grid.baseline[t] : score;
    };
    const all = grid.sources.map((_, s) => grid.targets.map((_, t) => value(s, t)));
    const [rows, columns] = ordered(all, grid.targets.indexOf(target), order);
    Object.assign(this, { detail, target, change, verdicts, rows, columns, all });
    this.scale = scale(all.flat().filter((one) => one !== null), change);
    this.view.setAttribute("aria-rowcount", rows.length);
    this.view.setAttribute("aria-colcount", columns.length);
    this.size = [LEFT + columns.length * CELL + 34, TOP + rows.length * CELL + 2];
    this.room.style.width = `${this.size[0]}px`;
    this.room.style.height = `${this.size[1]}px`;
    this.at = [Math.min(this.at[0], rows.length - 1), Math.max(0, columns.indexOf(grid.targets.indexOf(target)))];
    this.draw();
    this.tell();
  }

  draw() {
    if (!this.detail) return;
    const width = this.view.clientWidth, height = this.view.clientHeight, dots = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * dots);
    this.canvas.height = Math.round(height * dots);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(dots, dots);
    this.paint(pen, width, height, this.view.scrollLeft, this.view.scrollTop, true);
  }

  // Everything on a canvas of its own, for a picture.
  picture() {
    const canvas = html("canvas", { width: this.size[0] * 2, height: this.size[1] * 2 });
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    this.paint(pen, ...this.size, 0, 0, false);
    return canvas;
  }

  paint(pen, width, height, dx, dy, marked) {
    const style = getComputedStyle(this.view), colour = (name) => style.getPropertyValue(name).trim();
    const { names, grid } = this.detail;
    pen.fillStyle = colour("--card");
    pen.fillRect(0, 0, width, height);
    pen.textBaseline = "middle";
    const first = [Math.floor(dy / CELL), Math.floor(dx / CELL)];
    const last = [Math.min(this.rows.length, first[0] + Math.ceil(height / CELL) + 1), Math.min(this.columns.length, first[1] + Math.ceil(width / CELL) + 1)];
    for (let row = first[0]; row < last[0]; row++) {
      for (let column = first[1]; column < last[1]; column++) this.cell(pen, row, column, LEFT + column * CELL - dx, TOP + row * CELL - dy, colour);
    }
    const chosen = this.columns.indexOf(grid.targets.indexOf(this.target));
    pen.lineWidth = 2;
    pen.strokeStyle = colour("--ink");
    if (chosen >= 0) pen.strokeRect(LEFT + chosen * CELL - dx, TOP - dy, CELL, this.rows.length * CELL);
    if (marked && document.activeElement === this.view) {
      pen.strokeStyle = colour("--english");
      pen.strokeRect(LEFT + this.at[1] * CELL - dx, TOP + this.at[0] * CELL - dy, CELL, CELL);
    }
    // The heads, over what was scrolled under them.
    pen.fillStyle = colour("--card");
    pen.fillRect(0, 0, LEFT, height);
    pen.fillRect(0, 0, width, TOP);
    pen.fillStyle = colour("--ink");
    pen.font = "13px system-ui, sans-serif";
    pen.save();
    pen.beginPath();
    pen.rect(0, TOP, LEFT, height - TOP);
    pen.clip();
    pen.textAlign = "right";
    for (let row = first[0]; row < last[0]; row++) pen.fillText(shortened(names[grid.sources[this.rows[row]]], 16), LEFT - 8, TOP + row * CELL + CELL / 2 - dy);
    pen.restore();
    pen.save();
    pen.beginPath();
    pen.rect(LEFT - 12, 0, width, TOP);
    pen.clip();
    pen.textAlign = "left";
    for (let column = first[1]; column < last[1]; column++) {
      pen.save();
      pen.translate(LEFT + column * CELL + CELL / 2 + 2 - dx, TOP - 8);
      pen.rotate(-Math.PI / 3.2);
      pen.font = `${column === chosen ? "bold " : ""}13px system-ui, sans-serif`;
      pen.fillText(shortened(names[grid.targets[this.columns[column]]], 15), 0, 0);
      pen.restore();
    }
    pen.restore();
  }

  cell(pen, row, column, x, y, colour) {
    const value = this.all[this.rows[row]][this.columns[column]];
    if (value === null) {
      pen.fillStyle = colour("--missing");
      pen.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
      return;
    }
    const rgb = this.scale.colour(value), verdict = this.verdict(row, column);
    pen.globalAlpha = verdict && (verdict.label === "undecided" || verdict.label === "neutral") ? FADED : 1;
    pen.fillStyle = `rgb(${rgb})`;
    pen.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
    const faded = pen.globalAlpha < 1;
    pen.globalAlpha = 1;
    pen.fillStyle = faded ? colour("--ink") : isDark(rgb) ? "#fff" : "#10201f";
    pen.font = "10px system-ui, sans-serif";
    pen.textAlign = "center";
    const shown = this.change ? `${value < 0 ? "\u2212" : "+"}${Math.round(Math.abs(value) * 100)}` : Math.round(value * 100);
    pen.fillText(shown, x + CELL / 2, y + CELL / 2 + 1);
    if (verdict && verdict.label in MARKS) {
      pen.font = "6px system-ui, sans-serif";
      pen.fillText(MARKS[verdict.label], x + CELL - 6, y + 7);
    }
  }

  verdict(row, column) {
    const { grid } = this.detail;
    return this.verdicts?.get(`${grid.sources[this.rows[row]]} ${grid.targets[this.columns[column]]}`);
  }

  key(event) {
    const page = Math.max(1, Math.floor((this.view.clientHeight - TOP) / CELL) - 1);
    const moves = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-page, 0], PageDown: [page, 0],
      Home: [0, -Infinity], End: [0, Infinity],
    };
    if (event.key === "Enter" || event.key === " ") this.onTarget(this.detail.grid.targets[this.columns[this.at[1]]]);
    else if (event.key in moves) this.go(this.at[0] + moves[event.key][0], this.at[1] + moves[event.key][1]);
    else return;
    event.preventDefault();
  }

  go(row, column) {
    this.at = [Math.max(0, Math.min(row, this.rows.length - 1)), Math.max(0, Math.min(column, this.columns.length - 1))];
    const x = this.at[1] * CELL, y = this.at[0] * CELL;
    const wide = this.view.clientWidth - LEFT - CELL, high = this.view.clientHeight - TOP - CELL;
    this.view.scrollLeft = Math.min(Math.max(this.view.scrollLeft, x - wide), x);
    this.view.scrollTop = Math.min(Math.max(this.view.scrollTop, y - high), y);
    this.draw();
    this.tell();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const column = Math.floor((x - LEFT + this.view.scrollLeft) / CELL), row = Math.floor((y - TOP + this.view.scrollTop) / CELL);
    if (x < LEFT || column < 0 || column >= this.columns.length || row >= this.rows.length) return null;
    return { row: y < TOP ? null : row, column };
  }

  click(event) {
    const found = this.place(event);
    if (!found) return;
    if (found.row === null) this.onTarget(this.detail.grid.targets[this.columns[found.column]]);
    else { this.view.focus({ preventScroll: true }); this.go(found.row, found.column); }
  }

  hover(event) {
    const found = this.place(event);
    this.canvas.title = found && found.row !== null ? this.said(found.row, found.column) : found ? "Choose this target" : "";
  }

  tell() {
    if (!this.detail || !this.rows.length || !this.columns.length) return;
    const said = this.said(...this.at);
    this.row.setAttribute("aria-rowindex", this.at[0] + 1);
    this.active.setAttribute("aria-colindex", this.at[1] + 1);
    this.active.textContent = said;
    this.onCell(said);
  }

  said(row, column) {
    const { grid, names } = this.detail;
    const source = grid.sources[this.rows[row]], target = grid.targets[this.columns[column]];
    const value = this.all[this.rows[row]][this.columns[column]], verdict = this.verdict(row, column);
    if (value === null) return `${names[source]} to ${names[target]}: not measured`;
    const score = grid.scores[this.rows[row]][this.columns[column]], start = grid.baseline[this.columns[column]];
    const beside = start === null ? "" : `, baseline ${three(start)} (${signed(score - start)})`;
    const sure = verdict ? `; ${verdict.label}, ${signed(verdict.low)} to ${signed(verdict.high)}` : "";
    return `${names[source]} to ${names[target]}: ${three(score)}${beside}${sure}`;
  }
}

// Rows and columns in the order that is asked for; as they come, languages stand by family.
function ordered(all, chosen, order) {
  const rows = all.map((_, row) => row), columns = (all[0] ?? []).map((_, column) => column);
  if (order === "target" && chosen >= 0) {
    const worth = (row) => all[row][chosen] ?? -Infinity;
    return [rows.sort((a, b) => worth(b) - worth(a)), [chosen, ...columns.filter((column) => column !== chosen)]];
  }
  if (order !== "clusters") return [rows, columns];
  return [chain(all), chain(columns.map((column) => all.map((row) => row[column])))];
}

// Each next to the one most like it of those that are left: by the mean squared difference where both were measured.
function chain(vectors) {
  const left = vectors.map((_, at) => at);
  if (!left.length) return [];
  const mean = (vector) => { const there = vector.filter((one) => one !== null); return there.length ? there.reduce((a, b) => a + b, 0) / there.length : -Infinity; };
  const apart = (a, b) => {
    let sum = 0, count = 0;
    for (let at = 0; at < a.length; at++) if (a[at] !== null && b[at] !== null) { sum += (a[at] - b[at]) ** 2; count++; }
    return count ? sum / count : Infinity;
  };
  left.sort((a, b) => mean(vectors[b]) - mean(vectors[a]));
  const order = [left.shift()];
  while (left.length) {
    const from = vectors[order[order.length - 1]];
    let best = 0, least = Infinity;
    left.forEach((one, at) => { const distance = apart(from, vectors[one]); if (distance < least) { least = distance; best = at; } });
    order.push(...left.splice(best, 1));
  }
  return order;
}
