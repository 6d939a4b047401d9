"""The networks of the bridge's and the compiler's tests are cases here, too."""

import sys
from pathlib import Path

for part in ("bridge", "compiler"):
    sys.path.append(str(Path(__file__).parents[1] / part))
