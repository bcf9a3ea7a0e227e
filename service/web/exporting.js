// What can be taken away: the pairs and the cells, the picture, and the question for a terminal or a notebook.
import { request } from "./ask.js";
import { html, isDark, shortened } from "./format.js";

export function exportMenu(detail, question, matrix) {
  const path = `v1/matrices/${encodeURIComponent(detail.matrix)}`;
  const address = new URL(`v1/recommendations?${question}`, document.baseURI).href;
  const root = new URL(".", document.baseURI).href;
  const ways = new URLSearchParams({ form: "pairs", composition: detail.grid.composition, selection: detail.grid.selection });
  const said = html("pre", { hidden: true, tabindex: "0", "aria-label": "Text to copy" });
  const tell = (text) => { said.textContent = text; said.hidden = false; navigator.clipboard?.writeText(text).catch(() => {}); };
  const item = (label, act) => html("button", { type: "button", onclick: act }, label);
  return [
    item("Pairs as CSV", async () => save(await (await request(`${path}/cells?${ways}`, "text/csv")).blob(), `${detail.matrix}-pairs.csv`)),
    item("Cells as Parquet", async () => save(await (await request(`${path}/download`, "*/*")).blob(), `${detail.matrix}-v${detail.version}.parquet`)),
    item("Picture as SVG", () => save(new Blob([drawing(matrix)], { type: "image/svg+xml" }), `${detail.matrix}.svg`)),
    item("Picture as PNG", () => matrix.picture().toBlob((blob) => save(blob, `${detail.matrix}.png`))),
    item("curl", () => tell(`curl '${address}'`)),
    item("Python", () => tell(`import sprachbund\n\nopened = sprachbund.open(${JSON.stringify(root)})\nopened.recommend(${JSON.stringify(detail.task)}, ${JSON.stringify(question.get("target"))}, matrix=${JSON.stringify(detail.matrix)}).to_frame()`)),
    said,
  ];
}

function save(blob, name) {
  const link = html("a", { href: URL.createObjectURL(blob), download: name.replaceAll("/", "_") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// The whole matrix, in the order in which it is shown; names come from stores, so every text is escaped.
function drawing({ detail, rows, columns, all, scale, change }) {
  const cell = 30, left = 140, top = 116;
  const escape = (text) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
  const { grid, names } = detail;
  const parts = [];
  rows.forEach((row, r) => {
    parts.push(`<text x="${left - 8}" y="${top + r * cell + 19}" text-anchor="end">${escape(shortened(names[grid.sources[row]], 18))}</text>`);
    columns.forEach((column, c) => {
      const value = all[row][column];
      if (value === null) return;
      const rgb = scale.colour(value), x = left + c * cell, y = top + r * cell;
      const shown = change ? `${value < 0 ? "\u2212" : "+"}${Math.round(Math.abs(value) * 100)}` : Math.round(value * 100);
      parts.push(`<rect x="${x + 1}" y="${y + 1}" width="28" height="28" fill="rgb(${rgb})"/><text x="${x + 15}" y="${y + 19}" font-size="10" text-anchor="middle" fill="${isDark(rgb) ? "#fff" : "#10201f"}">${shown}</text>`);
    });
  });
  columns.forEach((column, c) => {
    const x = left + c * cell + 17;
    parts.push(`<text x="${x}" y="${top - 8}" transform="rotate(-56 ${x} ${top - 8})">${escape(shortened(names[grid.targets[column]], 16))}</text>`);
  });
  const size = `width="${left + columns.length * cell + 40}" height="${top + rows.length * cell + 8}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="system-ui, sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`;
}
