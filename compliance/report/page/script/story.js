// What a row opens to: its words, both sides with each step of the way, findings with what to do about them.
const NOT_LOOKED_AT = "no rule looked at it";
const stepLine = ([step, letter, lines], text) =>
  make("li", { class: `step ${letter}` },
    make("span", { class: "dot", "aria-hidden": "true" }, SIGNS[letter]),
    make("div", {},
      make("span", { class: "name" }, data.steps[step]),
      make("span", { class: "word" }, ` ${RESULTS[letter]}`),
      (lines.length ? lines.map((line) => text[line]) : letter === "o" ? [NOT_LOOKED_AT] : []).map((line) => make("div", { class: "small" }, line))));
const sideBox = ([server, [role, power, ...remarks], way], text, meant) => {
  const place = server < 0 ? "a server that was not seen" : [servers[server].name, ...distinct([servers[server].site, servers[server].cluster])].join(", ");
  return make("section", { class: meant ? "side meant" : "side" },
    make("h4", {}, `${capital(text[role])} on ${place}: ${text[power]}`),
    small("", meant),
    make("ol", { class: "way", "aria-label": `Way of the address on the ${text[role]}` }, way.map((step) => stepLine(step, text))),
    remarks.map((remark) => small("Remark", text[remark])));
};
const waiverLine = (at) => {
  const waiver = data.waivers[findings.waiver[at]];
  return waiver ? small("Waiver", `${waiver.reason} (${[waiver.owner, waiver.ticket, `until ${waiver.expires}`].filter(Boolean).join(", ")}; ${waiver.state}; ${waiver.place})`) : "";
};
const bpaText = (rule) => [
  ...(rule.issue ? [make("h4", {}, "Issue"), ...paragraphs(rule.issue)] : []),
  ...(rule.impact ? [make("h4", {}, "Impact"), ...paragraphs(rule.impact)] : []),
  make("h4", {}, "Resolution"), ...paragraphs(rule.resolution),
  ...(rule.link ? [make("p", {}, make("a", { href: rule.link, rel: "noreferrer" }, rule.quoted ? "More at Microsoft" : "More about this rule"))] : []),
];
const findingBox = (at, details, text) => {
  const rule = rules[findings.rule[at]];
  const [[evidence, bpa, now, ...remarks], command] = details;
  const place = findings.server[at] < 0 ? "" : ` on ${servers[findings.server[at]].name}`;
  return make("li", { class: "finding" },
    make("p", {}, mark(findings.result[at], RESULTS[findings.result[at]]), make("strong", {}, `${place}: ${texts[findings.text[at]]}`)),
    texts[findings.remedy[at]] ? make("p", {}, make("strong", {}, "What to do: "), texts[findings.remedy[at]]) : "",
    command ? commandBox(command) : "",
    waiverLine(at),
    small("Since the baseline", texts[findings.state[at]]),
    small("Evidence", text[evidence]), small("Address now", text[now]), small("Microsoft's BPA would say", text[bpa]),
    remarks.map((remark) => small("Remark", text[remark])),
    fold([`${rule.severity}: ${rule.title}`], () => bpaText(rule)));
};
const wordLine = (row, isMain) => make("li", { class: isMain ? "main" : null },
  make("strong", {}, `${capital(data.directions[rows.direction[row]])}: `), wordOf(row),
  texts[rows.reason[row]] ? ` – ${texts[rows.reason[row]]}` : "");
const story = (row, block) => {
  const machine = rows.machine[row];
  const [sides, details] = block.machines[machine % raw.block];
  const found = findingsOf.get(machine) || [];
  const target = arrives(row);
  const here = (side) => (!isBack(row) && block.texts[side[1][1]] === "running" ? "It runs here already." : `It would come up here at the ${data.directions[rows.direction[row]]}.`);
  const meant = (side) => (side[0] === target && sides.length > 1 ? here(side) : "");
  const ordered = [...sides].sort((one, other) => (other[0] === target) - (one[0] === target));
  const box = (at) => findingBox(at, details[found.indexOf(at)], block.texts);
  const isHere = (at) => findings.server[at] === target;
  const list = (title, some) => (some.length ? [make("h3", {}, title), make("ul", { class: "findings" }, some.map(box))] : []);
  return [
    make("ul", { class: "directions" }, rowsOf[machine].map((each) => wordLine(each, each === row))),
    ...list("What stands against it", found.filter(isHere)),
    make("h3", {}, "The way of its address"),
    make("div", { class: "sides" }, ordered.map((side) => sideBox(side, block.texts, meant(side)))),
    ...list("Findings on its other side", found.filter((at) => !isHere(at))),
    make("p", { class: "small" }, `GUID ${machines.guid[machine]} `, copyButton(machines.guid[machine], "the GUID")),
  ];
};
