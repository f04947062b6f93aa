"""Makes small wheels; also the build backend of the small course that test_make_venv installs."""

import os
import zipfile

TAGS = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(folder, name, version, requires=(), files=None):
    """Write a wheel of these files, or of one empty module. Returns: its name."""
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    head = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    head += [f"Provides-Extra: {extra}" for extra in ("lab", "deploy", "dev")]
    head += [f"Requires-Dist: {line}" for line in requires]
    files = {**(files or {f"{module}.py": ""}), f"{about}/METADATA": "\n".join(head)}
    files |= {f"{about}/WHEEL": TAGS, f"{about}/RECORD": ""}
    path = f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, path), "w") as archive:
        for file, text in files.items():
            entry = zipfile.ZipInfo(file)
            entry.external_attr = 0o100755 << 16  # what is in scripts/ can be executed
            archive.writestr(entry, text)
    return path


def build_editable(folder, config_settings=None, metadata_directory=None):
    """What pip calls for `pip install --editable`."""
    needs = ["torch>=2.7", "torchvision>=0.22", "lamp>=1", "pencil; extra == 'dev'"]
    return wheel(folder, "course-utils", "1", needs, {"course.pth": os.getcwd()})
