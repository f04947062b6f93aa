"""`python assignments build [A1 …]` makes what students get; `python assignments grade FOLDER`."""

import sys

if __name__ == "__main__":
    command, sys.argv = (sys.argv[1:2] or [""])[0], [sys.argv[0], *sys.argv[2:]]
    if command == "build":
        from grading.build import main
    elif command == "grade":
        from grading.grade import main
    else:
        sys.exit(__doc__)
    main()
