# Everything one does with this course is one word here. Nothing has to be installed first but
# Python 3.11 or newer: the first command makes .venv and installs into it, the next ones reuse it.

PYTHON ?= python3
PORT ?= 8888
IP ?= localhost
VENV := .venv
BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.ready
READY_TO_GRADE := $(VENV)/.ready-to-grade
# Notebooks run in notebooks/, so a folder given relative to here is made absolute.
ifdef COURSE_DATA
export COURSE_DATA := $(abspath $(COURSE_DATA))
endif

.PHONY: help lab test test-more notebooks stamp solutions assignments grade pretend-class
.PHONY: forget-grades site bench lint format clean

help:
	@echo "make lab         open the course in JupyterLab (PORT=8888, IP=localhost)"
	@echo "make test        run every test and every notebook"
	@echo "make test-more   run what takes longer"
	@echo "make notebooks   build notebooks/ from lessons/ anew, outputs included (needs MNIST)"
	@echo "make stamp       write the repository's address into README and notebooks (CONTRIBUTING.md)"
	@echo "make solutions   write the notebooks with their solutions to build/solved/"
	@echo "make assignments make assignments/release/, what students get (ASSIGNMENTS=\"A1 A3\")"
	@echo "make grade       grade a folder: make grade SUBMISSIONS=folder (assignments/README.md)"
	@echo "make pretend-class FOLDER=folder  write notebooks to try the grading with"
	@echo "make site        build build/site/: the lessons as web pages, to read without installing"
	@echo "make bench       measure what benchmarks/RESULTS.md says (needs MNIST, Chromium)"
	@echo "make lint        check the style; 'make format' mends it"
	@echo "make clean       remove .venv and everything built"

lab: $(READY)
	@$(BIN)/python tools/lab.py --port $(PORT) --ip $(IP)

test: $(READY_TO_GRADE)
	@$(BIN)/python tools/run_tests.py

test-more: $(READY_TO_GRADE)
	@$(BIN)/python tools/run_tests.py --more

notebooks: $(READY)
	@$(BIN)/python tools/build_notebooks.py $(LESSONS)
	@$(BIN)/python tools/lesson_table.py

stamp: $(READY)
	@$(BIN)/python tools/colab.py

solutions: $(READY)
	@$(BIN)/python tools/build_notebooks.py --solved
	@echo "The notebooks with their solutions are in build/solved/."

assignments: $(READY_TO_GRADE)
	@$(BIN)/python assignments build $(ASSIGNMENTS)

grade: $(READY_TO_GRADE)
	@test -n "$(SUBMISSIONS)" || { echo "Where are the notebooks? make grade SUBMISSIONS=folder"; \
	  exit 1; }
	@$(BIN)/python assignments grade $(if $(ONLY),--only $(ONLY)) "$(SUBMISSIONS)"

pretend-class: $(READY_TO_GRADE)
	@$(BIN)/python assignments pretend "$(or $(FOLDER),build/class)"

forget-grades: $(READY_TO_GRADE)
	@$(BIN)/python assignments forget

site: $(READY)
	@$(BIN)/python tools/build_site.py

# The quiet ones first, then those that warm the machine up. ROUNDS is for notebooks and grading.
bench: export ROUNDS ?= 1
bench: $(READY_TO_GRADE)
	@echo "Some 25 minutes on two cores, 10 more for each round after the first (ROUNDS=$(ROUNDS))."
	@echo "Leave the machine alone meanwhile: what else runs is measured, too."
	@$(BIN)/python benchmarks/import_time.py
	@$(BIN)/python benchmarks/convolution_scaling.py
	@$(BIN)/python benchmarks/matmul_share.py
	@$(BIN)/python benchmarks/widget_latency.py
	@$(BIN)/python benchmarks/notebook_costs.py
	@$(BIN)/python benchmarks/time_to_99.py
	@$(BIN)/python benchmarks/grading_time.py
	@$(BIN)/python benchmarks/overview.py

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(READY)
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis

# Made anew when pyproject.toml changes.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This course needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)."; \
	  echo "Install one, then for instance: make lab PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python could not make $(VENV). On Debian and Ubuntu: sudo apt install python3-venv"; \
	  exit 1; }
	@echo "Installing the course into $(VENV): once, about 6 GB with PyTorch, some minutes …"
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[lab,deploy,dev]' || { \
	  echo "The installation stopped. Is there a network? Run the same command again: it goes on."; \
	  exit 1; }
	@touch $@

# nbgrader is for teachers and tests; students do without it.
$(READY_TO_GRADE): $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[assignments]'
	@touch $@
