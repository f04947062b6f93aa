"""How many parameters a transformer's block has."""


def _block(d):
    return 12 * d**2 + 13 * d
