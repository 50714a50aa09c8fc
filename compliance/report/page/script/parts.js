// Small parts. Every text goes through textContent: nothing here makes HTML of a string.
const number = new Intl.NumberFormat("en");
const STEP = 50;
const RESULTS = { f: "failed", u: "unknown", w: "waived or known", c: "passed if", n: "not applicable", p: "passed", o: "not looked at" };
const SIGNS = { f: "✗", u: "?", w: "◌", c: "◐", n: "–", p: "✓", o: "·" };
const LETTERS = ["f", "u", "c", "n", "o", "p"]; // of the words of readiness, in their order

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
};
const plural = (count, noun) => `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const folded = (text) => text.normalize("NFC").toLowerCase();
const mark = (letter, words) => make("span", { class: `state ${letter}` }, make("span", { "aria-hidden": "true" }, SIGNS[letter]), ` ${words}`);
const paragraphs = (text) => text.split("\n\n").map((part) => make("p", {}, part));
const small = (words, text) => (text ? make("p", { class: "small" }, words ? `${words}: ${text}` : text) : "");
const action = (words, attributes, run) => {
  const button = make("button", { type: "button", ...attributes }, words);
  button.addEventListener("click", run);
  return button;
};

// What is copied is exactly the text, by the clipboard's own way or by the old one where a page from a file has none.
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = make("textarea", { class: "away", "aria-hidden": "true" });
    field.value = text;
    document.body.append(field);
    field.focus();
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
};
const copyButton = (text, words) => {
  const button = action("Copy", { class: "copy", "aria-label": `Copy ${words}` }, async () => {
    const focused = document.activeElement;
    button.textContent = (await copy(text)) ? "Copied" : "Select it and copy";
    if (focused) focused.focus();
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return button;
};
const SHELLS = { powershell: "PowerShell", sh: "Shell" };
const beforeRun = (text) => text.includes(" -WhatIf")
  ? "With -WhatIf it changes nothing: read what it would do, then run it without."
  : "Look at it before you run it.";
const commandBox = ([shell, where, text]) =>
  make("figure", { class: "command" },
    make("figcaption", {}, `${SHELLS[shell] || shell}, ${where}. ${beforeRun(text)}`),
    make("pre", { tabindex: "0", role: "group", "aria-label": `Command ${where}` }, make("code", {}, text)),
    copyButton(text, `the command ${where}`));

// A list that grows on demand; focus goes to the first of what came.
const grow = (into, items, drawn, noun) => {
  let count = 0;
  const more = make("button", { type: "button", class: "more" });
  const add = () => {
    const next = items.slice(count, count + STEP).map(drawn);
    into.append(...next);
    count = Math.min(count + STEP, items.length);
    const rest = items.length - count;
    more.textContent = `Show ${number.format(Math.min(STEP, rest))} more of ${plural(rest, noun)}`;
    more.hidden = rest === 0;
    return next[0];
  };
  more.addEventListener("click", () => {
    const first = add();
    const target = first && (first.querySelector("summary, a, button") || first);
    if (!target) return;
    if (!target.matches("summary, a, button")) target.setAttribute("tabindex", "-1");
    target.focus();
  });
  add();
  return more;
};
const grid = (caption, heads, items, cells, noun, captionClass = null) => {
  const body = make("tbody", {});
  const table = make("table", { class: "cards" }, make("caption", { class: captionClass }, caption),
    make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))), body);
  const more = grow(body, items, (item) => make("tr", {}, cells(item).map((cell, at) =>
    at === 0 ? make("th", { scope: "row" }, cell) : make("td", { "data-head": heads[at] }, cell))), noun);
  return [make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, table), more];
};
// A fold's content is made when it is opened, so that a page of 20,000 findings opens at once.
const fold = (head, content, isOpen) => {
  const body = make("div", {});
  const box = make("details", {}, make("summary", {}, head), body);
  const fill = () => {
    if (box.open && !body.childNodes.length) body.append(...content().flat());
  };
  box.addEventListener("toggle", fill);
  if (isOpen) {
    box.open = true;
    fill();
  }
  return box;
};
