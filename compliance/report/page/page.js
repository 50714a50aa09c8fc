"use strict";
// Draws the page from its data. Every text goes through textContent: nothing here makes HTML of a string.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { rules, servers, machines, findings, texts } = data;
  const STEP = 50;
  const WORDS = { f: "Failed", u: "Unknown", w: "Waived or known", n: "Not applicable", p: "Passed" };
  const SIGNS = { f: "✗", u: "?", w: "◐", n: "–", p: "✓" };
  const total = machines.name.length;
  const count = (findings.rule || []).length;
  const number = new Intl.NumberFormat("en");

  // --- small parts ---

  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
    return element;
  };
  const state = (result) => make("span", { class: `state ${result}` }, result === "o" ? "Not in scope" : `${SIGNS[result]} ${WORDS[result]}`);
  const paragraphs = (text) => text.split("\n\n").map((part) => make("p", {}, part));
  const bits = data.not_applicable.map((coded) => (coded ? Uint8Array.from(atob(coded), (c) => c.charCodeAt(0)) : null));
  const isOff = (rule, machine) => bits[rule] !== null && (bits[rule][machine >> 3] >> (machine & 7)) & 1;
  const folded = (text) => text.normalize("NFC").toLowerCase();

  // --- what hangs on what: made once ---

  const bySubject = new Map(); // machine, or -1 - server or cluster, or null -> its findings
  for (let at = 0; at < count; at++) {
    const subject = findings.subject[at];
    if (!bySubject.has(subject)) bySubject.set(subject, []);
    bySubject.get(subject).push(at);
  }
  const machinesOf = servers.map(() => []);
  for (let at = 0; at < total; at++) machinesOf[machines.server[at]].push(at);
  const machineRules = rules.map((rule, at) => at).filter((at) => rules[at].of_machines);
  // A machine is called by its cluster, since its node changes.
  const called = (machine) => {
    const server = servers[machines.server[machine]];
    return `${server.cluster || server.name}/${machines.name[machine]}`;
  };
  const names = machines.name.map((name, at) => folded(called(at)));
  const worst = (found) => ["f", "u", "w"].find((result) => found.some((at) => findings.result[at] === result));
  const stateOf = (machine) => {
    const found = bySubject.get(machine);
    if (found) return worst(found);
    return machineRules.length && machineRules.every((rule) => isOff(rule, machine)) ? "n" : "p";
  };
  // Machines by state, worst first: made once, after the first screen stands.
  let ranked = null;
  const rank = () => {
    if (ranked) return ranked;
    const by = { f: [], u: [], w: [], p: [], n: [] };
    for (let at = 0; at < total; at++) by[stateOf(at)].push(at);
    ranked = Object.entries(by);
    return ranked;
  };
  const serverOf = (subject) => (subject === null ? null : subject < 0 ? -1 - subject : machines.server[subject]);
  const label = (subject) => {
    if (subject === null) return data.estate;
    if (subject < 0) return servers[-1 - subject].name;
    return called(subject);
  };
  const labels = new Map();
  const folds = (subject) => {
    if (subject !== null && subject >= 0) return names[subject];
    if (!labels.has(subject)) labels.set(subject, folded(label(subject)));
    return labels.get(subject);
  };

  // --- filters ---

  const chosen = { view: "rules", severity: "", site: "", server: "", group: "", outcome: "", text: "" };
  const distinct = (values) => [...new Set(values)].filter(Boolean).sort();
  const choices = {
    severity: distinct(rules.map((rule) => rule.severity)),
    site: distinct(servers.map((server) => server.site)),
    server: [...new Set(servers.map((server) => server.name))],
    group: distinct(servers.flatMap((server) => server.groups)),
  };
  const holdsServer = (at) => {
    if (at === null) return !(chosen.site || chosen.server || chosen.group);
    const server = servers[at];
    return (
      (!chosen.site || server.site === chosen.site) &&
      (!chosen.server || server.name === chosen.server || server.cluster === chosen.server) &&
      (!chosen.group || server.groups.includes(chosen.group))
    );
  };
  const holdsText = (text, where) => !text || where.includes(text);
  const holdsFinding = (at, text) => {
    const rule = rules[findings.rule[at]];
    return (
      (!chosen.severity || rule.severity === chosen.severity) &&
      (!chosen.outcome || findings.result[at] === chosen.outcome) &&
      holdsServer(serverOf(findings.subject[at])) &&
      (holdsText(text, folds(findings.subject[at])) || folded(texts[findings.text[at]]).includes(text))
    );
  };
  const chosenFindings = (results) => {
    const text = folded(chosen.text.trim());
    const found = [];
    for (let at = 0; at < count; at++) {
      if (results.includes(findings.result[at]) && holdsFinding(at, text)) found.push(at);
    }
    return found;
  };

  const field = (name, words, options) => {
    const select = make("select", { name }, make("option", { value: "" }, "all"));
    for (const [value, shown] of options) select.append(make("option", { value }, shown));
    select.value = chosen[name];
    select.addEventListener("change", () => choose({ [name]: select.value }));
    return make("label", {}, words, select);
  };
  const drawFilters = () => {
    const form = document.getElementById("filters");
    form.addEventListener("submit", (event) => event.preventDefault());
    const pairs = (values) => values.map((value) => [value, value]);
    const input = make("input", { type: "search", name: "text", size: 24, autocomplete: "off" });
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => choose({ text: input.value }), 120);
    });
    const fields = [make("label", {}, "Name or finding", input)];
    if (choices.severity.length > 1) fields.push(field("severity", "Severity", pairs(choices.severity)));
    if (choices.site.length > 1) fields.push(field("site", "Site", pairs(choices.site)));
    if (choices.server.length > 1) fields.push(field("server", "Server", pairs(choices.server)));
    if (choices.group.length > 1) fields.push(field("group", "Group", pairs(choices.group)));
    fields.push(field("outcome", "Outcome", Object.entries(WORDS)));
    const reset = make("button", { type: "button", class: "reset" }, "Clear filters");
    reset.addEventListener("click", () => {
      Object.assign(chosen, { severity: "", site: "", server: "", group: "", outcome: "", text: "" });
      form.replaceChildren();
      drawFilters();
      draw();
    });
    form.replaceChildren(...fields, reset);
  };

  // --- lists that grow on demand ---

  const grow = (into, items, drawn, noun) => {
    let shown = 0;
    const more = make("button", { type: "button", class: "more" });
    const add = () => {
      const next = items.slice(shown, shown + STEP).map(drawn);
      into.append(...next);
      shown = Math.min(shown + STEP, items.length);
      more.textContent = `Show ${number.format(Math.min(STEP, items.length - shown))} more of ${number.format(items.length - shown)} ${noun}`;
      more.hidden = shown >= items.length;
      return next[0];
    };
    more.addEventListener("click", () => {
      const first = add();
      const target = first && (first.querySelector("summary, a, button") || first);
      if (target) {
        if (!target.matches("summary, a, button")) target.setAttribute("tabindex", "-1");
        target.focus();
      }
    });
    add();
    return more;
  };
  // A fold's content is made when it is opened, so that a page of 20,000 findings opens at once.
  const fold = (head, content, isOpen) => {
    const body = make("div", {});
    const box = make("details", {}, make("summary", {}, ...head), body);
    const fill = () => {
      if (box.open && !body.childNodes.length) body.append(...content());
    };
    box.addEventListener("toggle", fill);
    if (isOpen) {
      box.open = true;
      fill();
    }
    return box;
  };
  const grid = (caption, heads, rows, noun) => {
    const body = make("tbody", {});
    const table = make(
      "table",
      { class: "cards" },
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      body,
    );
    const more = grow(body, rows, (row) => make("tr", {}, ...row().map((cell, at) => {
      if (at === 0) return make("th", { scope: "row" }, cell);
      const told = heads[at] === "Found";
      return make("td", { class: told ? "told" : null, "data-head": told ? null : heads[at] }, ...(Array.isArray(cell) ? cell : [cell]));
    })), noun);
    return [make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table), more];
  };

  // --- a finding, a rule ---

  const about = (at) => {
    const lines = [make("div", {}, texts[findings.text[at]])];
    const small = (words, text) => text && lines.push(make("div", { class: "small" }, `${words}: ${text}`));
    small("Evidence", texts[findings.evidence[at]]);
    small("Microsoft's BPA would say", texts[findings.bpa[at]]);
    small("Since the baseline", texts[findings.state[at]]);
    small("Waiver", texts[findings.waiver[at]]);
    for (const remark of findings.remarks[at]) small("Remark", texts[remark]);
    small("GUID", findings.guid[at]);
    return lines;
  };
  const side = (subject) => {
    if (subject === null || subject < 0) return "";
    const server = servers[machines.server[subject]];
    return machines.sides[machines.side[subject]] + (server.cluster ? ` on ${server.name}` : "");
  };
  const findingRow = (at) => () => [
    label(findings.subject[at]),
    side(findings.subject[at]),
    [state(findings.result[at])],
    texts[findings.now[at]] || "–",
    texts[findings.after[at]] || "–",
    about(at),
  ];
  const HEADS = ["Subject", "Side", "Outcome", "Address now", "After a failover", "Found"];
  const ruleText = (rule) => [
    ...(rule.issue ? [make("h3", {}, "Issue"), ...paragraphs(rule.issue)] : []),
    ...(rule.impact ? [make("h3", {}, "Impact"), ...paragraphs(rule.impact)] : []),
    make("h3", {}, "Resolution"),
    ...paragraphs(rule.resolution),
    ...(rule.link ? [make("p", {}, make("a", { href: rule.link, rel: "noreferrer" }, "More at Microsoft"))] : []),
  ];
  const ruleFold = (results, isOpen) => ([at, found]) => {
    const rule = rules[at];
    const head = [
      state(results.find((result) => found.some((one) => findings.result[one] === result)) || "p"),
      ` ${rule.severity.toUpperCase()} – ${rule.title} `,
      make("span", { class: "count" }, `(${number.format(found.length)})`),
    ];
    return fold(head, () => [...ruleText(rule), make("h3", {}, rule.impacts), ...grid(`Findings of ${rule.key}`, HEADS, found.map(findingRow), "findings")], isOpen);
  };
  const grouped = (found) => {
    const groups = new Map();
    for (const at of found) {
      if (!groups.has(findings.rule[at])) groups.set(findings.rule[at], []);
      groups.get(findings.rule[at]).push(at);
    }
    return [...groups];
  };
  const drawRules = (results) => () => {
    const found = chosenFindings(results);
    const groups = grouped(found);
    return [`${number.format(found.length)} findings of ${groups.length} rules`, ...groups.map(ruleFold(results, groups.length === 1)), ...(results.includes("f") ? overview() : [])];
  };
  const overview = () =>
    grid("All rules in scope", ["Rule", "Severity", ...Object.values(WORDS)], rules.map((rule) => () => [
      rule.key,
      rule.severity,
      ...["failed", "unknown", "waived", "not applicable", "passed"].map((result) => number.format(rule.counts[result])),
    ]), "rules");

  // --- by server, by machine ---

  const SERVERS = servers.some((server) => server.nodes) ? "servers and clusters" : "servers";
  const holding = (at) => {
    const { nodes } = servers[at];
    return nodes ? `cluster of ${number.format(nodes.length)} nodes` : `${number.format(machinesOf[at].length)} machines`;
  };
  const drawServers = () => {
    const text = folded(chosen.text.trim());
    const rows = [];
    servers.forEach((server, at) => {
      if (!holdsServer(at)) return;
      const found = [...(bySubject.get(-1 - at) || []), ...machinesOf[at].flatMap((one) => bySubject.get(one) || [])];
      const shown = found.filter((one) => holdsFinding(one, text));
      if (!shown.length && (chosen.severity || (chosen.outcome && chosen.outcome !== "p"))) return;
      if (!shown.length && text && !folded(server.name).includes(text)) return;
      const result = worst(found) || (server.judged ? "p" : "o");
      if (chosen.outcome === "p" && result !== "p") return;
      rows.push([at, shown, result]);
    });
    rows.sort((one, other) => "fuwpo".indexOf(one[2]) - "fuwpo".indexOf(other[2]) || other[1].length - one[1].length);
    const box = make("div", {});
    const more = grow(box, rows, ([at, shown, result]) => {
      const server = servers[at];
      const place = distinct([server.site, ...server.groups]).join(", ");
      const head = [state(result), ` ${server.name} `, make("span", { class: "count" }, `${place ? `${place}; ` : ""}${holding(at)}, ${number.format(shown.length)} findings`)];
      return fold(head, () => {
        const lines = [];
        if (server.unread) lines.push(make("p", {}, make("strong", {}, "Not read: "), server.unread));
        if (server.insecure) lines.push(make("p", {}, make("strong", {}, "Insecure: "), server.insecure));
        if (server.nodes) lines.push(make("p", { class: "small" }, `Nodes: ${server.nodes.join(", ") || "not known"}`));
        if (server.version) lines.push(make("p", { class: "small" }, `Version ${server.version}`));
        for (const remark of server.remarks) lines.push(make("p", { class: "small" }, `Remark: ${remark}`));
        if (!shown.length) return [...lines, make("p", {}, `No finding on this ${server.nodes ? "cluster as a whole" : "server"}.`)];
        return [...lines, ...grid(`Findings on ${server.nodes ? "the cluster " : ""}${server.name}`, ["Subject", "Rule", "Outcome", "Address now", "After a failover", "Found"], shown.map((one) => () => {
          const row = findingRow(one)();
          row[1] = rules[findings.rule[one]].key;
          return row;
        }), "findings")];
      });
    }, SERVERS);
    return [`${number.format(rows.length)} of ${number.format(servers.length)} ${SERVERS}`, box, more];
  };
  const machineBody = (at) => {
    const found = bySubject.get(at) || [];
    const rows = machineRules.flatMap((rule) => {
      const own = found.filter((one) => findings.rule[one] === rule);
      if (own.length) return own.map((one) => () => [rules[rule].key, [state(findings.result[one])], texts[findings.now[one]] || "–", texts[findings.after[one]] || "–", about(one)]);
      return [() => [rules[rule].key, [state(isOff(rule, at) ? "n" : "p")], "–", "–", ""]];
    });
    return grid(`Rules on ${label(at)}`, ["Rule", "Outcome", "Address now", "After a failover", "Found"], rows, "rules");
  };
  const drawMachines = () => {
    const text = folded(chosen.text.trim());
    const holds = servers.map((server, at) => holdsServer(at));
    const hasSeverity = (at) => (bySubject.get(at) || []).some((one) => rules[findings.rule[one]].severity === chosen.severity);
    const found = [];
    for (const [result, members] of rank()) {
      if (chosen.outcome && result !== chosen.outcome) continue;
      for (const at of members) {
        if (!holds[machines.server[at]] || !holdsText(text, names[at])) continue;
        if (!chosen.severity || hasSeverity(at)) found.push([at, result]);
      }
    }
    const box = make("div", {});
    const more = grow(box, found, ([at, result]) =>
      fold([state(result), ` ${label(at)} `, make("span", { class: "count" }, side(at))], () => machineBody(at)), "machines");
    return [`${number.format(found.length)} of ${number.format(total)} machines`, box, more];
  };
  const drawChanges = () => {
    const fresh = chosenFindings(["f"]).filter((at) => texts[findings.state[at]] === "new");
    const other = chosenFindings(["f"]).filter((at) => texts[findings.state[at]].startsWith("known, but"));
    return [
      `${number.format(fresh.length)} new, ${number.format(other.length)} on other evidence, ${number.format(data.vanished.length)} fixed`,
      make("h2", {}, "New"),
      ...grid("Findings that the baseline doesn't have", HEADS, fresh.map(findingRow), "findings"),
      make("h2", {}, "Known, on other evidence"),
      ...grid("Findings whose evidence changed", HEADS, other.map(findingRow), "findings"),
      make("h2", {}, "Found no more"),
      ...grid("Findings of the baseline", ["Subject", "Rule"], data.vanished.map(([rule, name]) => () => [name, rule]), "findings"),
    ];
  };

  // --- views ---

  const VIEWS = {
    rules: ["Findings by rule", drawRules(["f", "u"])],
    servers: ["By server", drawServers],
    machines: ["By machine", drawMachines],
    unknown: ["Unknown", drawRules(["u"])],
    waived: ["Waived or known", drawRules(["w"])],
    ...(data.has_baseline ? { changes: ["Since the baseline", drawChanges] } : {}),
  };
  const draw = () => {
    const [told, ...content] = VIEWS[chosen.view][1]();
    document.getElementById("status").textContent = told;
    const title = make("h2", { id: "title" }, VIEWS[chosen.view][0]);
    document.getElementById("view").replaceChildren(title, ...content);
  };
  const drawViews = () => {
    const items = Object.entries(VIEWS).map(([name, [words]]) => {
      const button = make("button", { type: "button", "aria-current": name === chosen.view ? "page" : null }, words);
      button.addEventListener("click", () => {
        location.hash = name;
      });
      return make("li", {}, button);
    });
    document.getElementById("views").replaceChildren(...items);
  };
  const choose = (changes) => {
    Object.assign(chosen, changes);
    draw();
  };
  const follow = () => {
    const name = location.hash.slice(1);
    if (name in VIEWS) chosen.view = name;
    const held = document.activeElement && document.activeElement.closest("#views");
    drawViews();
    if (held) document.querySelector("#views [aria-current]").focus();
    draw();
  };
  window.addEventListener("hashchange", follow);
  drawFilters();
  follow();
  setTimeout(rank, 200);
})();
