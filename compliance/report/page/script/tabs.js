// The other tabs: findings by rule, by server and cluster, what is unknown, waived or known, and since the baseline.
const subjectName = (at) => {
  const subject = findings.subject[at];
  if (findings.label[at]) return texts[findings.label[at]];
  if (subject === null) return data.estate;
  if (subject < 0) return servers[-1 - subject].name;
  const server = servers[findings.server[at]];
  return server ? `${server.cluster || server.name}/${machines.name[subject]}` : machines.name[subject];
};
const subjectLink = (at) => {
  const subject = findings.subject[at];
  if (subject === null || subject < 0) return subjectName(at);
  return action(subjectName(at), { class: "link" }, () => {
    const row = inOrder(rowsOf[subject], KEYS.ready, false)[0];
    choose({ ...DEFAULTS, direction: data.directions[rows.direction[row]], text: machines.guid[subject], open: keyOf(row) });
    const opener = document.querySelector("tr.machine .opener");
    if (opener) opener.focus();
  });
};
const groupsBy = (list, key) => {
  const groups = new Map();
  for (const at of list) {
    if (!groups.has(key(at))) groups.set(key(at), []);
    groups.get(key(at)).push(at);
  }
  return [...groups];
};
const countSubjects = (list) => {
  const subjects = new Set(list.map((at) => findings.subject[at]));
  const first = findings.subject[list[0]];
  if (first === null) return data.estate;
  return plural(subjects.size, first >= 0 ? "machine" : servers[-1 - first].nodes ? "cluster" : "server");
};
const stateOf = (at) => [waiverLine(at), small("", texts[findings.state[at]])];
const causeGroup = (list) => {
  const at = list[0];
  const remedies = new Set(list.map((each) => findings.remedy[each]));
  const isCommon = remedies.size === 1;
  const hasState = list.some((each) => findings.state[each] || findings.waiver[each] >= 0);
  const heads = ["Subject", "Finding", ...(isCommon ? [] : ["What to do"]), ...(hasState ? ["Waiver or baseline"] : [])];
  const title = `${countSubjects(list)}: ${texts[findings.cause[at]]}`;
  return [
    make("h3", {}, mark(findings.result[at], RESULTS[findings.result[at]]), ` ${title}`),
    isCommon && texts[findings.remedy[at]] ? make("p", {}, make("strong", {}, "What to do: "), texts[findings.remedy[at]]) : "",
    ...grid(title, heads, list, (each) => [
      subjectLink(each), texts[findings.text[each]], ...(isCommon ? [] : [texts[findings.remedy[each]] || "–"]), ...(hasState ? [stateOf(each)] : []),
    ], "finding", "away"),
  ].filter(Boolean);
};
const causeGroups = (list) =>
  groupsBy(list, (at) => `${findings.result[at]} ${findings.rule[at]} ${findings.cause[at]}`)
    .sort((one, other) => other[1].length - one[1].length)
    .flatMap(([, group]) => causeGroup(group));
const listed = (results) => Array.from({ length: findingCount }, (_, at) => at).filter((at) => results.includes(findings.result[at]));
const ruleFolds = (list) => {
  const groups = groupsBy(list, (at) => findings.rule[at]);
  return groups.map(([rule, group]) =>
    fold([`${capital(rules[rule].severity)} – the rule: ${rules[rule].title} `, make("span", { class: "count" }, `(${plural(group.length, "finding")})`)],
      () => [...causeGroups(group), fold(["Issue, impact and resolution"], () => bpaText(rules[rule]))], groups.length === 1));
};
const drawRules = () => {
  const list = listed("fu");
  const counted = ["failed", "unknown", "waived", "not applicable", "passed"];
  return [
    `${plural(list.length, "finding")} of ${plural(new Set(list.map((at) => findings.rule[at])).size, "rule")}`,
    ...ruleFolds(list),
    make("h3", {}, "All rules in scope"),
    ...grid("All rules in scope", ["Rule", "Severity", "Failed", "Unknown", "Waived or known", "Not applicable", "Passed"], rules,
      (rule) => [rule.key, rule.severity, ...counted.map((result) => number.format(rule.counts[result]))], "rule", "away"),
  ];
};
// Rules on one side of a machine rest on each other, and each says the same of it: here it stands once.
const once = (list) => {
  const seen = new Set();
  return list.filter((at) => {
    const key = `${findings.subject[at]} ${findings.server[at]} ${findings.cause[at]}`;
    return !seen.has(key) && seen.add(key);
  });
};
const drawUnknown = () => {
  const list = once(listed("u"));
  return [plural(list.length, "unknown finding"), ...causeGroups(list)];
};

// --- servers ---

const serverWords = () => {
  const counts = servers.map(() => words.map(() => 0));
  for (let row = 0; row < total; row++) {
    if (data.directions[rows.direction[row]] !== DEFAULT_DIRECTION) continue;
    const places = new Set();
    for (const at of [rows.from[row], rows.to[row]]) {
      if (at < 0) continue;
      places.add(at);
      if (servers[at].cluster) servers.forEach((each, place) => { if (each.nodes && each.name === servers[at].cluster) places.add(place); });
    }
    for (const at of places) counts[at][rows.word[row]]++;
  }
  return counts;
};
const serverState = (at) => {
  const own = (findingsOf.get(-1 - at) || []).map((each) => findings.result[each]);
  const letter = ["f", "u", "w"].find((result) => own.includes(result)) || (servers[at].judged ? "p" : "o");
  return letter === "o" ? mark("o", "not in scope") : mark(letter, servers[at].unread ? "not read" : letter === "p" ? "read" : RESULTS[letter]);
};
const serverNotes = (at) => {
  const server = servers[at];
  const own = findingsOf.get(-1 - at) || [];
  return [
    server.unread ? make("p", {}, make("strong", {}, "Not read: "), server.unread) : "",
    server.insecure ? make("p", {}, make("strong", {}, "Insecure: "), server.insecure) : "",
    ...own.filter(() => !server.unread).map((each) => make("p", {}, mark(findings.result[each], RESULTS[findings.result[each]]), ` ${texts[findings.text[each]]}`)),
    ...own.slice(0, 1).map((each) => (texts[findings.remedy[each]] ? make("p", {}, make("strong", {}, "What to do: "), texts[findings.remedy[each]]) : "")),
    server.nodes ? small("Nodes", server.nodes.join(", ") || "not known") : "",
    small("Version", server.version), ...server.remarks.map((remark) => small("Remark", remark)),
  ];
};
const drawServers = () => {
  const counts = serverWords();
  const kinds = words.map((_, word) => word).filter((word) => counts.some((each) => each[word]));
  const order = servers.map((_, at) => at).sort((one, other) => Boolean(servers[other].unread) - Boolean(servers[one].unread) ||
    counts[other][0] - counts[one][0] || counts[other][1] - counts[one][1] || rankOf(one) - rankOf(other));
  const noun = servers.some((server) => server.nodes) ? "server or cluster" : "server";
  const caption = `Machines with a side there: ${DEFAULT_DIRECTION}`;
  return [
    servers.some((server) => server.nodes) ? `${number.format(servers.length)} servers and clusters` : plural(servers.length, "server"),
    ...grid(caption, [capital(noun), "State", "Site and groups", ...kinds.map((word) => capital(words[word])), "About it"], order, (at) => [
      make("div", {}, servers[at].name, servers[at].nodes ? make("span", { class: "small" }, ` cluster of ${plural(servers[at].nodes.length, "node")}`) : ""),
      serverState(at), distinct([servers[at].site, ...servers[at].groups]).join(", ") || "–",
      ...kinds.map((word) => (counts[at][word]
        ? action(number.format(counts[at][word]), { class: `link ${LETTERS[word]}`, "aria-label": `${counts[at][word]} ${words[word]} of ${servers[at].name}` },
          () => choose({ ...DEFAULTS, ready: words[word], server: servers[at].name }))
        : servers[at].unread ? "not read" : "0")),
      make("div", {}, serverNotes(at)),
    ], noun),
  ];
};

// --- waivers, baseline ---

const drawWaived = () => {
  const list = listed("w");
  const columns = ["Place", "State", "Covers", "Reason", "Owner", "Until", "Ticket", "Approved by"];
  const file = data.waivers.length ? [make("h3", {}, "Waivers"), ...grid("Waivers", columns, data.waivers, (waiver) => [
    waiver.place, waiver.used ? waiver.state : `${waiver.state}, met no finding`, waiver.covers, waiver.reason, waiver.owner, waiver.expires, waiver.ticket || "–", waiver.approved || "–",
  ], "waiver", "away")] : [];
  return [`${plural(list.length, "finding")} waived or known, judged all the same`, ...causeGroups(list), ...file];
};
const isState = (at, text) => texts[findings.state[at]].startsWith(text);
const drawBaseline = () => {
  const all = listed("fuw");
  const fresh = all.filter((at) => isState(at, "new"));
  const changed = all.filter((at) => isState(at, "known, but") || isState(at, "known, evidence"));
  const part = (title, list) => (list.length ? [make("h3", {}, `${title} (${number.format(list.length)})`), ...causeGroups(list)] : []);
  const gone = data.vanished.length ? [make("h3", {}, `Fixed (${number.format(data.vanished.length)})`),
    ...grid("Fixed since the baseline", ["Subject", "Rule"], data.vanished, ([rule, name]) => [name, rule], "finding")] : [];
  return [
    `${number.format(fresh.length)} new, ${number.format(changed.length)} with changed evidence, ${number.format(data.vanished.length)} fixed`,
    ...part("New", fresh), ...part("Known, evidence changed", changed), ...gone,
  ];
};
