"""The lab on disk: a folder of runs, each with its journal, status and lock. Standard library and YAML."""
