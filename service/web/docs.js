// The interface from its own description: every operation with its parameters, and a form that asks it.
import { request } from "./ask.js";
import { html } from "./format.js";

const MOST = 20_000;

function described(schema = {}) {
  const plain = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  const kind = plain.enum ? plain.enum.join(", ") : plain.const ?? (plain.type === "array" ? `${plain.items?.type ?? "text"}, repeatable` : plain.type ?? "");
  const usual = schema.default !== undefined && schema.default !== null && `${schema.default}` !== "" ? `; ${schema.default} where left out` : "";
  return `${kind}${usual}`;
}

function operation(path, method, { summary, description, operationId, parameters = [], responses }) {
  const fields = new Map(parameters.map((one) => [one, html("input", { id: `${operationId}-${one.name}`, name: one.name, autocomplete: "off", required: one.required })]));
  const out = html("pre", { hidden: true, tabindex: "0", "aria-label": "Answer" });
  const address = () => {
    let at = path.slice(1);
    const query = new URLSearchParams();
    for (const [one, field] of fields) {
      if (one.in === "path") at = at.replace(`{${one.name}}`, encodeURIComponent(field.value));
      else if (field.value) query.append(one.name, field.value);
    }
    return `${at}${[...query].length ? `?${query}` : ""}`;
  };
  const send = async (event) => {
    event.preventDefault();
    out.hidden = false;
    out.textContent = "…";
    const asked = `curl '${new URL(address(), document.baseURI).href}'\n\n`;
    try {
      const response = await request(address(), "application/json, */*;q=0.1");
      const kind = response.headers.get("content-type") ?? "";
      const text = /json|text/.test(kind) ? await response.text() : `${(await response.blob()).size} bytes of ${kind}`;
      const pretty = /json/.test(kind) ? JSON.stringify(JSON.parse(text), null, 1) : text;
      out.textContent = asked + (pretty.length > MOST ? `${pretty.slice(0, MOST)}\n…` : pretty);
    } catch (error) {
      out.textContent = asked + error.message;
    }
  };
  const rows = [...fields].map(([one, field]) => html("tr", {},
    html("th", { scope: "row" }, html("label", { for: field.id }, one.name, one.required ? " *" : "")),
    html("td", { class: "soft" }, `${one.description ?? one.schema?.description ?? ""} `, html("em", {}, described(one.schema))),
    method === "get" ? html("td", {}, field) : null));
  return html("section", { "aria-labelledby": operationId },
    html("h2", { id: operationId }, `${method.toUpperCase()} ${path}`),
    html("p", {}, description ?? summary ?? ""),
    html("form", { class: "ask", onsubmit: send }, rows.length ? html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Parameters of ${path}` }, html("table", {}, html("tbody", {}, ...rows))) : null,
      method === "get" ? html("button", {}, "Ask") : null),
    html("p", { class: "small" }, `Answers: ${Object.entries(responses).map(([status, one]) => `${status} ${Object.keys(one.content ?? {}).join(", ")}`).join("; ")}`),
    out);
}

const main = document.getElementById("operations");
try {
  const { paths } = await (await request("openapi.json")).json();
  const all = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => operation(path, method, one)));
  main.replaceChildren(...all);
} catch (error) {
  main.replaceChildren(html("p", { role: "alert" }, error.message));
}
main.setAttribute("aria-busy", "false");
