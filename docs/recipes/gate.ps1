# A gate before a change, for Windows PowerShell 5.1 and PowerShell 7: gate.sh in another language.
# Not run by the tests: written by Microsoft's documentation. Try it on an estate whose answer you know first.
#
#     powershell.exe -NoProfile -ExecutionPolicy Bypass -File gate.ps1 site.yaml
#     if ($LASTEXITCODE -eq 0) { Start-TheChange }     # 0: go on; anything else: stop
#
# Windows as it is delivered runs no script file: without -ExecutionPolicy powershell.exe ends with 1, as for findings.
# Start it with -File: after -Command, powershell.exe makes a 1 of every other code. Options after the inventory are
# handed to pytest. The reports go to a new folder below gate-reports (or $env:HV_GATE_REPORTS), so that no earlier
# answer can be taken for this one's, and stay as the change's evidence.
# This file is plain ASCII: Windows PowerShell 5.1 takes a script without a byte order mark for the system's code page.

$inventory = $args[0]
$more = @($args | Select-Object -Skip 1)
if (-not $inventory) {
    [Console]::Error.WriteLine('usage: gate.ps1 INVENTORY [OPTION...]')
    exit 4
}

$above = if ($env:HV_GATE_REPORTS) { $env:HV_GATE_REPORTS } else { 'gate-reports' }
$reports = Join-Path $above ('{0:yyyyMMddTHHmmssZ}-{1}' -f [DateTime]::UtcNow, $PID)
try {
    $null = New-Item -ItemType Directory -Path $reports -ErrorAction Stop
} catch {
    [Console]::Error.WriteLine("gate.ps1: ${reports}: $_")
    exit 4
}

# With Stop, 5.1 throws at the first line that a program writes to stderr if the caller redirects it, and the exit code
# is lost. From 7.4 on a code other than 0 could be made an error as well; here it is the answer.
$ErrorActionPreference = 'Continue'
$PSNativeCommandUseErrorActionPreference = $false

# A program that can't be started leaves $LASTEXITCODE as an earlier one set it. Without global: this would be another,
# local variable that hides the real one.
$global:LASTEXITCODE = $null
$options = @('-q', '--tb=no', '--inventory', $inventory, '--hv-report-dir', $reports,
    '--junitxml', (Join-Path $reports 'junit.xml')) + $more
if (Get-Command pytest -ErrorAction SilentlyContinue) { & pytest @options } else { & python -m pytest @options }
$code = $global:LASTEXITCODE
if ($null -eq $code) {
    [Console]::Error.WriteLine('gate.ps1: neither pytest nor python was started: is one on the PATH?')
    $code = 3
}

# Options from elsewhere (PYTEST_ADDOPTS, a pytest.ini) can make a run of it that judges nothing and ends with 0.
# gate.json says open only after all was judged.
if ($code -eq 0) {
    $open = $false
    try {
        $gate = Get-Content -LiteralPath (Join-Path $reports 'gate.json') -Raw -Encoding UTF8 -ErrorAction Stop |
            ConvertFrom-Json -ErrorAction Stop
        $open = $gate.open -is [bool] -and $gate.open
    } catch {
        [Console]::Error.WriteLine("gate.ps1: $_")
    }
    if (-not $open) {
        [Console]::Error.WriteLine("gate.ps1: exit code 0, but gate.json in $reports does not say that the gate is open")
        $code = 3
    }
}

"gate.ps1: exit code $code, reports in $reports"
exit $code
