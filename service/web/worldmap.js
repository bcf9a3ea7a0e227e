// A map of the world with the target, its sources by score, and nothing from elsewhere.
import { LAND } from "./land.js";
import { html, svg, three } from "./format.js";

const BOX = "-180 -84 360 142";

export function worldMap(answer, places) {
  const measured = answer.sources.map((one) => ({ ...one, place: places[one.source] })).filter((one) => one.place);
  const target = places[answer.target.code];
  if (!target && !measured.length) return null;
  const scores = measured.map((one) => one.score);
  const low = Math.min(...scores), high = Math.max(...scores);
  const label = `${measured.length} sources${target ? ` and ${answer.target.name}` : ""} on a map of the world`;
  const drawn = svg("svg", { viewBox: BOX, class: "world", role: "img", "aria-label": label }, svg("path", { d: LAND, class: "land" }));
  if (target) {
    for (const one of [...measured].reverse()) drawn.append(arc(one, target, weight(one, low, high)));
  }
  for (const one of [...measured].reverse()) {
    const { latitude, longitude } = one.place;
    const dot = svg("circle", { cx: longitude, cy: -latitude, r: 1.6 + 2.2 * weight(one, low, high), class: `place ${one.measured ? "" : "predicted"} ${one.tied_with_best ? "tied" : ""}` });
    dot.append(svg("title", {}, `${one.rank}. ${one.name}: ${three(one.score)}`));
    drawn.append(dot);
  }
  const labelled = [];
  for (const one of measured.slice(0, 5)) {
    const { latitude, longitude } = one.place;
    // One name over another can be read by nobody.
    if (labelled.some((other) => Math.abs(other.latitude - latitude) < 7 && Math.abs(other.longitude - longitude) < 40)) continue;
    labelled.push(one.place);
    drawn.append(svg("text", { x: longitude + 4.5, y: -latitude + 1.6, class: "label" }, one.name));
  }
  if (target) {
    const { latitude, longitude } = target;
    drawn.append(svg("path", { d: star(longitude, -latitude, 5), class: "target-place" }), svg("text", { x: longitude, y: -latitude - 6.5, class: "label target", "text-anchor": "middle" }, answer.target.name));
  }
  const missing = answer.sources.filter((one) => !places[one.source]).map((one) => one.name);
  const note = html("span", {}, missing.length ? `Not known where: ${missing.join(", ")}.` : "");
  return { drawn, note };
}

const weight = (one, low, high) => (high > low ? (one.score - low) / (high - low) : 1);

function arc(one, target, share) {
  const [x1, y1, x2, y2] = [one.place.longitude, -one.place.latitude, target.longitude, -target.latitude];
  const bend = Math.hypot(x2 - x1, y2 - y1) * 0.18;
  return svg("path", { d: `M${x1},${y1}Q${(x1 + x2) / 2},${(y1 + y2) / 2 - bend} ${x2},${y2}`, class: `arc ${one.tied_with_best ? "tied" : ""}`, "stroke-width": 0.25 + 0.6 * share });
}

function star(x, y, radius) {
  const point = (at) => {
    const angle = (Math.PI / 5) * at - Math.PI / 2, size = at % 2 ? radius * 0.45 : radius;
    return `${(x + size * Math.cos(angle)).toFixed(2)},${(y + size * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${Array.from({ length: 10 }, (_, at) => point(at)).join("L")}Z`;
}
