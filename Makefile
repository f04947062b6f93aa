# Everything one does with this course is one word here. Nothing has to be installed first but
# Python 3.11 or newer: the first command makes .venv and installs into it, the next ones reuse it.

PYTHON ?= python3
TORCH ?= auto
PORT ?= 8888
IP ?= localhost
VENV := .venv
BIN := $(abspath $(VENV))/bin
INSTALL = $$(test -x $(BIN)/python && echo $(BIN)/python || echo $(PYTHON)) tools/make_venv.py \
  --venv $(VENV) --torch $(TORCH)
# Notebooks run in notebooks/, so a folder given relative to here is made absolute.
ifdef COURSE_DATA
export COURSE_DATA := $(abspath $(COURSE_DATA))
endif

.PHONY: help lab test test-more tested notebooks stamp solutions assignments grade pretend-class
.PHONY: forget-grades site bench lint format clean student teacher developer

help:
	@echo "make lab         open the course in JupyterLab (PORT=8888, IP=localhost, TORCH=auto)"
	@echo "make test        run every test and every notebook (PART=unit, system, tests or notebooks: only those)"
	@echo "make test-more   run what takes longer"
	@echo "make tested      run both; if all is green, note the versions that it was green with"
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

lab: student
	@$(BIN)/python tools/lab.py --port $(PORT) --ip $(IP)

test: developer
	@$(BIN)/python tools/run_tests.py $(if $(PART),--part $(PART))

test-more: developer
	@$(BIN)/python tools/run_tests.py --more

tested: test test-more
	@$(BIN)/python tools/tested_versions.py

notebooks: developer
	@$(BIN)/python tools/build_notebooks.py $(LESSONS)
	@$(BIN)/python tools/lesson_table.py
	@$(BIN)/python tools/checks_stub.py

stamp: developer
	@$(BIN)/python tools/colab.py

solutions: developer
	@$(BIN)/python tools/build_notebooks.py --solved
	@echo "The notebooks with their solutions are in build/solved/."

assignments: developer
	@$(BIN)/python assignments build $(ASSIGNMENTS)

grade: teacher
	@test -n "$(SUBMISSIONS)" || { echo "Where are the notebooks? make grade SUBMISSIONS=folder"; \
	  exit 1; }
	@$(BIN)/python assignments grade $(if $(ONLY),--only $(ONLY)) "$(SUBMISSIONS)"

pretend-class: teacher
	@$(BIN)/python assignments pretend "$(or $(FOLDER),build/class)"

forget-grades: teacher
	@$(BIN)/python assignments forget

site: developer
	@$(BIN)/python tools/build_site.py

# The quiet ones first, then those that warm the machine up. ROUNDS is for notebooks and grading.
bench: export ROUNDS ?= 1
bench: developer
	@echo "Some 30 minutes on two cores, 10 more for each round after the first (ROUNDS=$(ROUNDS))."
	@echo "Leave the machine alone meanwhile: what else runs is measured, too."
	@$(BIN)/python benchmarks/install.py
	@$(BIN)/python benchmarks/import_time.py
	@$(BIN)/python benchmarks/convolution_scaling.py
	@$(BIN)/python benchmarks/matmul_share.py
	@$(BIN)/python benchmarks/widget_latency.py
	@$(BIN)/python benchmarks/notebook_costs.py
	@$(BIN)/python benchmarks/time_to_99.py
	@$(BIN)/python benchmarks/grading_time.py
	@$(BIN)/python benchmarks/overview.py

lint: developer
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: developer
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis

# What is installed for whom. Each looks first, and installs only what is missing or has changed.
student:
	@$(INSTALL)

teacher:
	@$(INSTALL) --extras assignments

developer:
	@$(INSTALL) --extras assignments,dev
