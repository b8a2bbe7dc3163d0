"""Delete what runs left under `.ansinh`; a run that is going on keeps its folder, the Kafka jars stay."""

from pathlib import Path

from deploy.local.stack import remove_abandoned

if __name__ == "__main__":
    remove_abandoned(Path.cwd(), "")
