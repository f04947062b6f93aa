"""All rows, and the kinds of fault that there must be rows of."""

import file_faults
import machine_faults
import network_faults
import number_faults
import picture_faults
import training_faults

FAULTS = [
    *network_faults.ROWS,
    *file_faults.ROWS,
    *training_faults.ROWS,
    *picture_faults.ROWS,
    *number_faults.ROWS,
    *machine_faults.ROWS,
]
KINDS = {
    "no network",
    "a proxy that hangs",
    "a download cut in the middle",
    "a corrupted file",
    "a wrong checksum",
    "a mirror that answers with an HTML page",
    "disk full",
    "read-only folder",
    "two kernels at once",
    "killed while saving",
    "interrupt during fit",
    "a checkpoint of another model",
    "a truncated checkpoint",
    "a checkpoint with code in it",
    "a picture that is none",
    "a huge picture",
    "alpha",
    "CMYK",
    "NaN in weights",
    "NaN in input",
    "a missing package",
    "no GPU",
    "another alphabet",
    "another locale",
}
