# Everything a new user runs. Needs Node 20 or newer with npm, and nothing else: npm brings the Node that Ringside runs on.
ARGS ?= --config ringside.example.yaml

.PHONY: test run bench install

# Installs what package-lock.json names, once, and again when it changed.
install: node_modules/.installed
node_modules/.installed: package.json package-lock.json
	npm ci --loglevel=error
	touch $@

test: install
	npm run -s check
	npm run -s lint
	npm test

run: install
	npm run -s ringside -- run $(ARGS)

bench: install
	npm run -s bench
