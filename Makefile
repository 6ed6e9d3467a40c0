# Everything a new user runs. Needs Node 20 or newer with npm, and nothing else: npm brings the Node that Ringside runs on.
ARGS ?= --config ringside.example.yaml

.PHONY: test run bench crash soak fuzz screenshots install

# Installs what package-lock.json names, once, and again when it changed.
install: node_modules/.installed
node_modules/.installed: package.json package-lock.json
	npm ci --loglevel=error
	touch $@

# The page, again when its sources changed.
PAGE = dist/web/index.html
$(PAGE): node_modules/.installed vite.config.ts $(shell find src/web -type f)
	npm run -s build

test: install $(PAGE)
	npm run -s check
	npm run -s lint
	npm test

run: install $(PAGE)
	npm run -s ringside -- run $(ARGS)

# Pictures of every page, light and dark, for a desk and for a phone, into screenshots/. Needs Chromium.
screenshots: install $(PAGE)
	npm run -s screenshots

bench: install
	npm run -s bench

# Kills Ringside 200 times while calls go on, and holds what scripts got against what was played.
crash: install
	npm run -s crash

# An hour of calls with every event checked, or `make soak ARGS="--minutes 10 --rate 200"`. Needs sipp.
soak: ARGS =
soak: install
	npm run -s soak -- $(ARGS)

# Ten minutes of messages that are nearly right, with calls beside them, or `make fuzz ARGS="--minutes 60 --seed 2"`.
fuzz: ARGS =
fuzz: install
	npm run -s fuzz -- $(ARGS)
