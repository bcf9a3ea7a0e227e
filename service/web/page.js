// The page: what is chosen, what is asked, what is shown. It asks the endpoints anyone can ask.
import { bars, markers } from "./bars.js";
import { heatMap } from "./map.js";
import { range, signed, three } from "./svg.js";

const $ = (id) => document.getElementById(id);
const KINDS = { zero_shot: "transfer", interference: "interference" };
const details = new Map();
let asked = 0, shown = null;

async function ask(path) {
  const response = await fetch(path);
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail ?? response.statusText);
  return body;
}

async function detailOf(matrix) {
  if (!details.has(matrix)) details.set(matrix, await ask(`v1/matrices/${encodeURIComponent(matrix)}`));
  return details.get(matrix);
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

async function fillMatrices(wanted) {
  const { matrices } = await ask("v1/matrices");
  if (!matrices.length) throw new Error("This store holds no matrix yet. Fill one with `sprachbund fill JOB.yaml`.");
  const encoders = new Set(matrices.map((one) => one.encoder));
  const order = [...matrices].sort((a, b) => (a.kind < b.kind) - (a.kind > b.kind) || a.task.localeCompare(b.task));
  const text = (one) => `${one.task}, ${KINDS[one.kind] ?? one.kind}${encoders.size > 1 ? ` (${one.encoder})` : ""}`;
  $("matrix").replaceChildren(...order.map((one) => option(one.matrix, text(one))));
  if (matrices.some((one) => one.matrix === wanted)) $("matrix").value = wanted;
}

async function fillTargets(wanted) {
  const { grid, names } = await detailOf($("matrix").value);
  const codes = [...grid.targets].sort((a, b) => names[a].localeCompare(names[b]));
  $("target").replaceChildren(...codes.map((code) => option(code, `${names[code]} (${code})`)));
  if (codes.includes(wanted)) $("target").value = wanted;
}

async function show() {
  const turn = ++asked;
  const [matrix, target, k] = ["matrix", "target", "k"].map((id) => $(id).value);
  const detail = await detailOf(matrix);
  const query = new URLSearchParams({ task: detail.task, target, k, matrix });
  const answer = await ask(`v1/recommendations?${query}`);
  if (turn !== asked) return;
  showAnswer(answer);
  showOverview(detail, target);
  history.replaceState(null, "", `?${new URLSearchParams({ matrix, target })}`);
  $("status").textContent = "";
}

function showAnswer(answer) {
  const best = answer.sources[0];
  const others = answer.tied.length - 1;
  const tie = others ? `, tied with ${others} other${others > 1 ? "s" : ""}` : "";
  $("answer-title").textContent = `For ${answer.task} in ${answer.target.name}: ${best.name}${tie}`;
  $("basis").textContent = answer.basis;
  shown = answer;
  drawBars();
  $("lines").replaceChildren(...markers(answer.comparison).flatMap((line) => {
    const key = document.createElement("span");
    key.className = `key ${line.kind}`;
    return [key, ` ${line.name} ${three(line.score)}`];
  }));
  $("table").replaceChildren(head(answer), ...answer.sources.map((one) => row(one)));
}

function drawBars() {
  $("answer").hidden = false;
  $("bars").replaceChildren(bars(shown, Math.max($("bars").clientWidth, 300)));
}

function head(answer) {
  const names = ["", "source", `score (${answer.metric})`, "SD over seeds", "95% interval", "seeds", "items", ""];
  const made = document.createElement("tr");
  made.append(...names.map((name) => Object.assign(document.createElement("th"), { textContent: name, scope: "col" })));
  return made;
}

function row(one) {
  const note = one.effect ? `${one.effect.verdict} (${signed(one.effect.difference)})` : one.tied_with_best ? "tied with the best" : "";
  const sd = one.sd === null ? "" : three(one.sd);
  const made = document.createElement("tr");
  for (const text of [one.rank, `${one.name} (${one.source})`, three(one.score), sd, range(one.interval), one.seeds, one.n_items, note]) {
    made.append(Object.assign(document.createElement("td"), { textContent: text }));
  }
  return made;
}

function showOverview(detail, target) {
  const change = detail.kind === "interference";
  const what = change ? "change of the score by the language added, in hundredths, red where it harms" : `mean ${detail.metric} in hundredths`;
  $("map-note").textContent = `Rows: source. Columns: target; choose one by its name. Cells: ${what}. Empty: not measured.`;
  $("map").replaceChildren(heatMap(detail, target, (code) => {
    $("target").value = code;
    update();
  }));
  $("download").href = `v1/matrices/${encodeURIComponent(detail.matrix)}/download`;
  $("about").textContent = about(detail);
  $("overview").hidden = false;
}

function about(detail) {
  const counts = `${detail.matrix}, version ${detail.version}: ${detail.cells} cells, seeds ${detail.seeds.join(", ")}, encoder ${detail.encoder}.`;
  const failed = detail.failed ? ` ${detail.failed} failed and are left out.` : "";
  const on = detail.measured_on;
  if (!on) return counts + failed;
  const corpora = on.corpora.map((one) => `${one.corpus} (${one.licence})`).join(", ");
  return `${counts}${failed} Measured ${on.date} on ${corpora}.`;
}

function failed(error) {
  $("status").textContent = "";
  $("problem").textContent = error.message;
  $("problem").hidden = false;
  $("answer").hidden = true;
}

async function guarded(work) {
  $("problem").hidden = true;
  try {
    await work();
  } catch (error) {
    failed(error);
  }
}

const update = () => guarded(show);

addEventListener("resize", () => shown && !$("answer").hidden && drawBars());

const given = new URLSearchParams(location.search);
$("matrix").addEventListener("change", () => guarded(async () => {
  await fillTargets($("target").value);
  await show();
}));
$("target").addEventListener("change", update);
$("k").addEventListener("change", update);
guarded(async () => {
  await fillMatrices(given.get("matrix"));
  await fillTargets(given.get("target"));
  await show();
});
