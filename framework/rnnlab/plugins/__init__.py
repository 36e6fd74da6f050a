"""The plugin core: hook specifications, the records plugins register, and their discovery."""
