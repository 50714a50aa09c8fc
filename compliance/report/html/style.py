"""The style of the HTML report: our own part, and what pytest-html's page needs so that people can read it.

No hook of pytest-html reaches its ``<head>``, so this stands in one ``<style>`` at the head of the summary.
Every text colour has a contrast of at least 4.5:1 (WCAG AA) on what it stands on.
"""

from __future__ import annotations

_OURS = """
.hv-report{color:#1f2328;font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5;max-width:1500px;overflow-wrap:anywhere}
.hv-report h3{font-size:20px;margin:32px 0 8px;border-bottom:2px solid #1f2328;color:#1f2328}
.hv-report h4{font-size:17px;margin:0 0 8px;color:#1f2328}
.hv-report h5{font-size:15px;margin:16px 0 4px;color:#1f2328}
.hv-report p{margin:4px 0 8px;max-width:75em;color:inherit}
.hv-report a,.hv-detail a{color:#0b5cad}
.hv-report .hv-sentence{font-size:24px;line-height:1.3;font-weight:bold;margin:12px 0;max-width:48em}
.hv-report .hv-small{font-size:13px;color:#4d555e}
.hv-report .hv-note{border:2px solid #8a4b00;background:#fff8e6;padding:8px 12px;max-width:73em}
.hv-report .hv-rule{border:1px solid #8c959f;border-left-width:8px;padding:12px 16px;margin:12px 0 24px}
.hv-report .hv-rule.hv-error{border-left-color:#b42318}
.hv-report .hv-rule.hv-warning{border-left-color:#8a4b00}
.hv-report .hv-rule.hv-information{border-left-color:#0b5cad}
.hv-severity{display:inline-block;padding:0 8px;margin-right:6px;border-radius:3px;color:#fff;background:#4d555e}
.hv-error .hv-severity{background:#b42318}
.hv-warning .hv-severity{background:#8a4b00}
.hv-information .hv-severity{background:#0b5cad}
.hv-wide{overflow-x:auto;margin:4px 0 12px}
.hv-long{max-height:34em;overflow:auto;border:1px solid #8c959f}
.hv-long:focus-visible{outline:3px solid #0b5cad}
.hv-report table{border-collapse:collapse;font-size:14px;color:inherit}
.hv-report caption{text-align:left;color:#4d555e;padding:2px 0 4px}
.hv-report th,.hv-report td{border:1px solid #afb8c1;padding:4px 8px;text-align:left;vertical-align:top}
.hv-report thead th{background:#eaeef2;vertical-align:bottom}
.hv-long thead th{position:sticky;top:0}
.hv-report tbody th{font-weight:bold}
.hv-report tbody tr:nth-child(even){background:#f6f8fa}
.hv-report .hv-name{min-width:5em;max-width:22em}
.hv-report .hv-address{min-width:7.5em;max-width:18em}
.hv-report .hv-text{min-width:14em}
.hv-report .hv-short{min-width:5em}
.hv-report .hv-number{text-align:right}
"""

_PYTEST_HTML = """
body{color:#1f2328}
body>p a,.filters button,.collapse button{color:#0b5cad}
#environment,#results-table{color:#1f2328;font-size:13px}
#results-table td{overflow-wrap:anywhere;vertical-align:top}
#results-table .col-finding{min-width:22em}
#results-table .col-result{width:auto}
#results-table .col-side{white-space:nowrap}
#results-table .col-rule{min-width:10em}
#results-table .col-machine,#results-table .col-address,#results-table .col-server{min-width:7em}
.col-result:hover::after,#environment-header h2:hover::after{color:#4d555e}
#environment-header.collapsed h2:hover::after{color:#4d555e}
span.passed,.passed .col-result{color:#1a6b2d}
span.skipped,span.xfailed,span.rerun,.skipped .col-result,.xfailed .col-result,.rerun .col-result{color:#4d555e}
.error .col-result,span.error{color:#8a4b00}
.failed .col-result,span.failed,.xpassed .col-result,span.xpassed{color:#b42318}
.failed .col-result,.error .col-result{font-weight:bold}
.logwrapper:not(:has(.log)),.logwrapper:has(.hv-detail) .logexpander{display:none}
.logwrapper:has(.hv-detail){max-height:none;overflow:visible;background:none}
.logwrapper .log:has(.hv-detail){position:static;height:auto;min-height:0;border:0;padding:4px 8px;white-space:normal;
font-family:inherit}
.hv-detail{font-size:14px;line-height:1.5;color:#1f2328;overflow-wrap:anywhere;max-width:75em}
.hv-detail p{margin:0 0 4px;font-weight:bold}
.hv-detail dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}
.hv-detail dt{color:#4d555e}
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

STYLE = _OURS + _PYTEST_HTML
