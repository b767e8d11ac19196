# Everything a person or CI does with this checkout; each target says in one line what it is for.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
# Four on two cores: many tests wait for servers.
PYTEST_ARGS ?= -n 4

# Compiling every module anew at each of a hundred starts of a process costs minutes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env packages demo test test-broad test-long fuzz check format catalogs screenshots lock bench wheel deb
.PHONY: schedules crash-points kill-storm nodes nodes-storm contention fault-proxy mutate sbom licences load jobnet-month

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

env: $(STAMP) ## make .venv with the syncd command, from requirements.lock alone

$(STAMP): requirements.lock pyproject.toml setup/environment
	@bash setup/environment "$(PYTHON)" "$(VENV)" "$(STAMP)"

packages: ## install the Debian packages and Node.js clients that the tests need, or say which are missing
	@bash setup/packages
	@bash setup/node-clients

demo: env ## start the demonstration town until Ctrl-C; ONCE=1 runs the guided tour and ends, EXCHANGE=1 or GRAPH=1 is on those, JOBNET=1 has Jobnet beside it
	@$(BIN)/syncd demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(filter-out 0,$(EXCHANGE)),--exchange) $(if $(filter-out 0,$(GRAPH)),--graph) $(if $(filter-out 0,$(JOBNET)),--jobnet)

test: env packages ## run the tests, in less than six minutes on two cores; REQUIRE_ALL=1 fails when anything was not covered
	@$(BIN)/pytest $(PYTEST_ARGS) -m "not broad and not long and not programme"

test-broad: env packages ## run the tests that make test leaves to CI: more servers, sizes, themes, languages, and the longest files
	@$(BIN)/pytest $(PYTEST_ARGS) -m "broad and not long and not programme"

test-long: env packages ## run the longer programmes, too: a million schedules, every crash point, long storms, mutants
	@$(BIN)/pytest $(PYTEST_ARGS) --timeout 1800
	@$(MAKE) --no-print-directory schedules NUMBER=$(or $(NUMBER),1000000)
	@$(MAKE) --no-print-directory mutate

schedules: env ## play simulated schedules on both cores; NUMBER=10000, FIRST=0
	@$(BIN)/python -m tests.simulation $(or $(FIRST),0) --number $(or $(NUMBER),10000) --workers 2

crash-points: env packages ## kill -9 at each named point, on databases and calendar servers in turn
	@$(BIN)/pytest -n 2 -q -m programme tests/system/test_crash_points.py

kill-storm: env packages ## kill and freeze the service while clients book; an independent judge looks afterwards
	@$(BIN)/pytest -q -m programme tests/system/test_kill_storm.py

nodes: env packages ## three nodes as processes: roles, take-over, silent lines, one address, looks across nodes, two versions side by side
	@$(BIN)/python -m tests.servers.cable
	@$(BIN)/pytest -n 2 --dist loadfile -q -m programme --durations 8 tests/system/test_nodes_cut.py tests/system/test_nodes.py \
		tests/system/test_nodes_versions.py tests/system/test_nodes_live.py tests/system/test_virtual_address.py

nodes-storm: env packages ## kill, freeze and cut off three nodes while clients book; the same judge looks afterwards
	@$(BIN)/pytest -q -m programme tests/system/test_nodes_storm.py

contention: env packages ## two hundred clients, and several processes, for the same times
	@$(BIN)/pytest -q -m programme tests/integration/test_booking_contention.py

fault-proxy: env packages ## 2,000 requests to a real calendar server, of which 35 % go wrong
	@$(BIN)/pytest -q -m programme tests/system/test_fault_proxy.py

mutate: env ## change the booking code in small ways and see each change caught; SHARE=0.05 takes a sample by SEED (1), RESULTS=FILE goes on
	@$(BIN)/python -m tests.mutation $(if $(SHARE),--share $(SHARE)) $(if $(SEED),--seed $(SEED)) $(if $(RESULTS),--results $(RESULTS)) $(if $(filter-out 0,$(AGAIN)),--again)

jobnet-month: env packages ## CITIZENS (10000) live through a month on Jobnet; each is booked in time or has proof, and both sides' books agree
	@CITIZENS=$(or $(CITIZENS),10000) $(BIN)/pytest -q -m long --timeout 0 tests/integration/test_jobnet_month.py

load: env packages ## LOAD_SECONDS (3600) at LOAD_RATE (50) requests/s with faults; memory and file descriptors stay flat
	@LOAD_SECONDS=$(or $(LOAD_SECONDS),3600) LOAD_RATE=$(or $(LOAD_RATE),50) $(BIN)/pytest -q -s -m long --timeout 8000 tests/system/test_load.py

fuzz: env ## let a fuzzer guided by coverage write .ics texts for FUZZ_SECONDS (60)
	@$(BIN)/python -m tests.fuzz.fuzz_ics --seconds $(or $(FUZZ_SECONDS),60)

check: env ## format, lint, types and import contracts, as CI runs them
	@bash setup/check "$(BIN)"

format: env ## let ruff put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

catalogs: env ## bring the words of the pages up to date in locale/, and compile them; fails while one is not translated
	@$(BIN)/python -m syncd.web.pages.catalogs

screenshots: env packages ## take pictures of every page into docs/images
	@$(BIN)/python -m tests.browser.screenshots

lock: env ## write requirements.lock anew from pyproject.toml; UPGRADE=1 takes newer releases
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --extra demo --group dev $(if $(filter-out 0,$(UPGRADE)),--upgrade) \
		--output-file requirements.lock pyproject.toml

wheel: env ## build dist/syncd-VERSION-py3-none-any.whl, which needs no compiler
	@$(BIN)/pip wheel --quiet --no-deps --no-index --no-build-isolation -w dist .
	@ls dist/*.whl

deb: env ## build the Debian package into dist/ and ask lintian
	@bash setup/deb "$(BIN)"

sbom: env ## write dist/syncd.cdx.json, everything syncd needs to run with hashes (CycloneDX)
	@bash setup/sbom "$(BIN)"

licences: env ## list the licence of everything syncd needs to run; fails on one that nobody has allowed
	@$(BIN)/python setup/licences

bench: env ## measure; NAME=… picks one benchmark, JSON=1 prints one object, PLOT=1 draws bars
	@$(BIN)/python -m tests.bench $(NAME) $(if $(filter-out 0,$(JSON)),--json) $(if $(filter-out 0,$(PLOT)),--plot)
