// A map of the world with the target, its sources by score, and nothing from elsewhere.
import { LAND } from "./land.js";
import { html, svg, three } from "./format.js";

const WORLD = { left: -180, right: 180, top: -84, bottom: 58 };
const NAMED = 5; // so many of the best have their names beside them
const BOX = `${WORLD.left} ${WORLD.top} ${WORLD.right - WORLD.left} ${WORLD.bottom - WORLD.top}`;

export function worldMap(answer, places) {
  const measured = answer.sources.map((one) => ({ ...one, place: places[one.source] })).filter((one) => one.place);
  const target = places[answer.target.code];
  if (!target && !measured.length) return null;
  const scores = measured.map((one) => one.score);
  const low = Math.min(...scores), high = Math.max(...scores);
  const label = `${measured.length} sources${target ? ` and ${answer.target.name}` : ""} on a map of the world`;
  const drawn = svg("svg", { viewBox: BOX, class: "world", role: "img", "aria-label": label }, svg("path", { d: LAND, class: "land" }));
  const taken = [];
  if (target) {
    for (const one of [...measured].reverse()) drawn.append(arc(one, target, weight(one, low, high)));
  }
  for (const one of [...measured].reverse()) {
    const { latitude, longitude } = one.place;
    const radius = 1.6 + 2.2 * weight(one, low, high);
    if (one.rank <= NAMED) taken.push(square(longitude, -latitude, radius));
    const dot = svg("circle", { cx: longitude, cy: -latitude, r: radius, class: `place ${one.measured ? "" : "predicted"} ${one.tied_with_best ? "tied" : ""}` });
    dot.append(svg("title", {}, `${one.rank}. ${one.name}: ${three(one.score)}`));
    drawn.append(dot);
  }
  const size = matchMedia("(max-width: 40rem)").matches ? 8.5 : 5; // of .world .label in page.css
  const write = (name, spots, kind = "", otherwise = undefined) => {
    // One name over another, or over a point, can be read by nobody.
    const spot = spots.find(({ box }) => inside(box) && !taken.some((other) => overlap(box, other))) ?? otherwise;
    if (!spot) return;
    taken.push(spot.box);
    drawn.append(svg("text", { x: spot.x, y: spot.y, class: `label ${kind}`, "text-anchor": spot.anchor }, name));
  };
  if (target) {
    const [x, y] = [target.longitude, -target.latitude], around = aroundPoint(answer.target.name, x, y, 6.5, size);
    drawn.append(svg("path", { d: star(x, y, 5), class: "target-place" }));
    taken.push(square(x, y, 5));
    write(answer.target.name, [around.above, around.below, around.right, around.left], "target", around.above);
  }
  for (const one of measured.filter((one) => one.rank <= NAMED)) {
    const { right, left, above, below } = aroundPoint(one.name, one.place.longitude, -one.place.latitude, 4.5, size);
    write(one.name, [right, left, below, above]);
  }
  const missing = answer.sources.filter((one) => !places[one.source]).map((one) => one.name);
  const note = html("span", {}, missing.length ? `Not known where: ${missing.join(", ")}.` : "");
  return { drawn, note };
}

// Where a name may stand beside a point, with the room it takes there.
function aroundPoint(name, x, y, gap, size) {
  const wide = 0.68 * size * name.length, high = 1.25 * size;
  const spot = (anchor, left, middle) => ({
    anchor, x: { start: left, middle: left + wide / 2, end: left + wide }[anchor], y: middle + 0.35 * size,
    box: { left, right: left + wide, top: middle - high / 2, bottom: middle + high / 2 },
  });
  return {
    right: spot("start", x + gap, y), left: spot("end", x - gap - wide, y),
    above: spot("middle", x - wide / 2, y - gap - high / 2), below: spot("middle", x - wide / 2, y + gap + high / 2),
  };
}

const square = (x, y, half) => ({ left: x - half, right: x + half, top: y - half, bottom: y + half });
const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
const inside = (box) => box.left >= WORLD.left && box.right <= WORLD.right && box.top >= WORLD.top && box.bottom <= WORLD.bottom;

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
