"""The link's process: reads its task as JSON from the file named, prints its doors, and runs until stopped.

The task: {"scenario": {...}, "servers": [[host, port], ...], "client_capture": path, "server_capture": path}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from link.forwarder import Forwarder
from link.process import run_until_stopped
from link.scenario import Scenario


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    forwarder = Forwarder(
        Scenario.from_json(task["scenario"]),
        [(host, port) for host, port in task["servers"]],
        Path(task["client_capture"]),
        Path(task["server_capture"]),
    )
    print(json.dumps({"doors": forwarder.doors}), flush=True)
    run_until_stopped(forwarder.step)
    forwarder.close()
    print(json.dumps(forwarder.statistics()), flush=True)


main()
