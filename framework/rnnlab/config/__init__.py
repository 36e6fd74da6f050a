"""Configuration: pydantic sections brought by plugins, YAML files, presets and `key=value` overrides."""
