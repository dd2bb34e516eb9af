"""Which form of the rules runs in this process: what the build compiled, or the sources interpreted.

Owns the word for it. It must not know what the rules are, nor how they are compiled.
"""

from __future__ import annotations

import models

RULES = "compiled" if models.COMPILED else "interpreted"
