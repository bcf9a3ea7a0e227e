// SVG elements, and numbers as text.
const SPACE = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function titled(node, text) {
  node.append(element("title", {}, text));
  return node;
}

export const three = (value) => value.toFixed(3);
export const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
export const range = ([low, high]) => `${three(low)} to ${three(high)}`;
export const shortened = (name, most) => (name.length > most ? `${name.slice(0, Math.max(most - 1, 1))}…` : name);
