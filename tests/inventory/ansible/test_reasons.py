"""Of all that Ansible says of a source that it can't read, the line that helps."""

from __future__ import annotations

import pytest

from compliance.inventory.ansible.by_ansible import reason

# what each plugin says of a file -> the one that understood most
REASONS = {
    "hosts.yml": (
        {
            "auto": "no root 'plugin' key found, 'hosts.yml' is not a valid YAML inventory plugin config file",
            "yaml": 'Invalid "hosts" entry for "all" group, requires a dictionary',
            "ini": "Failed to parse inventory: Invalid host pattern 'all:' supplied, ending in ':' is not allowed",
        },
        "yaml",
    ),
    "aws.yml": (
        {
            "auto": "credentials are missing",
            "yaml": "Plugin configuration YAML file, not YAML inventory",
            "ini": "Failed to parse inventory: Expected key=value host variable assignment",
        },
        "auto",
    ),
    "ad.yml": (
        {
            "microsoft.ad.ldap": "no server was found",
            "auto": "no server was found either",
            "ini": "Failed to parse inventory: Expected key=value",
        },
        "microsoft.ad.ldap",
    ),
    "hosts": (
        {"yaml": "YAML parsing failed: mapping values", "ini": "Failed to parse inventory: Expected key=value host"},
        "ini",
    ),
    "hosts.ini": (
        {"yaml": 'Invalid "hosts" entry', "ini": "Failed to parse inventory: Invalid host pattern 'all:' supplied"},
        "ini",
    ),
    "list.py": (
        {"script": "Inventory script returned non-zero exit code 3.", "ini": "Failed to parse inventory: Expected"},
        "script",
    ),
}


@pytest.mark.parametrize("source", REASONS)
@pytest.mark.parametrize(
    "form",
    [
        "[WARNING]: Failed to parse inventory with '{}' plugin: {}",
        "[WARNING]:  * Failed to parse /x/y with {} plugin: {}",
    ],
)
def test_the_reason_is_that_of_the_plugin_which_understood_most(source: str, form: str) -> None:
    texts, best = REASONS[source]
    lines = [form.format(name, text) for name, text in texts.items()]
    assert reason("\n".join(lines).encode(), f"/folder/{source}") == texts[best]


def test_wrapped_warnings_are_one_reason() -> None:
    """As ansible-core has it up to 2.18."""
    text = (
        "[WARNING]:  * Failed to parse /folder/hosts.yml with auto plugin: no root\n'plugin' key found, "
        "'/folder/hosts.yml' is not a valid YAML inventory plugin\nconfig file\n"
        '[WARNING]:  * Failed to parse /folder/hosts.yml with yaml plugin: Invalid\n"hosts" entry for "all" group, '
        "requires a dictionary\n"
        "[WARNING]: Unable to parse /folder/hosts.yml as an inventory source\n"
        "ERROR! Completely failed to parse inventory source /folder/hosts.yml\n"
    )
    assert reason(text.encode(), "/folder/hosts.yml") == (
        'Invalid "hosts" entry for "all" group, requires a dictionary; Completely failed to parse inventory source '
        "/folder/hosts.yml"
    )


def test_what_a_plugin_quotes_is_not_repeated() -> None:
    text = "[WARNING]: Failed to parse inventory with 'auto' plugin: Invalid value provided for 'list': canary\n"
    assert "canary" not in reason(text.encode(), "/folder/aws.yml")
