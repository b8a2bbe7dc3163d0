"""Where the one table of banks is: BIN, names by day, other names that lists use (`|` between them), what accounts there look like.

Registry reads which bank a list means, verification whether there is such a bank and whether it says whose an account is. Facts:
`vietnam-qr-pay` 1.0.0 (MIT) and domain 4.1; the bank for social policies (999888) is missing there and answers no name question that we
know of: `cannot_verify`. Days of renaming are approximate, lengths of numbers ours: no national length exists.
"""

from __future__ import annotations

from pathlib import Path

BANKS_FILE = Path(__file__).with_name("banks.csv")
