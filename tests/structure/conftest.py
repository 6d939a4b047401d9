"""The networks of the bridge's tests are cases here, too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "bridge"))
