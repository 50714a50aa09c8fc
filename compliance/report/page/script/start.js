// Tabs, and the first view.
const hasAny = (results) => findings.result && findings.result.some((result) => results.includes(result));
const VIEWS = {
  machines: ["Virtual machines", drawMachines],
  rules: ["By rule", drawRules],
  servers: [servers.some((server) => server.nodes) ? "By server and cluster" : "By server", drawServers],
  ...(hasAny("u") ? { unknown: ["Unknown", drawUnknown] } : {}),
  ...(hasAny("w") || data.waivers.length ? { waived: ["Waived and known", drawWaived] } : {}),
  ...(data.has_baseline ? { changes: ["Since the baseline", drawBaseline] } : {}),
};
const drawTabs = () => {
  document.getElementById("views").replaceChildren(...Object.entries(VIEWS).map(([name, [words]]) => {
    const button = action(words, { "aria-current": name === chosen.view ? "page" : null }, () => {
      choose({ view: name });
      document.querySelector("#views [aria-current]").focus();
    });
    return make("li", {}, button);
  }));
};
const draw = () => {
  drawTabs();
  document.getElementById("filters").hidden = chosen.view !== "machines";
  document.getElementById("clear").hidden = chosen.view !== "machines" || !isNarrowed();
  const [status, ...content] = VIEWS[chosen.view][1]();
  document.getElementById("status").textContent = status;
  document.getElementById("view").replaceChildren(make("h2", { id: "title", class: "away" }, VIEWS[chosen.view][0]), ...content.flat().filter(Boolean));
};
const follow = () => {
  readAddress();
  draw();
};
readAddress();
drawFilters();
wireButtons();
draw();
window.addEventListener("hashchange", follow);
window.addEventListener("popstate", follow);
setTimeout(foldAll, 200);
