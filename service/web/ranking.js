// The ranked sources, measured and predicted in one list: each with its score, interval, and on demand why.
import { MARKS, chance, html, interval, known, percent, signed, svg, three } from "./format.js";

const WIDTH = 320, HEIGHT = 22;

export function ranking(answer, other) {
  const lines = markers(answer.comparison);
  const values = answer.sources.flatMap((one) => [one.score, ...(known(one) ? one.interval : [])]);
  const top = Math.min(1, Math.ceil(Math.max(...values, ...lines.map((line) => line.score)) * 20 + 0.2) / 20);
  const x = (value) => (value / top) * WIDTH;
  const beside = other && new Map(other.sources.map((one) => [one.source, one]));
  const columns = ["", "Source", `${answer.task}, ${answer.metric}`, "Score", ...(beside ? [other.target.name] : []), "What it is", ""];
  const head = html("tr", {}, ...columns.map((name, at) => html("th", { scope: "col", class: at === 2 ? "bar-column" : name === "Score" || (beside && at === 4) ? "number" : "" }, name || html("span", { class: "hidden" }, at ? "Why" : "Rank"))));
  const rows = answer.sources.flatMap((one) => entry(one, answer, beside, lines, x, columns.length));
  return [html("thead", {}, head), html("tbody", {}, ...rows)];
}

export function markers({ english, in_language: own, baseline }) {
  return [
    english && { kind: "english", name: "English", score: english.score },
    own && { kind: "own", name: "the target itself", score: own.score },
    baseline && { kind: "baseline", name: "baseline", score: baseline.score },
  ].filter(Boolean);
}

function entry(one, answer, beside, lines, x, columns) {
  const id = `why-${one.source}`;
  const why = html("tr", { id, hidden: true, class: "why" }, html("td", { colspan: columns }, ...reasons(one, answer)));
  const button = html("button", {
    type: "button", "aria-expanded": "false", "aria-controls": id, "aria-label": `Why ${one.name}`,
    onclick: () => { why.hidden = !why.hidden; button.setAttribute("aria-expanded", String(!why.hidden)); },
  }, "Why");
  const tied = one.tied_with_best && (known(one) || one.rank === 1);
  const there = beside && beside.get(one.source);
  const cells = [
    html("td", { class: "number soft" }, String(one.rank)),
    html("th", { scope: "row" }, one.name, html("span", { class: "soft" }, ` ${one.source}`)),
    html("td", { class: "bar-column" }, bar(one, tied, lines, x)),
    html("td", { class: "number" }, three(one.score)),
    beside && html("td", { class: "number" }, there ? `${three(there.score)} (${there.rank})` : "–"),
    html("td", { class: "soft" }, note(one, answer)),
    html("td", {}, button),
  ];
  return [html("tr", { class: `${tied ? "tied" : ""} ${one.measured ? "" : "predicted"}` }, ...cells), why];
}

function bar(one, tied, lines, x) {
  const kind = ["bar", tied && "tied", !one.measured && "predicted"].filter(Boolean).join(" ");
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true", class: "spark" },
    svg("rect", { class: kind, x: 0, y: 4, width: Math.max(x(one.score), 1), height: HEIGHT - 8, rx: 2 }),
    ...lines.map((line) => svg("line", { class: `mark-line ${line.kind}`, x1: x(line.score), x2: x(line.score), y1: 0, y2: HEIGHT })));
  if (known(one)) {
    const [low, high] = one.interval.map(x), middle = HEIGHT / 2;
    for (const [x1, y1, x2, y2] of [[low, middle, high, middle], [low, middle - 4, low, middle + 4], [high, middle - 4, high, middle + 4]]) {
      drawn.append(svg("line", { class: "whisker", x1, y1, x2, y2 }));
    }
  }
  return drawn;
}

function note(one, { kind }) {
  if (!one.measured) return `predicted${one.probability_best === null ? "" : `, best with ${chance(one)}`}`;
  if (one.effect && (kind === "interference" || one.effect.verdict === "harms")) {
    return `${MARKS[one.effect.verdict] ?? ""} ${one.effect.verdict} ${signed(one.effect.difference)}`.trim();
  }
  return one.tied_with_best && one.n_items && one.rank > 1 ? "tied with the best" : "measured";
}

function reasons(one, answer) {
  const parts = [
    one.measured
      ? `Measured on ${one.n_items || "an unknown number of"} items with ${one.seeds} seed${one.seeds === 1 ? "" : "s"}${one.sd === null ? "" : `, SD ${three(one.sd)}`}.`
      : "Predicted from what was measured on other targets.",
    `Interval ${interval(one)}.`,
    one.average_z === null ? null : `On other targets it is ${signed(one.average_z)} standard deviations from the mean source.`,
    one.effect && `Against the baseline ${signed(one.effect.difference)} (${signed(one.effect.interval[0])} to ${signed(one.effect.interval[1])}): ${one.effect.verdict}.`,
    one.rests_on.length ? `It rests most on ${one.rests_on.map((target) => `${target.name} (${percent(target.weight)})`).join(", ")}.` : null,
    one.knowledge && `Known of the pair: ${one.knowledge.known.join(", ") || "nothing"}; not known: ${one.knowledge.missing.join(", ") || "nothing"}.`,
    !one.measured && answer.features.length ? `What counts most in predictions here: ${answer.features.slice(0, 4).map((one) => `${one.feature} ${percent(one.weight)}`).join(", ")}.` : null,
  ];
  return parts.filter(Boolean).map((text) => html("p", {}, text));
}
