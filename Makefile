# The one front door. `make` alone says what there is.

WORDS := recipe input out on workers limit rounds passwords benchmarks deep overwrite plan verbose uri sha256 reason only PYTHON
# Fonts to draw with, what typesets them, what OpenCV links, and Tesseract with all of its languages that the embedded reader
# doesn't know, 60 MB: the second witness of what a page's ink says, and what readers are compared with.
SYSTEM_PACKAGES := fonts-noto-core fonts-noto-cjk fonts-dejavu-core fonts-freefont-ttf fonts-sil-nuosusil libpangocairo-1.0-0 \
    libgl1 libglib2.0-0 tesseract-ocr \
    $(addprefix tesseract-ocr-,amh ara asm aze bel ben bod bul chr div dzo ell fas guj heb hin hye iku kan kat kaz khm kir kor lao \
    mal mar mkd mon mya nep ori pan pus rus san sin snd srp syr tam tat tel tgk tha tir uig ukr urd vie yid yor)
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python -m recipes

# make passes over a misspelt word in silence; we don't.
WRONG := $(filter-out $(WORDS),$(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $(v))),$(v))))
WRONG := $(filter-out MAKEFLAGS MFLAGS MAKEOVERRIDES CURDIR -*-%,$(WRONG))
$(if $(WRONG),$(error no such word: $(WRONG); allowed are $(filter-out PYTHON,$(WORDS))))
$(foreach v,deep overwrite plan verbose,$(if $(filter-out 0 1,$($(v))),$(error $(v)=$($(v)): allowed are 0 and 1)))

.DEFAULT_GOAL := $(if $(recipe),run,help)
.PHONY: help run status verify forget retry setup test test-slow lint bench clean

help:
	@$(or $(PYTHON),python3) -m recipes
	@echo "also      make setup · make test · make test-slow · make lint · make bench [only=NAME] · make clean"

flag = $(if $(filter 1,$($(1))),--$(1))
# What users type, quoted for the shell, apostrophes and all.
quoted = '$(subst ','\'',$(1))'
option = $(if $(value $(1)),--$(1) $(call quoted,$(value $(1))))

run: setup
	@$(RUN) $(call quoted,$(value recipe)) $(foreach w,input out on workers limit rounds passwords benchmarks,$(call option,$(w))) $(foreach f,deep overwrite plan verbose,$(call flag,$(f)))

status verify forget retry: setup
	@$(if $(out),,$(error make $@ needs out=DIR))$(RUN) $@ $(call quoted,$(value out)) $(foreach w,uri sha256 reason passwords on workers,$(call option,$(w)))

setup: $(VENV)/.installed $(VENV)/.system

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "pagewheel needs Python 3.11 or later with venv: apt-get install python3 python3-venv, or PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "setting up $(VENV): about a minute and 2 GB, once"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# A package is looked up under its plain name and the one with Debian's 64-bit time suffix.
$(VENV)/.system: Makefile | $(VENV)/.installed
	@missing=""; for p in $(SYSTEM_PACKAGES); do \
	    dpkg-query -W -f '$${Status}\n' $$p $${p}t64 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then touch $@; \
	elif ! command -v apt-get >/dev/null; then echo "please install what your system calls:$$missing" >&2; \
	elif [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then \
	    echo "installing$$missing"; sudo=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq --no-install-recommends $$missing >/dev/null && touch $@; \
	else echo "please install, as root: apt-get install$$missing" >&2; fi

# A process that has no test left takes some from another; what tests share is made once for all of them (tests/conftest.py).
PYTEST := $(VENV)/bin/python -m pytest -q --numprocesses logical --maxprocesses 4 --dist worksteal

test: setup
	@$(PYTEST) -m 'not slow'

test-slow: setup
	@$(PYTEST) -m slow

lint: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: setup
	@$(VENV)/bin/python -m tests.bench $(call quoted,$(value only))

# Outputs stay: they are yours.
clean:
	@rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
