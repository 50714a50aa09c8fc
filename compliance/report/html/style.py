"""The style of the HTML report: our own part, and what pytest-html's page needs so that people can read it.

No hook of pytest-html reaches its ``<head>``, so this stands in one ``<style>`` at the head of the summary.
Every text colour has a contrast of at least 4.5:1 (WCAG AA) on what it stands on, by day and by night.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ground": "#ffffff",
    "head": "#eaeef2",
    "zebra": "#f6f8fa",
    "note": "#fff8e6",
    "ink": "#1f2328",
    "muted": "#4d555e",
    "line": "#8c959f",
    "blue": "#0b5cad",
    "red": "#b42318",
    "amber": "#8a4b00",
    "green": "#1a6b2d",
    "badge": "#ffffff",
}
DARK: Mapping[str, str] = {
    "ground": "#0d1117",
    "head": "#262c36",
    "zebra": "#161b22",
    "note": "#2b2111",
    "ink": "#e6edf3",
    "muted": "#a5afb9",
    "line": "#6e7681",
    "blue": "#79b8ff",
    "red": "#ff9a90",
    "amber": "#f0b35a",
    "green": "#7ee08f",
    "badge": "#0d1117",
}
"""The colours by what they are for. ``badge`` is the text on a coloured ground."""


def _variables(colours: Mapping[str, str]) -> str:
    return ";".join(f"--hv-{name}:{colour}" for name, colour in colours.items())


_COLOURS = f"""
:root{{{_variables(LIGHT)};color-scheme:light dark}}
@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}
@media print{{:root{{{_variables(LIGHT)};color-scheme:light}}}}
"""

_OURS = """
.hv-report{color:var(--hv-ink);font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5;max-width:1500px;overflow-wrap:anywhere}
.hv-report h3{font-size:20px;margin:32px 0 8px;border-bottom:2px solid var(--hv-ink);color:var(--hv-ink)}
.hv-report h4{font-size:17px;margin:0 0 8px;color:var(--hv-ink)}
.hv-report h5{font-size:15px;margin:16px 0 4px;color:var(--hv-ink)}
.hv-report p{margin:4px 0 8px;max-width:75em;color:inherit}
.hv-report a,.hv-detail a{color:var(--hv-blue)}
.hv-report .hv-sentence{font-size:19px;line-height:1.4;font-weight:bold;margin:12px 0;max-width:52em}
.hv-report .hv-small{font-size:13px;color:var(--hv-muted)}
.hv-report .hv-note{border:2px solid var(--hv-amber);background:var(--hv-note);padding:8px 12px;max-width:73em}
.hv-report .hv-rule{border:1px solid var(--hv-line);border-left-width:8px;padding:12px 16px;margin:12px 0 24px}
.hv-report .hv-rule.hv-error{border-left-color:var(--hv-red)}
.hv-report .hv-rule.hv-warning{border-left-color:var(--hv-amber)}
.hv-report .hv-rule.hv-information{border-left-color:var(--hv-blue)}
.hv-severity{display:inline-block;padding:0 8px;margin-right:6px;border-radius:3px}
.hv-severity{color:var(--hv-badge);background:var(--hv-muted)}
.hv-error .hv-severity{background:var(--hv-red)}
.hv-warning .hv-severity{background:var(--hv-amber)}
.hv-information .hv-severity{background:var(--hv-blue)}
.hv-wide{overflow-x:auto;margin:4px 0 12px}
.hv-long{max-height:34em;overflow:auto;border:1px solid var(--hv-line)}
.hv-long:focus-visible{outline:3px solid var(--hv-blue)}
.hv-report table{border-collapse:collapse;font-size:14px;color:inherit}
.hv-report caption{text-align:left;color:var(--hv-muted);padding:2px 0 4px}
.hv-report th,.hv-report td{border:1px solid var(--hv-line);padding:4px 8px;text-align:left;vertical-align:top}
.hv-report thead th{background:var(--hv-head);vertical-align:bottom}
.hv-long thead th{position:sticky;top:0}
.hv-report tbody th{font-weight:bold}
.hv-report tbody tr:nth-child(even){background:var(--hv-zebra)}
.hv-report .hv-name{min-width:7em;max-width:22em}
.hv-report .hv-address{min-width:7.5em;max-width:18em}
.hv-report .hv-text{min-width:14em}
.hv-report .hv-short{min-width:6em}
.hv-report .hv-number{text-align:right}
"""

_PYTEST_HTML = """
body{color:var(--hv-ink);background:var(--hv-ground);min-width:0}
h1,h2,p{color:var(--hv-ink)}
#environment td,#results-table,#results-table th,#results-table td{border-color:var(--hv-line)}
#environment tr:nth-child(odd){background:var(--hv-zebra)}
.logwrapper,.logwrapper .logexpander{background:var(--hv-head)}
.logwrapper .log{color:var(--hv-ink);border-color:var(--hv-line)}
#environment td{overflow-wrap:anywhere}
.summary__data,.summary__spacer{flex:1 1 auto}
.controls{flex-wrap:wrap;gap:4px 24px}
.filters{flex-wrap:wrap}
body>p a,.filters button,.collapse button{color:var(--hv-blue)}
#environment,#results-table{color:var(--hv-ink);font-size:13px}
#results-table td{overflow-wrap:anywhere;vertical-align:top}
#results-table .col-finding{min-width:15em}
#results-table .col-result{width:auto}
#results-table .col-severity{white-space:nowrap}
#results-table .col-side{min-width:4.5em}
#results-table .col-rule{min-width:9em}
#results-table .col-machine,#results-table .col-address,#results-table .col-server{min-width:6em}
.col-result:hover::after,#environment-header h2:hover::after{color:var(--hv-muted)}
#environment-header.collapsed h2:hover::after{color:var(--hv-muted)}
span.passed,.passed .col-result{color:var(--hv-green)}
span.skipped,span.xfailed,span.rerun,.skipped .col-result,.xfailed .col-result,.rerun .col-result{color:var(--hv-muted)}
.error .col-result,span.error{color:var(--hv-amber)}
.failed .col-result,span.failed,.xpassed .col-result,span.xpassed{color:var(--hv-red)}
.failed .col-result,.error .col-result{font-weight:bold}
.logwrapper:not(:has(.log)),.logwrapper:has(.hv-detail) .logexpander{display:none}
.logwrapper:has(.hv-detail){max-height:none;overflow:visible;background:none}
.logwrapper .log:has(.hv-detail){position:static;height:auto;min-height:0;border:0;padding:4px 8px;white-space:normal;
font-family:inherit}
.hv-detail{font-size:14px;line-height:1.5;color:var(--hv-ink);overflow-wrap:anywhere;max-width:75em}
.hv-detail p{margin:0 0 4px;font-weight:bold}
.hv-detail dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}
.hv-detail dt{color:var(--hv-muted)}
.hv-detail dd{margin:0}
@media screen{
body{display:flex;flex-direction:column}
#environment-header{order:1}
#environment{order:2;align-self:flex-start}
}
@media print{
body{min-width:0}
.hv-report{font-size:10pt;max-width:none}
.hv-report table,#results-table{font-size:8pt}
.hv-report .hv-sentence{font-size:15pt}
.hv-long{max-height:none;overflow:visible;border:0}
.hv-wide{overflow:visible}
.hv-report .hv-name,.hv-report .hv-short{min-width:5em}
.hv-report .hv-address{min-width:7.5em}
.hv-report .hv-text{min-width:11em}
.hv-report th,.hv-report td,#results-table th,#results-table td{padding:2px 4px}
#results-table .col-finding{min-width:12em}
.hv-report thead th{position:static}
.hv-report tr,#results-table tr{break-inside:avoid}
.hv-report h3,.hv-report h4,.hv-report h5{break-after:avoid}
.hv-severity,.hv-report thead th{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.controls,p.filter{display:none}
}
"""

_NARROW = """
@media screen and (max-width:760px){
h1{font-size:20px}
.hv-report,.hv-detail,#results-table{font-size:14px}
.hv-report .hv-sentence{font-size:17px}
.hv-report ul{padding-left:20px}
.hv-report .hv-rule{padding:8px 10px}
.hv-report thead,#results-table thead{display:none}
.hv-report table,.hv-report tbody,.hv-report tr,.hv-report td,.hv-report tbody th,.hv-report caption,
#environment,#environment tbody,#environment tr,#environment td{display:block;min-width:0;max-width:none}
#environment td:first-child{color:var(--hv-muted);border-bottom:0;padding-bottom:0}
#environment td:last-child{border-top:0}
.hv-report .hv-name,.hv-report .hv-short,.hv-report .hv-address,.hv-report .hv-text{min-width:0;max-width:none}
.hv-report tr{border:1px solid var(--hv-line);padding:4px 8px;margin:0 0 6px}
.hv-report td,.hv-report tbody th{border:0;padding:1px 0}
.hv-report td:empty{display:none}
.hv-report td[data-label]::before{content:attr(data-label) ": ";color:var(--hv-muted)}
.hv-report .hv-number{display:inline-block;margin-right:12px;text-align:left}
#results-table,#results-table tbody,#results-table tr,#results-table td{display:block;border-width:0}
#results-table tbody{border-top:1px solid var(--hv-line);padding:4px 0}
#results-table tr.hidden,#results-table tbody.hidden{display:none}
#results-table td{padding:1px 4px}
#results-table .col-server,#results-table .col-machine,#results-table .col-address{display:inline-block}
#results-table td:empty,#results-table .col-severity,#results-table .col-side{display:none}
#results-table .col-finding,#results-table .col-rule,#results-table .col-machine,#results-table .col-address,
#results-table .col-server{min-width:0}
.hv-detail dl{grid-template-columns:1fr}
}
"""

STYLE = _COLOURS + _OURS + _PYTEST_HTML + _NARROW
