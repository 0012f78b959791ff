"""What `check_elsewhere` runs: ``python -m channelome.testing PACK LEVEL [GOLDEN...]``, the report on the last line."""

import json
import sys
from pathlib import Path
from typing import Any

from .conformance import check_installed

if __name__ == "__main__":
    name, level, *golden = sys.argv[1:]
    asked: Any = level
    print(json.dumps(check_installed(name, level=asked, golden=map(Path, golden)).to_data()))
