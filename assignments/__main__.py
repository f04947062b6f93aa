"""The assignments' commands.

python assignments build [A1 …]     make release/, what students get
python assignments grade FOLDER     grade what they handed in
python assignments pretend FOLDER   write a pretend class, to try the grading with
python assignments forget           move everything that was graded into a folder beside it
"""

import sys

if __name__ == "__main__":
    command, sys.argv = (sys.argv[1:2] or [""])[0], [sys.argv[0], *sys.argv[2:]]
    if command == "build":
        from grading.build import main
    elif command == "grade":
        from grading.grade import main
    elif command == "pretend":
        from grading.classroom import main
    elif command == "forget":
        from grading.report import forget as main
    else:
        sys.exit(__doc__)
    main()
