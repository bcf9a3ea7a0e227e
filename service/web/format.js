// Elements, and numbers as text.
const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function html(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const three = (value) => value.toFixed(3);
export const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
export const percent = (share) => `${Math.round(share * 100)}%`;
export const shortened = (name, most) => (name.length > most ? `${name.slice(0, Math.max(most - 1, 1))}…` : name);

// Of a measured score on an unknown number of items nothing can be said about how sure it is.
export const known = (one) => !one.measured || one.n_items > 0;
export const interval = (one) => (known(one) ? `${percent(one.level)}: ${three(one.interval[0])} to ${three(one.interval[1])}` : "interval not known");
export const chance = (one) => (one.probability_best === null ? "" : percent(one.probability_best));

// What is beyond doubt has a mark that points up or down; the rest has none.
export const MARKS = { helps: "\u25b2", harms: "\u25bc" };

// Colours of a scale from the lowest value to the highest, as [red, green, blue].
const SEQUENTIAL = [[237, 244, 240], [132, 197, 189], [20, 108, 108], [10, 50, 62]];
const DIVERGING = [[140, 58, 26], [226, 150, 110], [243, 241, 234], [132, 197, 189], [20, 108, 108]];

export function scale(values, change) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  if (change) { high = Math.max(Math.abs(low), Math.abs(high), 1e-9); low = -high; }
  const stops = change ? DIVERGING : SEQUENTIAL;
  const colour = (value) => {
    const place = high > low ? ((value - low) / (high - low)) * (stops.length - 1) : stops.length - 1;
    const first = Math.max(0, Math.min(Math.floor(place), stops.length - 2)), share = place - first;
    return stops[first].map((part, index) => Math.round(part + share * (stops[first + 1][index] - part)));
  };
  return { low, high, colour };
}

export const isDark = ([red, green, blue]) => red * 0.3 + green * 0.59 + blue * 0.11 < 135;
