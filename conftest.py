"""Names the plugin, so that the checkout runs without being installed."""

pytest_plugins = ["compliance.plugin.hooks"]
