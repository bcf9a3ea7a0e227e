// A field to type a language in: suggestions come from the service, and any text may be sent.
import { ask } from "./ask.js";
import { html } from "./format.js";

let count = 0;

export function combobox(input, choose) {
  const id = `languages-${count++}`;
  const list = html("ul", { id, role: "listbox", class: "suggestions", hidden: true, "aria-label": "Languages" });
  const set = (attributes) => Object.entries(attributes).forEach(([name, value]) => input.setAttribute(name, value));
  set({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id });
  input.after(list);
  let turn = 0, at = -1, found = [];

  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const take = (one) => {
    input.value = one.name;
    turn++;
    close();
    choose(one.code, one.name);
  };
  const mark = (next) => {
    at = next;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", index === at));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
  };
  const open = async () => {
    const mine = ++turn;
    // What was suggested for other letters must not be taken for what is meant now.
    close();
    const { languages } = await ask(`v1/languages?${new URLSearchParams({ q: input.value.trim(), limit: 12 })}`).catch(() => ({ languages: [] }));
    if (mine !== turn || document.activeElement !== input) return;
    found = languages;
    list.replaceChildren(...found.map((one, index) => {
      const measured = one.target_in ? "measured" : one.source_in ? "measured as a source" : "to be predicted";
      const item = html("li", { id: `${id}-${index}`, role: "option", "aria-selected": false, class: one.target_in ? "measured" : "" },
        html("span", {}, one.name, one.matched ? ` (${one.matched})` : ""), html("span", { class: "soft" }, ` ${one.code} · ${measured}`));
      // Before the field loses the focus, which closes the list.
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(one); });
      return item;
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    at = -1;
  };

  input.addEventListener("input", open);
  input.addEventListener("focus", () => { input.select(); open(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "ArrowDown" && open) mark(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp" && open) mark(Math.max(at - 1, 0));
    else if (event.key === "Escape" && open) close();
    else if (event.key === "Enter") {
      if (open && at >= 0) take(found[at]);
      else { const text = input.value.trim(); turn++; close(); choose(text, text); }
    } else return;
    event.preventDefault();
  });
}
