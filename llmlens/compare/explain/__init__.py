"""A selection and the rest -> the attribute values, alone and in pairs, that set the selection apart.

`search` and what it uses is numeric and knows nothing of traces; `gathering` and `attributes` make its columns of them.
"""

from .between import Between
from .explanation import explain

__all__ = ["Between", "explain"]
