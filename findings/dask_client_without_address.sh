#!/usr/bin/env bash
# distributed 2026.8: a Client whose address cannot be read stays the default client, before one that runs.
#
# Client("no-port") raises ValueError, so nobody has it, yet default_client() gives it from then on: of several clients
# the last one made comes first, whether it ever met a scheduler or not. It is "connecting" for ever, and work sent to
# it ends in an error about a lost scheduler. It goes when it is collected, which a held traceback (a notebook's last
# error, a debugger) puts off.
#
# Expected before it was run: a constructor that raises leaves nothing behind.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile distributed==2026.8.0 dask==2026.8.0
cat > "$folder/look.py" <<'PY'
import gc

import distributed
from distributed.client import default_client

if __name__ == "__main__":
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        good = distributed.Client(cluster)
        if default_client() is not good:
            raise SystemExit("CHANGED: a client that runs is not the default one")
        try:
            distributed.Client("no-port")
        except ValueError as error:
            print("raised:", error)
            held = error
        left = default_client()
        print("default client:", left, left.status)
        if left is good or left.status != "connecting":
            raise SystemExit("CHANGED: the client that failed is not the default one")
        del held, left
        gc.collect()
        if default_client() is not good:
            raise SystemExit("CHANGED: it stays after it was collected")
        good.close()
print("as stated: a client that could not be made hides the one that runs")
PY
"$folder/venv/bin/python" "$folder/look.py"
