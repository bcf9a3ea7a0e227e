// The page: what is chosen, what is asked, what is shown. What is chosen stands in the address, so that Back works.
import { Refused, ask, detailOf, keep, verdictsOf } from "./ask.js";
import { combobox } from "./combobox.js";
import { exportMenu } from "./exporting.js";
import { MARKS, html, known, three } from "./format.js";
import { Matrix } from "./matrix.js";
import { markers, ranking } from "./ranking.js";
import { worldMap } from "./worldmap.js";

const $ = (id) => document.getElementById(id);
const KINDS = { zero_shot: "transfer", interference: "interference" };
const state = { target: "", matrix: "", composition: "", selection: "", k: "10", source: [], other: "", sort: "family" };
const SINGLE = ["target", "matrix", "composition", "selection", "k", "other", "sort"];
const places = new Map();
let listed = [], turn = 0, matrix = null;

function read() {
  const given = new URLSearchParams(location.search);
  for (const name of SINGLE) state[name] = given.get(name) ?? { k: "10", sort: "family" }[name] ?? "";
  state.source = given.getAll("source");
}

function address() {
  const query = new URLSearchParams();
  for (const name of SINGLE) if (state[name] && state[name] !== { k: "10", sort: "family" }[name]) query.set(name, state[name]);
  for (const source of state.source) query.append("source", source);
  return `?${query}`;
}

async function change(changed) {
  Object.assign(state, changed);
  history.pushState(null, "", address());
  await update();
}

async function update() {
  const mine = ++turn;
  const late = () => mine !== turn;
  $("problem").hidden = true;
  document.body.classList.add("waiting");
  $("main").setAttribute("aria-busy", "true");
  try {
    await shown(late);
    if (!late()) $("status").textContent = "";
  } catch (error) {
    if (late()) return;
    $("status").textContent = "";
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    $("key-field").hidden = !(error instanceof Refused);
    if (!(error instanceof Refused)) $("answer").hidden = $("world").hidden = true;
  } finally {
    if (!late()) {
      document.body.classList.remove("waiting");
      $("main").setAttribute("aria-busy", "false");
    }
  }
}

async function shown(late) {
  ({ matrices: listed } = await ask("v1/matrices"));
  if (late()) return;
  $("key-field").hidden = true;
  if (!listed.length) throw new Error("This store holds no matrix yet. Fill one with `sprachbund fill JOB.yaml`.");
  const info = listed.find((one) => one.matrix === state.matrix) ?? widest(listed);
  const ways = new URLSearchParams();
  for (const name of ["composition", "selection"]) if (state[name]) ways.set(name, state[name]);
  const detail = await detailOf(info.matrix, info.version, ways);
  if (late()) return;
  const target = state.target || firstTarget(detail);
  fields(info, detail);
  overview(detail, target, null);
  const question = new URLSearchParams({ task: info.task, target, k: state.k, matrix: info.matrix });
  for (const name of ["composition", "selection"]) if (state[name]) question.set(name, state[name]);
  for (const source of state.source) question.append("source", source);
  const waiting = setTimeout(() => { if (!late()) $("status").textContent = "Working it out; the first prediction of a matrix takes a while …"; }, 600);
  try {
    const asked = [ask(`v1/recommendations?${question}`)];
    if (state.other) asked.push(ask(`v1/recommendations?${new URLSearchParams([...[...question].filter(([name]) => name !== "target" && name !== "k"), ["target", state.other], ["k", "100"]])}`));
    const [answer, other] = await Promise.all(asked);
    if (late()) return;
    answered(answer, other, detail);
    $("exports").replaceChildren(...exportMenu(detail, question, matrix));
    await onTheMap(answer, detail, late);
    const verdicts = await verdictsOf(detail);
    if (!late()) overview(detail, answer.target.code, verdicts);
  } finally {
    clearTimeout(waiting);
  }
}

const widest = (matrices) => matrices.reduce((best, one) => (one.sources * one.targets > best.sources * best.targets ? one : best));

// A target that nobody has data for, where there is one: that is what the page is for.
function firstTarget({ grid, names }) {
  const byName = [...grid.targets].sort((a, b) => names[a].localeCompare(names[b]));
  return byName.find((code) => !grid.sources.includes(code)) ?? byName.find((code) => code !== "eng") ?? byName[0] ?? "eng";
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([key, text]) => html("option", { value: key }, text)));
  select.value = value;
}

function fields(info, detail) {
  const encoders = [...new Set(listed.map((one) => one.encoder))];
  const same = listed.filter((one) => one.encoder === info.encoder);
  const order = [...same].sort((a, b) => (a.kind < b.kind) - (a.kind > b.kind) || a.task.localeCompare(b.task) || a.matrix.localeCompare(b.matrix));
  const twice = (one) => order.filter((two) => two.task === one.task && two.kind === one.kind).length > 1;
  fill($("matrix"), order.map((one) => [one.matrix, `${one.task}, ${KINDS[one.kind] ?? one.kind}${twice(one) ? ` (${one.matrix})` : ""}`]), info.matrix);
  fill($("encoder"), encoders.map((one) => [one, one]), info.encoder);
  fill($("composition"), detail.compositions.map((one) => [one, one]), detail.grid.composition);
  fill($("selection"), detail.selections.map((one) => [one, one]), detail.grid.selection);
  $("encoder-field").hidden = encoders.length < 2;
  $("composition-field").hidden = detail.compositions.length < 2;
  $("selection-field").hidden = detail.selections.length < 2;
  $("k").value = state.k;
  $("sort").value = state.sort;
  if (state.source.length || state.other) $("more").open = true;
  $("sources").replaceChildren(...state.source.map((code) => html("li", {}, code, html("button", {
    type: "button", "aria-label": `Leave out ${code}`, onclick: () => change({ source: state.source.filter((one) => one !== code) }),
  }, "×"))));
}

function answered(answer, other, detail) {
  const [best] = answer.sources;
  const none = answer.verdicts && !answer.verdicts.helps && answer.kind === "interference";
  const nobody = `no transfer language helps${answer.verdicts?.undecided ? " beyond doubt" : ""}`;
  if (document.activeElement !== $("target")) $("target").value = answer.target.name;
  if (other && document.activeElement !== $("other")) $("other").value = other.target.name;
  if (!state.other) $("other").value = "";
  $("answer-title").textContent = `For ${answer.task} in ${answer.target.name}: ${none ? nobody : `${best.name}${best.measured ? "" : " (predicted)"}`}`;
  $("advice").textContent = answer.advice;
  $("advice").hidden = !answer.advice || (best.measured && !none && answer.kind !== "interference");
  const others = answer.tied.filter((code) => code !== best.source).map((code) => answer.sources.find((one) => one.source === code)?.name ?? detail.names[code] ?? code);
  const more = others.length > 8 ? ` and ${others.length - 8} more` : "";
  $("tied").textContent = others.length ? `${known(best) ? "One group, marked: the best cannot be told from" : "May be as good:"} ${others.slice(0, 8).join(", ")}${more}.` : "";
  $("ranking").replaceChildren(...ranking(answer, other));
  $("legend").replaceChildren(...legend(answer));
  $("beside").textContent = beside(answer.comparison);
  $("basis").textContent = answer.basis;
  $("answer").hidden = false;
}

function legend(answer) {
  const key = (kind, text) => html("span", {}, html("span", { class: `key ${kind}` }), ` ${text} `);
  return [
    key("best", "best, and tied with it"), key("low", "below"), answer.predicted ? key("predicted", "predicted, 90% interval") : "",
    ...markers(answer.comparison).map((line) => key(line.kind, `${line.name} ${three(line.score)}`)),
  ].filter(Boolean);
}

function beside({ best_average: popular, nearest_family: relative }) {
  const place = (one) => `${three(one.score)} (number ${one.rank})`;
  const said = [
    popular && `best on average over other targets: ${popular.name}, ${place(popular)}`,
    relative && `best relative: ${relative.name}, ${place(relative)}`,
  ].filter(Boolean).join("; ");
  return said && `${said[0].toUpperCase()}${said.slice(1)}.`;
}

// Where languages are that the matrix does not have, the service is asked for one by one, and once.
async function onTheMap(answer, detail, late) {
  const there = { ...detail.places };
  const missing = [answer.target.code, ...answer.sources.map((one) => one.source)].filter((code) => !(code in there) && !(code in detail.names));
  await Promise.all(missing.map(async (code) => {
    if (!places.has(code)) places.set(code, await ask(`v1/languages/${encodeURIComponent(code)}`).then((one) => one.place, () => null));
    if (places.get(code)) there[code] = places.get(code);
  }));
  if (late()) return;
  const map = worldMap(answer, there);
  $("world").hidden = !map;
  if (!map) return;
  $("globe").replaceChildren(map.drawn);
  $("world-note").replaceChildren("Star: the target. Dots: its sources, the larger the better; dashed: predicted. ", map.note);
}

function overview(detail, target, verdicts) {
  matrix ??= new Matrix($("grid"), {
    onCell: (said) => { $("cell").textContent = said; },
    onTarget: (code) => change({ target: code }),
  });
  $("overview").hidden = false;
  matrix.show(detail, target, state.sort, verdicts);
  const what = detail.kind === "interference" ? "change of the score by the language added, in hundredths, red where it harms" : `mean ${detail.metric} in hundredths`;
  $("matrix-note").textContent = `Rows: source. Columns: target; choose one by its name, or with Enter. Cells: ${what}.${verdicts ? ` ${counted(verdicts)}` : ""}`;
  $("about").textContent = about(detail);
}

function counted(verdicts) {
  const count = (label) => [...verdicts.values()].filter((one) => one.label === label).length;
  return `Beyond doubt ${count("helps")} of ${verdicts.size} help (${MARKS.helps}) and ${count("harms")} harm (${MARKS.harms}); the others are faded.`;
}

function about(detail) {
  const failed = detail.failed ? ` ${detail.failed} failed and are left out.` : "";
  const counts = `${detail.matrix}, version ${detail.version}: ${detail.cells} cells, seeds ${detail.seeds.join(", ")}, encoder ${detail.encoder}.${failed}`;
  const commercial = detail.non_commercial ? " Some of these corpora may not be used commercially." : "";
  if (!detail.measured_on) return counts;
  const corpora = detail.measured_on.corpora.map((one) => `${one.corpus} (${one.licence})`);
  const more = corpora.length > 6 ? ` and ${corpora.length - 6} more` : "";
  return `${counts} Measured ${detail.measured_on.date} on ${corpora.slice(0, 6).join(", ")}${more}.${commercial}`;
}

combobox($("target"), (code) => code && change({ target: code }));
combobox($("other"), (code) => change({ other: code }));
combobox($("source"), (code) => {
  $("source").value = "";
  if (code && !state.source.includes(code)) change({ source: [...state.source, code] });
});
$("matrix").addEventListener("change", () => change({ matrix: $("matrix").value, composition: "", selection: "" }));
$("encoder").addEventListener("change", () => {
  const now = listed.find((one) => one.matrix === $("matrix").value);
  const those = listed.filter((one) => one.encoder === $("encoder").value);
  const next = those.find((one) => one.task === now.task && one.kind === now.kind) ?? widest(those);
  change({ matrix: next.matrix, composition: "", selection: "" });
});
for (const name of ["composition", "selection", "k", "sort"]) $(name).addEventListener("change", () => change({ [name]: $(name).value }));
$("key").addEventListener("change", () => { keep($("key").value.trim()); update(); });
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", () => { read(); update(); });
read();
update();
