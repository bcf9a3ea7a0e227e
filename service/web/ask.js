// The endpoints anyone can ask, asked from the page.
const KEY = "sprachbund-key";

export class Refused extends Error {}

export const keep = (key) => sessionStorage.setItem(KEY, key);

export async function request(path, accept = "application/json") {
  const key = sessionStorage.getItem(KEY);
  const response = await fetch(path, { headers: { Accept: accept, ...(key ? { Authorization: `Bearer ${key}` } : {}) } });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new (response.status === 401 || response.status === 403 ? Refused : Error)(problem.detail ?? response.statusText);
}

export const ask = async (path) => (await request(path)).json();

const details = new Map();

// What is shown of a matrix, asked once while the page is open and its version stays.
export async function detailOf(matrix, version, ways) {
  const path = `v1/matrices/${encodeURIComponent(matrix)}?${ways}`;
  const key = `${path} ${version}`;
  if (!details.has(key)) details.set(key, await ask(path));
  return details.get(key);
}

const verdicts = new Map();

// What the measure says of every pair; null where the matrix has no baseline, or no outcomes of items, to say it from.
export async function verdictsOf(detail) {
  if (detail.measured_on || detail.grid.baseline.every((one) => one === null)) return null;
  const { composition, selection } = detail.grid;
  const key = `${detail.matrix} ${detail.version} ${composition} ${selection}`;
  if (!verdicts.has(key)) {
    const path = `v1/matrices/${encodeURIComponent(detail.matrix)}/measures/interference`;
    const found = await ask(`${path}?${new URLSearchParams({ composition, selection })}`).catch(() => null);
    verdicts.set(key, found && new Map(found.rows.map((row) => [`${row.source} ${row.target}`, row])));
  }
  return verdicts.get(key);
}
