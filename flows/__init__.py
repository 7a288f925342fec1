"""What runs, in which order, and where: Prefect flows, the recipe, the engine.

Prefect reads its settings when it is imported, so they are set here, before any module of this folder can import it;
a value that the user has set wins.
"""

import os

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The embedded server may need more than Prefect's 20 s on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_CLI_PROMPT": "false",
}

for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
